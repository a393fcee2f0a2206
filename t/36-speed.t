#!/usr/bin/python3
"""limits.speed, and that of a service: kept, shared, smooth, changed live."""

import select
import threading
import time

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, reply
from lib.wire import connect, get, still

BODY = b"x" * 4096
KEPT = (3, 5)  # seconds for BODY at 1 KiB/s


class Timed(threading.Thread):
    """Does something beside; .seconds says how long it took."""

    def __init__(self, what, *args):
        super().__init__(daemon=True)
        self.what, self.args, self.seconds, self.error = what, args, None, None
        self.start()

    def run(self):
        start = time.monotonic()
        try:
            self.what(*self.args)
        except Exception as error:
            self.error = error
        self.seconds = time.monotonic() - start

    def took(self):
        self.join(60)
        tap.is_(self.error, None, "went well")
        return self.seconds


def between(seconds, least, most, what):
    tap.diag(f"{what}: {seconds:.2f} s")
    tap.ok(seconds >= least, f"{what}: {seconds:.2f} s, not below {least}")
    tap.at_most(seconds, most, f"{what}, seconds")


def kept(seconds, least, most, what):
    """The same of several: none is too fast, and they are not too slow, for
    which the one counts that the machine has hindered least."""
    for one in seconds:
        between(one, least, 60, what)
    tap.at_most(min(seconds), most, f"{what}, seconds of {seconds}")


def download(wire, target="/body", host="id1", size=len(BODY)):
    answer = wire.get(target, host)
    tap.is_((answer.status, len(answer.body)), (200, size), "answer")


def race(wires, hosts, path, size):
    """Asks all at once; after how many seconds each has had its answer."""
    start, left, seconds = time.monotonic(), list(wires), []
    for wire, host in zip(wires, hosts):
        wire.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    while left:
        ready = select.select([wire.sock for wire in left], [], [], 60)[0]
        tap.ok(ready, "something comes")
        for wire in [wire for wire in left if wire.sock in ready]:
            tap.ok(wire.fill(), "no end")
            head, gap, body = wire.buffer.partition(b"\r\n\r\n")
            if gap and len(body) >= size:
                tap.is_((head[:13], len(body)), (b"HTTP/1.1 200 ", size),
                        "answer")
                seconds.append(time.monotonic() - start)
                left.remove(wire)
    return seconds


def upload(wire, body=BODY, host="id1"):
    wire.send(f"POST /take HTTP/1.1\r\nHost: {host}\r\n"
              f"Content-Length: {len(body)}\r\n\r\n")
    wire.send(body)
    tap.is_(wire.response().body, str(len(body)).encode(), "answer")


def service(lab):
    return lab.keep(Origin(paths({
        "/body": lambda wire, request: reply(BODY),
        "/8k": lambda wire, request: reply(bytes(8192)),
        "/small": lambda wire, request: reply("small"),
        "/half": lambda wire, request: reply(BODY[:2048]),
        "/64k": lambda wire, request: reply(bytes(65536)),
        "/8m": lambda wire, request: reply(bytes(8 << 20)),
        "/take": lambda wire, request: reply(str(len(request.body))),
    })))


def slow(lab, site):
    server = Ptpd(lab, "-o", "limits.speed=1K", "-o", "timeouts.tunnel=4s",
                  "-u", "id2:secret2")
    Ptp(lab, server, site.url)
    Ptp(lab, server, site.url, user="id2:secret2")
    with tap.case("1 KiB/s: 4096 bytes take 3 to 5 s each way, which do not "
                  "hinder each other, and again after a pause"):
        with connect(server.port, 60) as down, connect(server.port, 60) as up:
            seconds = []
            for _ in range(2):
                runs = Timed(download, down), Timed(upload, up)
                seconds.append([run.took() for run in runs])
                still(1)
            for way, times in zip(("down", "up"), zip(*seconds)):
                kept(times, *KEPT, way)
    with tap.case("another client is as fast as ever, and what is slow loses "
                  "no tunnel: pings pass it"):
        tunnels = {t["conn"] for t in server.show_json("tunnels")}
        with connect(server.port, 60) as wire:
            run = Timed(download, wire, "/8k", "id1", 8192)
            until("it is under way", lambda: any(
                s["down"] > 0 for s in server.show_json("streams")))
            tap.is_(get(server.port, "/small", host="id2").status, 200, "id2")
            tap.ok(run.is_alive(), "before the slow one is through")
            run.took()
        tap.is_({t["conn"] for t in server.show_json("tunnels")}, tunnels,
                "tunnels")
    with tap.case("users of a client share its speed, each in turn"):
        wires = [connect(server.port, 60) for _ in range(3)]
        seconds = race(wires, ["id1"] * 3, "/half", 2048)
        between(seconds[-1], 4.5, 12, "the last of three")
        tap.ok(seconds[0] / seconds[-1] > 0.5, f"alike: {seconds}")
        for wire in wires:
            wire.close()


