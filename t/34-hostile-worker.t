#!/usr/bin/python3
"""A worker that breaks its rules dies; nobody else notices."""

import os
import shutil
import signal
import sys
import threading
import time

from lib import evil, proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, reply
from lib.tls import Authority
from lib.wire import connect, eventually, still

HEADER = os.path.abspath(os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "common/ipc/msg.h"))
FLAT = 2048  # KiB that the master may grow
PROMPT = 0.5  # seconds in which others are answered
ROLES = {"http": "ptpd-worker", "relay": "ptpd-relay", "keys": "ptpd-worker",
         "auth": "ptpd-worker", "sni": "ptpd-worker",
         "tls": "ptpd-tls", "sign": "ptpd-sign", "api": "ptpd-worker",
         "log": "ptpd-worker", "udp": "ptpd-worker", "fetch": "ptpd-fetch"}
# Roles that are there only if there is something for them.
RARE = {"tls": "certificates", "sign": "certificates", "udp": "ports",
        "fetch": "events"}
# Modes that are no crime for the role, or that need what it has not.
FOR_ROLE = {
    "http": set(evil.MODES) - {"another_client", "log_flood", "questions"},
    "relay": {"another_connection", "another_client", "another_role",
              "mutated", "descriptor", "deaf"},
    "keys": {"another_role", "wrong_direction", "mutated"},
    "auth": {"another_connection", "wrong_direction", "mutated"},
    "sni": {"another_origin", "mutated"},
    "tls": {"another_handshake", "another_role", "mutated", "descriptor"},
    "sign": {"another_role", "mutated"},
    "api": {"another_role", "mutated", "questions"},
    "log": {"another_role", "mutated"},
    "udp": {"another_role", "mutated"},
    "fetch": {"another_role", "mutated"},
}


# Quick, where there is no order: evil.py itself takes a while to start.
START = """#!/bin/sh
for order in "${0%%/*}"/mode.*; do
	[ ! -e "$order" ] || exec %s "$0.py" "$@"
done
exec "$0.real" "$@"
"""


def install(lab):
    """A directory with ptpd, and evil.py in the place of its workers."""
    home = lab.path("bin")
    os.mkdir(home)
    for name in ("ptpd", "ptpd-worker", "ptpd-relay", "ptpd-fetch",
                 "ptpd-tls", "ptpd-sign", "ptpd-certs"):
        evil_one = name in ROLES.values()
        real = name + ".real" if evil_one else name
        shutil.copy(lab.program(name), os.path.join(home, real))
    for name in set(ROLES.values()):
        shutil.copy(evil.__file__, os.path.join(home, name + ".py"))
        lab.write(f"bin/{name}", START % sys.executable, 0o755)
    return home


class Steady(threading.Thread):
    """Uses a kept connection all the time; the slowest answers count.

    As often it asks the service itself: what is slow there too is the
    machine's doing.
    """

    def __init__(self, port, service):
        super().__init__(daemon=True)
        self.wires = (connect(port, 60), connect(service, 60))
        self.times, self.error, self.end = ([], []), None, False
        for wire in self.wires:
            wire.get("/", "id2")
        self.start()

    def run(self):
        try:
            while not self.end:
                for place, wire in enumerate(self.wires):
                    start = time.monotonic()
                    if wire.get("/", "id2").status != 200:
                        raise OSError("not 200")
                    self.times[place].append(time.monotonic() - start)
                still(0.002)
        except Exception as error:
            self.error = error

    def stop(self):
        self.end = True
        self.join()
        tap.is_(self.error, None, "another's connection")
        # But for two, which the machine may have been slow at.
        ours, direct = (sorted(t)[-3:][0] for t in self.times)
        tap.at_most(ours, PROMPT + 4 * direct, "slowest answers, seconds")
        for wire in self.wires:
            wire.close()


def relay_of(server, client):
    return {r["relay"] for r in server.show_json("tunnels")
            if r["client"] == client}


def is_good(pid):
    """Not the hostile one, which may be gone already."""
    try:
        return proc.name(pid).endswith(".real")
    except proc.GONE:
        return False


