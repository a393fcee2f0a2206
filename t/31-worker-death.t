#!/usr/bin/python3
"""A worker's death costs its own connections only, and soon it is back."""

import hashlib
import os
import signal
import socket
import threading
import time

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, reply, upgrade
from lib.wire import Truncated, connect, get

BODY = os.urandom(1 << 20)
BACK = 1.0  # seconds until a client is served again


class Drip:
    """A service: /drip sends 1 KiB at a time, and the rest once .end is set."""

    def __init__(self, lab):
        self.end = threading.Event()
        self.origin = lab.keep(Origin(paths({
            "/drip": self.drip, "/raw": self.raw,
        }, lambda wire, request: reply("fine"))))
        self.url = self.origin.url

    def drip(self, wire, _request):
        wire.send("HTTP/1.1 200 OK\r\n\r\n")
        for number in range(1024):
            wire.send(BODY[number * 1024:(number + 1) * 1024])
            if number >= 8:
                self.end.wait(0.02 if number < 512 else 120)
        wire.shut()
        wire.ending()
        return False

    def raw(self, wire, _request):
        wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade"
                  "\r\nUpgrade: raw\r\n\r\n")
        wire.sock.settimeout(120)
        while True:
            data = wire.sock.recv(65536)
            if not data:
                return False
            wire.send(data)


class Download(threading.Thread):
    """GET /drip, in a thread: what came, and how it ended."""

    def __init__(self, port, host):
        super().__init__(daemon=True)
        self.wire = connect(port, 120)
        self.wire.send(f"GET /drip HTTP/1.1\r\nHost: {host}\r\n\r\n")
        tap.is_(self.wire.head().status, 200, "status")
        self.wire.take(4096)
        self.outcome = None
        self.start()

    def run(self):
        self.outcome = self.wire.ending()

    def result(self):
        self.join(120)
        return self.outcome, len(self.wire.buffer) + 4096

    def leave(self):
        self.wire.sock.shutdown(socket.SHUT_RDWR)
        self.result()


def served(port, host):
    try:
        return get(port, host=host, timeout=30).status == 200
    except (OSError, Truncated):
        return False


def killed(server, pid, hosts, role):
    """Kills a worker: all hosts are served again after so many seconds."""
    mark, start = server.mark(), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    for host in hosts:
        until(f"{host} is served", lambda h=host: served(server.port, h))
    seconds = time.monotonic() - start
    tap.diag(f"{role}: served again after {seconds * 1000:.0f} ms")
    server.wait_line(rf"\b{role} \d+ \(pid {pid}\) killed by SIGKILL",
                     since=mark)
    until("another is there", lambda: server.pids(role)
          and pid not in server.pids(role))
    return seconds


def soon(seconds):
    """The quickest of several counts: the machine may have been slow."""
    tap.at_most(min(seconds), BACK, "seconds until served")


def relay_of(server, client):
    return {r["relay"] for r in server.show_json("tunnels")
            if r["client"] == client}


def relay_dies(server, drip):
    with tap.case("relay killed: its streams end with a reset, never cleanly"):
        mine, = relay_of(server, "id1")
        other, = relay_of(server, "id2")
        tap.ok(mine != other, "two relays")
        hit = [Download(server.port, "id1") for _ in range(10)]
        spared = [Download(server.port, "id2") for _ in range(3)]
        with connect(server.port) as raw, connect(server.port) as idle, \
                connect(server.port) as upgraded:
            tap.is_(upgrade(raw).status, 101, "status")
            tap.is_(upgrade(upgraded, "id2").status, 101, "status")
            idle.get("/")
            times = [killed(server, mine, ["id1", "id2"], "relay")]
            for download in hit:
                tap.is_(download.result()[0], "reset", "its stream")
            tap.is_(raw.ending(), "reset", "its upgraded connection")
            tap.ok(idle.ending() in ("reset", "end"), "its idle connection")
            upgraded.send("alive")
            tap.is_(upgraded.take(5), b"alive", "the other's connection")
    with tap.case("relay killed: the other relay's streams are whole"):
        drip.end.set()
        for download in spared:
            tap.is_(download.result(), ("end", len(BODY)), "bytes")
            body = download.wire.buffer
            tap.is_(hashlib.sha256(body).digest(),
                    hashlib.sha256(BODY[4096:]).digest(), "checksum")
        drip.end.clear()
    with tap.case("relay killed again and again: back each time, and soon"):
        for _ in range(3):
            pid, = relay_of(server, "id1")
            times.append(killed(server, pid, ["id1"], "relay"))
            until("two relays", lambda: len(server.pids("relay")) == 2)
        soon(times)


