#!/usr/bin/python3
"""sentry.dsn: lines of the log as events of an error service."""

import json
import os
import re
import signal

from lib import proc, tap
from lib.called import Called, answer
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, until
from lib.origin import Origin, paths, reply
from lib.wire import eventually, get

KEY = "0123456789abcdef0123456789abcdef"


class Sink(Called):
    """The service: takes envelopes apart as its protocol says."""

    def __init__(self, lab):
        self.events, self.faults, self.status = [], [], 200
        super().__init__(lab)
        self.gate.set()
        self.dsn = f"http://{KEY}@127.0.0.1:{self.port}/base/42"

    def posted(self, request, body):
        self.gate.wait(120)
        try:
            self.take(request.path, request.headers, body)
        except (AssertionError, ValueError, KeyError) as error:
            self.faults.append(repr(error))
        answer(request, self.status, b"{}")

    def take(self, path, headers, body):
        assert path == "/base/api/42/envelope/", path
        assert headers["Content-Type"] == "application/x-sentry-envelope"
        auth = headers["X-Sentry-Auth"]
        assert f"sentry_key={KEY}" in auth and "sentry_version=7" in auth, auth
        head, rest = body.split(b"\n", 1)
        item, rest = rest.split(b"\n", 1)
        head, item = json.loads(head), json.loads(item)
        assert item["type"] == "event", item
        assert rest[item["length"]:] == b"\n", rest
        event = json.loads(rest[:item["length"]])
        assert re.fullmatch("[0-9a-f]{32}", event["event_id"]), event
        assert event["event_id"] == head["event_id"], head
        self.events.append(event)

    def texts(self):
        return [e["message"]["formatted"] for e in list(self.events)]


def killed(server, role="relay"):
    """Ends a worker by force, which is worth an error."""
    pid = server.pids(role)[0]
    os.kill(pid, signal.SIGKILL)
    return f"(pid {pid}) killed by SIGKILL"


@tap.limit(900)
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        sink = Sink(lab)
        options = ["-o", f"sentry.dsn={sink.dsn}", "-o",
                   "sentry.environment=test", "-o", "sentry.release=ptp@9"]
        server = Ptpd(lab, *options, "-o", "sentry.server_name=here",
                      users=("id1:secret1", "id2:secret2"))
        client = Ptp(lab, server, site.url)
        with tap.case("an error is an event, an info line is none"):
            text = killed(server)
            until("the event", lambda: any(text in t for t in sink.texts()))
            tap.is_({e["level"] for e in sink.events}, {"error"}, "levels")
            tap.is_(sink.faults, [], "faults")
        with tap.case("it has what was configured, and when"):
            event = sink.events[0]
            tap.is_((event["release"], event["environment"],
                     event["server_name"]), ("ptp@9", "test", "here"), "of it")
            tap.like(event["timestamp"], r"^\d{4}-\d\d-\d\dT.*Z$", "timestamp")
            tap.is_(event["tags"]["program"], "ptpd", "program")
        with tap.case("a service that hangs holds nobody up"):
            sink.gate.clear()
            killed(server, "http")
            eventually(server.port, 200)
            sink.gate.set()
        with tap.case("the process that sends dies: another sends"):
            pid, = server.pids("fetch")
            os.kill(pid, signal.SIGKILL)
            until("another", lambda: server.pids("fetch") not in ([], [pid]))
            text = killed(server)
            until("the event", lambda: any(text in t for t in sink.texts()))
        with tap.case("who sends has no capability"):
            status = proc.status(server.pids("fetch")[0])
            tap.is_(status["CapEff"], "0" * 16, "capabilities")
        with tap.case("ptp: the same, by a process of its own"):
            theirs = Ptp(lab, server, site.url, user="id2:secret2", options=[
                "-o", f"sentry.dsn={sink.dsn}", "-o",
                "sentry.release=ptp@10"])
            found = until("fetch", lambda: [
                p for p in proc.family(theirs.pid)
                if proc.name(p) == "ptp-fetch"])
            until("it has no capability", lambda: proc.status(
                found[0])["CapEff"] == "0" * 16)
            engine = [p for p in proc.family(theirs.pid)
                      if proc.name(p) == "ptp-engine"][0]
            os.kill(engine, signal.SIGKILL)
            text = f"(pid {engine}) killed by SIGKILL"
            until("the event", lambda: any(text in t for t in sink.texts()))
            event = [e for e in sink.events
                     if text in e["message"]["formatted"]][0]
            tap.is_((event["release"], event["tags"]["program"]),
                    ("ptp@10", "ptp"), "of it")
            tap.is_(sink.faults, [], "faults")
            theirs.stop()
        client.stop()
        server.stop()

        with tap.case("levels: only those that are named"):
            sink = Sink(lab)
            warned = Ptpd(lab, "-o", f"sentry.dsn={sink.dsn}", "-o",
                          'sentry.level=["info"]')
            until("ready", lambda: any(t.startswith("ready")
                                       for t in sink.texts()))
            tap.is_({e["level"] for e in sink.events}, {"info"}, "levels")
            warned.stop()
        with tap.case("a flood: ten in a second at most"):
            sink = Sink(lab)
            flood = Ptpd(lab, "-o", f"sentry.dsn={sink.dsn}", "-o",
                         'sentry.level=["info","debug"]', "-v")
            for number in range(300):
                get(flood.port, host=f"n{number}.example")
            until("an event of a worker, with its role", lambda: (
                get(flood.port, host="more.example"),
                any(e["tags"].get("role") == "http"
                    for e in list(sink.events)))[1])
            events = list(sink.events)
            seconds = {event["timestamp"][:19] for event in events}
            tap.at_most(len(events), 20 * (len(seconds) + 1), "events")
            tap.is_(sink.faults, [], "faults")
            flood.stop()
        with tap.case("sample_rate = 0: none"):
            sink = Sink(lab)
            silent = Ptpd(lab, "-o", f"sentry.dsn={sink.dsn}", "-o",
                          "sentry.sample_rate=0.0")
            text = killed(silent)
            silent.wait_line(re.escape(text))
            until("another", lambda: silent.pids("relay"))
            silent.stop()
            tap.is_(sink.events, [], "events")
        with tap.case("a service that is away harms nobody"):
            away = Ptpd(lab, "-o", "sentry.debug=true", "-o", f"sentry.dsn="
                        f"http://{KEY}@127.0.0.1:{free_port()}/1")
            killed(away)
            away.wait_line("sentry: event not taken")
            away.stop()
        with tap.case("faults of the configuration"):
            for wrong in ("dsn=x", f"dsn=http://{KEY}@host/", "dsn=http://h/1",
                          f"dsn=ftp://{KEY}@host/1", "level=loud",
                          "level=disable", "sample_rate=1.5",
                          "sample_rate=-0.1", "sample_rate=much"):
                done = lab.run([lab.program("ptpd"), "-n", "-o",
                                "listen.http=0", "-o", f"sentry.{wrong}"])
                tap.is_(done.returncode, 1, wrong)
                tap.like(done.stderr, "sentry." + wrong.split("=")[0], wrong)