def hostile(lab, home, server, role, what):
    until("all are there", lambda: len(server.pids("relay")) == 2
          and all(server.pids(r) for r in ROLES
                  if RARE.get(r) in (None, RARE.get(role))))
    steady = Steady(server.port, server.service)
    if role == "relay":
        spare, = relay_of(server, "id2")
        victim = next(p for p in server.pids("relay") if p != spare)
    else:
        victim = server.pids(role)[0]
    others = {p: r for r in ROLES for p in server.pids(r) if p != victim}
    memory = proc.private_kib(server.pid)
    mark = server.mark()
    with open(os.path.join(home, f"mode.{role}"), "w", encoding="utf-8") as f:
        f.write(f"{what} {HEADER}")
    os.kill(victim, signal.SIGKILL)
    taken = os.path.join(home, f"mode.{role}.taken")
    until("the hostile one runs", lambda: os.path.exists(taken))
    os.unlink(taken)
    until("it is ended, and a good one is there",
          lambda: [p for p in server.pids(role) if p not in others
                   and is_good(p)], 60)
    lines = [line for line in server.log(mark).splitlines() if role in line]
    tap.ok(len(lines) >= 2, f"the log names it: {lines}")
    tap.at_most(proc.private_kib(server.pid) - memory, FLAT, "KiB in master")
    for pid, other in others.items():
        tap.ok(proc.alive(pid), f"{other} lives")
    steady.stop()
    tap.is_(eventually(server.port, 200).status, 200, "served")


def flood(lab, home, server):
    with tap.case("http: a flood of LOG is cut to a bounded rate, escaped"):
        mark, memory = server.mark(), proc.private_kib(server.pid)
        with open(os.path.join(home, "mode.http"), "w",
                  encoding="utf-8") as f:
            f.write(f"log_flood {HEADER}")
        os.kill(server.pids("http")[0], signal.SIGKILL)
        server.wait_line("flood", since=mark)
        still(2)
        text = server.log(mark)
        tap.at_most(len(text.splitlines()), 1000, "lines")
        tap.at_most(proc.private_kib(server.pid) - memory, FLAT, "KiB")
        tap.ok(not any(ord(c) < 32 and c != "\n" or ord(c) > 126
                       for c in text), "only printable bytes")
        line = next(ln for ln in text.splitlines() if "flood" in ln)
        tap.at_most(len(line), 1200, "bytes of a line")
        tap.like(line, r"http.*\b\d+\b.*flood", "role and pid")


@tap.limit(1500)
def run():
    with Lab() as lab:
        home = install(lab)
        cert, key = Authority(lab).issue("localhost")
        needs = {
            "certificates": (f"tls.cert={cert}", f"tls.key={key}"),
            "ports": ('limits.udp={range="1024-65535";}',),
            "events": ("sentry.dsn=http://abcdef@127.0.0.1:1/1",),
        }
        site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        for role in ROLES:
            for what in sorted(FOR_ROLE[role]):
                with tap.case(f"{role}: {what}: it dies, nobody else notices"):
                    server = Ptpd(lab, "-o", "workers=2", "-u", "id2:secret2",
                                  "-o", "listen.sni=127.0.0.1:0",
                                  "-o", "listen.api=127.0.0.1:0",
                                  "-o", f"log.file={lab.path('log')}",
                                  *(word for option in
                                    needs.get(RARE.get(role), ())
                                    for word in ("-o", option)),
                                  program=os.path.join(home, "ptpd"))
                    server.service = site.port
                    clients = [Ptp(lab, server, site.url),
                               Ptp(lab, server, site.url, user="id2:secret2")]
                    try:
                        hostile(lab, home, server, role, what)
                    finally:
                        for process in clients + [server]:
                            process.kill()
        server = Ptpd(lab, "-u", "id2:secret2",
                      program=os.path.join(home, "ptpd"))
        Ptp(lab, server, site.url, user="id2:secret2")
        flood(lab, home, server)
