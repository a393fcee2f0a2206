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
from lib.wire import Truncated, connect, get, still

BODY = os.urandom(1 << 20)
BACK = 1.0  # seconds until a client is served again
HEARTBEAT = 15.0  # seconds until a worker that is silent is ended


class Drip:
    """A service: /drip sends 1 KiB at a time until .end is set."""

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
                self.end.wait(0.02)
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
        self.wire = connect(port, 30)
        self.wire.send(f"GET /drip HTTP/1.1\r\nHost: {host}\r\n\r\n")
        tap.is_(self.wire.head().status, 200, "status")
        self.wire.take(4096)
        self.outcome = None
        self.start()

    def run(self):
        self.outcome = self.wire.ending()

    def result(self):
        self.join(30)
        return self.outcome, len(self.wire.buffer) + 4096

    def leave(self):
        self.wire.sock.shutdown(socket.SHUT_RDWR)
        self.result()


def served(port, host):
    try:
        return get(port, host=host, timeout=5).status == 200
    except (OSError, Truncated):
        return False


def killed(server, pid, hosts, what):
    """Kills a worker; all hosts are served again within BACK."""
    mark, start = server.mark(), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    for host in hosts:
        until(f"{host} is served", lambda h=host: served(server.port, h), 5)
    seconds = time.monotonic() - start
    tap.diag(f"{what}: served again after {seconds * 1000:.0f} ms")
    tap.at_most(seconds, BACK, "seconds until served")
    role = what.split()[0]
    line = server.wait_line(rf"^.*{role}.*\b{pid}\b.*$|^.*\b{pid}\b.*{role}.*$",
                            since=mark).group(0)
    tap.like(line, "kill|signal|9", "the log says how")
    until("another is there", lambda: server.pids(role)
          and pid not in server.pids(role))


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
            killed(server, mine, ["id1", "id2"], "relay with id1")
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
    with tap.case("relay killed again and again: back each time"):
        for _ in range(3):
            pid, = relay_of(server, "id1")
            os.kill(pid, signal.SIGKILL)
            until("served", lambda: served(server.port, "id1"), 10)
            until("two relays", lambda: len(server.pids("relay")) == 2, 10)


def others_die(server, clients, url):
    with tap.case("http killed: connections go on, new ones are served"):
        with connect(server.port) as kept, connect(server.port) as half:
            kept.get("/")
            tap.is_(upgrade(half).status, 101, "status")
            killed(server, server.pids("http")[0], ["id1", "id2"], "http")
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
            killed(server, server.pids(role)[0], ["id1"], role)
            clients["id2"].stop()
            clients["id2"] = Ptp(server.lab, server, url, user="id2:secret2")
            tap.ok(served(server.port, "id2"), "the new login")
            tap.ok(download.outcome is None, "the download goes on")
            download.leave()


def hung(server):
    with tap.case("a worker that hangs is noticed and replaced"):
        pid = server.pids("http")[0]
        count = len(server.pids("http"))
        os.kill(pid, signal.SIGSTOP)
        try:
            until("it is gone", lambda: not proc.alive(pid), HEARTBEAT + 5)
        finally:
            if proc.alive(pid):
                os.kill(pid, signal.SIGCONT)
        until("another", lambda: len(server.pids("http")) == count)
        until("served", lambda: served(server.port, "id1"), 5)


def client_workers(server, client):
    for pid in proc.children(client.pid):
        with tap.case(f"{proc.name(pid)} of the client killed: back"):
            os.kill(pid, signal.SIGKILL)
            until("it is gone", lambda p=pid: not proc.alive(p))
            until("served", lambda: served(server.port, "id1"), 5)
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
            still(0.2)
            tap.is_(len(proc.children(master)), len(server.workers()),
                    "children")
