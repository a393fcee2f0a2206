#!/usr/bin/python3
"""Logs: what a peer said is escaped, garbage leaves a line, floods do not."""

import re
import socket
import time

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, reply
from lib.wire import connect, get

LINE = re.compile(r"^[\x20-\x7e]*$")
FLOOD = 3000
RATE = 50  # lines of a worker in a second, and what was dropped
BAD = "GET / HTTP/1.1\r\nHost : x\r\n\r\n"


def flood(port):
    """FLOOD bad requests; returns how long they took, in seconds."""
    begun = time.monotonic()
    for _ in range(FLOOD // 20):
        wires = [connect(port) for _ in range(20)]
        for wire in wires:
            wire.send(BAD)
        for wire in wires:
            wire.ending()
            wire.close()
    return time.monotonic() - begun


def accounted(log):
    """Of how many bad requests it tells, one by one or in a sum."""
    return len(re.findall(r" 400 Bad Request", log)) + sum(
        int(n) for n in re.findall(r"(\d+) log lines dropped", log))


@tap.main
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        server = Ptpd(lab, "-v", "-o", "workers=1")
        client = Ptp(lab, server, site.url, options=["-v"])

        with tap.case("what a user sends is escaped in every log"):
            for host in ("\x1b[31mred", "\x07bell", "a\\x41", "\xff\xfe",
                         "x" * 200):
                with connect(server.port) as wire:
                    wire.send(f"GET /\x1b[2J HTTP/1.1\r\nHost: {host}\r\n\r\n")
                    wire.ending()
                get(server.port, host=host.encode("latin-1").hex()[:60])
            for process in (server, client):
                for line in process.log().splitlines():
                    tap.ok(LINE.match(line), repr(line))
        with tap.case("an unknown name stands in the log, escaped, with the "
                      "user's address"):
            mark = server.mark()
            get(server.port, host="who.is.this")
            line = server.wait_line(".*who.is.this.*", since=mark).group(0)
            tap.like(line, r"127\.0\.0\.1", "address")
        with tap.case("garbage leaves a line"):
            mark = server.mark()
            with connect(server.port) as wire:
                wire.send(b"\xff\x00garbage\r\n\r\n")
                wire.ending()
            server.wait_line(r"127\.0\.0\.1", since=mark)
        with tap.case("a worker's line has its role and pid"):
            line = server.wait_line(r".*\b(http|relay)\b.*").group(0)
            pids = [str(p) for r in ("http", "relay") for p in server.pids(r)]
            tap.ok(any(p in line for p in pids), f"{pids} {line}")
        with tap.case(f"{FLOOD} bad requests: at most {RATE} lines a second, "
                      "said how many were left out"):
            mark = server.mark()
            seconds = flood(server.port)
            tap.diag(f"in {seconds:.1f} s")
            # The first and the last of them have begun and not ended.
            tap.at_most(len(server.log(mark).splitlines()),
                        (RATE + 1) * (seconds + 2), "lines")
            until("others are served", lambda: get(server.port).status == 200)

            def told():
                get(server.port, host="one.more")
                return accounted(server.log(mark)) >= FLOOD

            until("each has a line, or is counted", told)
        with tap.case("ptpctl log LEVEL changes it at once"):
            tap.is_(server.ctl("log", "error").returncode, 0, "error")
            mark = server.mark()
            get(server.port, host="quiet.example")
            tap.is_(server.log(mark), "", "nothing at error")
            tap.is_(server.ctl("log", "debug").returncode, 0, "debug")
            get(server.port, host="loud.example")
            server.wait_line("loud.example", since=mark)
        with tap.case("garbage on the control sockets is answered or closed"):
            for process in (server, client):
                for data in (b"", b"\0", b"\xff" * 100, b"\x01\xff\xff",
                             b"\x28" + b"\0\1a" * 41, bytes(200_000)):
                    with socket.socket(socket.AF_UNIX,
                                       socket.SOCK_SEQPACKET) as s:
                        s.settimeout(30)
                        s.connect(process.socket)
                        try:
                            s.send(data)
                            s.shutdown(socket.SHUT_WR)
                            while s.recv(20000):
                                pass
                        except OSError as error:
                            tap.ok(not isinstance(error, TimeoutError),
                                   f"{process.name} {data[:10]!r}")
                tap.is_(process.ctl("status").returncode, 0, "status")
        with tap.case("a login, its end and its place in the log"):
            mark = server.mark()
            second = Ptp(lab, server, site.url, user="id1:wrong", wait=False)
            second.wait_exit()
            server.wait_line(r"127\.0\.0\.1.*\bid1\b|\bid1\b.*127\.0\.0\.1",
                             since=mark)