def shared(lab, site):
    with tap.case("over two relays one client has one speed"):
        server = Ptpd(lab, "-o", "workers=2", "-o", "limits.speed=32K")
        names = ("a", "b")
        for name in names:
            Ptp(lab, server, f"{site.url},name={name}")
        relays = {t["relay"] for t in server.show_json("tunnels")}
        tap.is_(len(relays), 2, "relays")
        wires = [connect(server.port, 60) for _ in names]
        for wire, name in zip(wires, names):
            download(wire, "/small", name, 5)
        seconds = race(wires, names, "/64k", 65536)
        between(seconds[-1], 3.5, 10, "twice 64 KiB at 32 KiB/s")
        for wire in wires:
            wire.close()


def changed(lab, site):
    form = ('users = ( { id = "id1"; secret = "secret1"; %s } );\n'
            'limits = { speed = %s; };\n')
    conf = lab.write("speed.conf", form % ("", '"4K"'))
    server = Ptpd(lab, "-f", conf, users=())
    Ptp(lab, server, site.url)
    with tap.case("reload: another speed holds for what is under way"):
        with connect(server.port, 60) as wire:
            run = Timed(download, wire, "/8m", "id1", 8 << 20)
            still(1)
            tap.ok(run.is_alive(), "slow at first")
            lab.write("speed.conf", form % ("", "0"))
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            start = time.monotonic()
            run.took()
            # With the limit it takes half an hour.
            tap.at_most(time.monotonic() - start, 30, "seconds without limit")
            lab.write("speed.conf", form % ('speed = "16K";', "0"))
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            run = Timed(download, wire, "/64k", "id1", 65536)
            between(run.took(), 3.5, 10, "64 KiB at the user's own 16 KiB/s")
    with tap.case("4 MiB/s: 8 MiB take about two seconds"):
        lab.write("speed.conf", form % ('speed = "4M";', "0"))
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        with connect(server.port, 60) as wire:
            download(wire, "/small", "id1", 5)
            run = Timed(download, wire, "/8m", "id1", 8 << 20)
            seconds = [run.took()]
            run = Timed(upload, wire, bytes(8 << 20))
            kept(seconds + [run.took()], 1.7, 4, "8 MiB")


def services(lab, site):
    server = Ptpd(lab)
    Ptp(lab, server, f"{site.url},name=slow,speed=1K",
        f"{site.url},name=fast", f"{site.url},name=few,streams=2")
    with tap.case("speed of a service: its own, and no other's"):
        with connect(server.port, 60) as wire, \
                connect(server.port, 60) as other:
            runs = (Timed(download, wire, "/body", "slow"),
                    Timed(upload, other, BODY, "slow"))
            with connect(server.port) as fast:
                download(fast, "/64k", "fast", 65536)
            tap.ok(all(run.is_alive() for run in runs),
                   "the other before them")
            kept([run.took() for run in runs], *KEPT, "down and up")
    with tap.case("streams of a service: one more is told 503, and the log "
                  "says why"):
        wires = [connect(server.port) for _ in range(2)]
        for wire in wires:
            tap.is_(wire.get("/small", "few").status, 200, "status")
        tap.is_(get(server.port, "/small", "few").status, 503, "one more")
        tap.is_(get(server.port, "/small", "fast").status, 200, "another's")
        server.wait_line("as many users as it may")
        wires[0].close()
        until("a free place", lambda: get(
            server.port, "/small", "few").status == 200)
        wires[1].close()


@tap.main
def run():
    with Lab() as lab:
        site = service(lab)
        slow(lab, site)
        shared(lab, site)
        changed(lab, site)
        services(lab, site)
