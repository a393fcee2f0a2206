#!/usr/bin/python3
"""stop drains within its bound; twice is now; nothing is left behind."""

import os
import signal
import threading
import time

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, port_answers, until
from lib.origin import Origin, paths, reply
from lib.wire import connect, eventually, get

DRAIN = 2
LATE = 20  # seconds more; what is busy would be so for longer


class Service:
    """/wait answers once .go is set; anything else at once."""

    def __init__(self, lab):
        self.go, self.waiting = threading.Event(), 0
        self.origin = lab.keep(Origin(paths(
            {"/wait": self.wait}, lambda wire, request: reply("fine"))))
        self.url = self.origin.url

    def wait(self, _wire, _request):
        self.waiting += 1
        self.go.wait(200)
        return reply("waited" * 10000)


def gone(server, pids):
    # Who was in the middle of something ends a moment later.
    until("no process is left",
          lambda: not any(proc.alive(p) for p in pids))
    tap.ok(not os.path.exists(server.socket), "the control socket is gone")
    tap.ok(not port_answers(server.port), "the port is free")


def begin(lab, *options):
    service = Service(lab)
    server = Ptpd(lab, "-o", f"timeouts.drain={DRAIN}s", *options)
    client = Ptp(lab, server, service.url)
    wire = connect(server.port, 60)
    wire.send("GET /wait HTTP/1.1\r\nHost: id1\r\n\r\n")
    until("the service has it", lambda: service.waiting == 1)
    return service, server, client, wire, proc.family(server.pid)


@tap.limit(900)
def run():
    with Lab() as lab:
        for how in ("ptpctl stop", "SIGTERM", "SIGINT"):
            with tap.case(f"{how}: what is busy ends, nothing new comes in"):
                service, server, client, wire, pids = begin(
                    lab, "-o", "timeouts.drain=200s")
                with connect(server.port, 60) as idle:
                    idle.get("/")
                    if how == "ptpctl stop":
                        ctl = lab.start("ptpctl", [
                            lab.program("ptpctl"), "-s", server.socket,
                            "stop"])
                    else:
                        server.signal(getattr(signal, how))
                    until("no new ones",
                          lambda: not port_answers(server.port))
                    tap.ok(idle.ending() in ("end", "reset"),
                           "idle keep-alive connections are closed")
                service.go.set()
                answer = wire.response()
                tap.is_(answer.body, b"waited" * 10000, "the busy one")
                tap.is_(answer.get("Connection", "").lower(), "close",
                        "Connection of the last answer")
                tap.is_(wire.ending(), "end", "ending")
                tap.is_(server.wait_exit(), 0, server.log())
                gone(server, pids)
                if how == "ptpctl stop":
                    tap.is_(ctl.wait_exit(), 0, ctl.log())
            with tap.case(f"{how}: the client goes on, and comes back"):
                tap.ok(client.running(), "the client runs")
                again = Ptpd(lab, "-o", f"host_key={server.host_key}",
                             port=server.port)
                tap.is_(eventually(again.port, 200).status, 200, "served")
                again.stop()
                client.stop()
        with tap.case(f"stop ends after timeouts.drain ({DRAIN} s), the busy "
                      "one is reset"):
            service, server, client, wire, pids = begin(lab)
            start = time.monotonic()
            server.signal(signal.SIGTERM)
            tap.is_(server.wait_exit(), 0, server.log())
            seconds = time.monotonic() - start
            tap.ok(DRAIN - 0.5 <= seconds <= DRAIN + LATE,
                   f"{seconds:.1f} s")
            tap.is_(wire.ending(), "reset", "the busy one")
            gone(server, pids)
            service.go.set()
            client.stop()
        for how in ("ptpctl stop, twice", "SIGTERM, twice", "ptpctl kill"):
            with tap.case(f"{how}: now"):
                service, server, client, wire, pids = begin(
                    lab, "-o", "timeouts.drain=200s")
                if how == "ptpctl kill":
                    server.ctl("kill")
                elif how == "SIGTERM, twice":
                    server.signal(signal.SIGTERM)
                    until("no new ones",
                          lambda: not port_answers(server.port))
                    server.signal(signal.SIGTERM)
                else:
                    first = lab.start("ptpctl", [
                        lab.program("ptpctl"), "-s", server.socket, "stop"])
                    until("no new ones",
                          lambda: not port_answers(server.port))
                    server.ctl("stop")
                    first.wait_exit()
                tap.is_(server.wait_exit(LATE), 0, server.log())
                tap.is_(wire.ending(), "reset", "the busy one")
                gone(server, pids)
                service.go.set()
                client.stop()
        with tap.case("the client's stop: streams end, exit 0, the server is "
                      "told, nothing is left"):
            service, server, client, wire, _ = begin(lab)
            pids = proc.family(client.pid)
            mark = server.mark()
            client.signal(signal.SIGTERM)
            service.go.set()
            tap.is_(wire.response().body, b"waited" * 10000, "the busy one")
            tap.is_(client.wait_exit(), 0, client.log())
            until("no process is left",
                  lambda: not any(proc.alive(p) for p in pids))
            tap.ok(not os.path.exists(client.socket), "no socket left")
            server.wait_line("id1 has logged out", since=mark)
            tap.is_(get(server.port).status, 503, "at once, not parked")
        with tap.case("killed by force, its workers go with it"):
            pids = proc.family(server.pid)
            server.kill()
            until("gone", lambda: not any(proc.alive(p) for p in pids))
        with tap.case("a socket left behind does not stop the next start"):
            tap.ok(os.path.exists(server.socket), "it is left")
            again = Ptpd(lab, "-o", f"socket={server.socket}")
            tap.is_(again.running(), True, "started")
            done = lab.run([lab.program("ptpctl"), "-s", server.socket,
                            "status"])
            tap.is_(done.returncode, 0, done.stderr)
        with tap.case("a socket that another ptpd serves is not taken"):
            other = Ptpd(lab, "-o", f"socket={server.socket}", wait=False)
            tap.is_(other.wait_exit(), 2, other.log())
            tap.ok(server.socket in other.log(), "it is named")