def others_die(server, clients, url):
    with tap.case("http killed: connections go on, new ones are served"):
        with connect(server.port, 60) as kept, \
                connect(server.port, 60) as half:
            kept.get("/")
            tap.is_(upgrade(half).status, 101, "status")
            soon([killed(server, server.pids("http")[0], ["id1", "id2"],
                         "http") for _ in range(3)])
            tap.is_(kept.get("/").status, 200, "the kept connection")
            half.send("x")
            tap.is_(half.take(1), b"x", "the upgraded connection")
    with tap.case("http killed with a head half read: another reads it anew"):
        with connect(server.port) as wire:
            wire.send("GET / HTTP/1.1\r\nHo")
            wire.drained()
            pids = server.pids("http")
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            until("another", lambda: server.pids("http")
                  and not set(pids) & set(server.pids("http")))
            wire.send("st: id1\r\n\r\n")
            tap.is_(wire.response().status, 200, "status")
    for role in ("keys", "auth"):
        with tap.case(f"{role} killed: tunnels go on, logins work again"):
            download = Download(server.port, "id1")
            soon([killed(server, server.pids(role)[0], ["id1"], role)
                  for _ in range(3)])
            clients["id2"].stop()
            clients["id2"] = Ptp(server.lab, server, url, user="id2:secret2")
            tap.ok(served(server.port, "id2"), "the new login")
            tap.is_(download.outcome, None, "the download goes on")
            download.leave()


def hung(server):
    with tap.case("a worker that hangs is noticed and replaced"):
        pid = server.pids("http")[0]
        count = len(server.pids("http"))
        os.kill(pid, signal.SIGSTOP)
        try:
            until("it is gone", lambda: not proc.alive(pid), 60)
        finally:
            if proc.alive(pid):
                os.kill(pid, signal.SIGCONT)
        until("another", lambda: len(server.pids("http")) == count)
        until("served", lambda: served(server.port, "id1"))


def client_workers(server, client):
    for pid in proc.children(client.pid):
        with tap.case(f"{proc.name(pid)} of the client killed: back"):
            os.kill(pid, signal.SIGKILL)
            until("it is gone", lambda p=pid: not proc.alive(p))
            until("served", lambda: served(server.port, "id1"))
    with tap.case("the client is the same process still"):
        tap.ok(client.running(), "running")
        until("all its workers are there",
              lambda: len(proc.children(client.pid)) >= 2)


@tap.main
def run():
    with Lab() as lab:
        drip = Drip(lab)
        server = Ptpd(lab, "-o", "workers=2", "-u", "id2:secret2")
        clients = {
            "id1": Ptp(lab, server, drip.url),
            "id2": Ptp(lab, server, drip.url, user="id2:secret2"),
        }
        master = server.pid
        relay_dies(server, drip)
        others_die(server, clients, drip.url)
        client_workers(server, clients["id1"])
        hung(server)
        with tap.case("the master has not changed, and knows nothing dead"):
            tap.ok(proc.alive(master), "master")
            for row in server.workers():
                tap.ok(proc.alive(int(row["pid"])), f"{row}")
            until("it has no other children", lambda: sorted(
                proc.children(master)) == sorted(
                    int(row["pid"]) for row in server.workers()))
