#!/usr/bin/python3
"""Half-close is half-close and reset is reset, in both directions."""

import os
import socket
import threading

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import DEADLINE, Lab, always, until
from lib.origin import Origin
from lib.wire import connect

MIB = 1 << 20
SWITCH = ("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
          "Upgrade: raw\r\n\r\n")


class Held:
    """A service whose connections the test itself plays, after the 101."""

    def __init__(self, lab, answer=SWITCH):
        self.wires, self.done, self.answer = [], threading.Event(), answer
        self.origin = lab.keep(Origin(self.talk))
        self.url = self.origin.url

    def talk(self, wire, _origin):
        wire.head()
        wire.send(self.answer)
        self.wires.append(wire)
        self.done.wait(1200)

    def pair(self, port, host, **kw):
        """A user's connection and the service's end of it."""
        count = len(self.wires)
        user = connect(port, **kw)
        user.send(f"GET /raw HTTP/1.1\r\nHost: {host}\r\n"
                  "Connection: Upgrade\r\nUpgrade: raw\r\n\r\n")
        head = user.head()
        tap.is_(head.start, self.answer.split("\r\n")[0], "answer")
        until("the service's end", lambda: len(self.wires) > count)
        return user, self.wires[-1]


def stall(wire):
    """Sends until nothing more goes out; returns the bytes taken."""
    block, sent = os.urandom(65536), 0
    wire.sock.settimeout(1.0)
    try:
        while True:
            sent += wire.sock.send(block)
    except TimeoutError:
        pass
    wire.sock.settimeout(DEADLINE)
    return sent


def half(port, held):
    with tap.case("user's half-close: the service sees the end, then answers"):
        user, service = held.pair(port, "id1")
        user.send("question")
        user.shut()
        tap.is_(service.rest(), b"question", "what came")
        data = os.urandom(3 * MIB)
        threading.Thread(target=lambda: (service.send(data), service.shut())
                         ).start()
        tap.is_(user.take(len(data)), data, "the answer")
        tap.is_(user.ending(), "end", "ending")
    with tap.case("service's half-close: the user sees the end, then talks"):
        user, service = held.pair(port, "id1")
        service.send("greeting")
        service.shut()
        tap.is_(user.rest(), b"greeting", "what came")
        data = os.urandom(3 * MIB)
        threading.Thread(target=lambda: (user.send(data), user.shut())).start()
        tap.is_(service.take(len(data)), data, "the rest")
        tap.is_(service.ending(), "end", "ending")
    with tap.case("a half-closed connection stays open as long as it likes"):
        user, service = held.pair(port, "id1")
        user.shut()
        tap.is_(service.rest(), b"", "the end")
        user.sock.setblocking(False)

        def silent():
            try:
                return user.sock.recv(1) is None
            except BlockingIOError:
                return True

        always("no end comes by itself", silent, 1.5)
        user.sock.settimeout(DEADLINE)
        service.send("late")
        service.shut()
        tap.is_(user.rest(), b"late", "answer")
    with tap.case("nc -N: what is read from a file, answered after its end"):
        path = held.origin.lab.write(
            "ask", b"GET /raw HTTP/1.1\r\nHost: id1\r\nConnection: Upgrade"
            b"\r\nUpgrade: raw\r\n\r\n")
        count = len(held.wires)
        with open(path, "rb") as ask:
            nc = held.origin.lab.start(
                "nc", ["nc", "-N", "127.0.0.1", port], stdin=ask)
        until("the service's end", lambda: len(held.wires) > count)
        tap.is_(held.wires[-1].rest(), b"", "the end at the service")
        held.wires[-1].send("after your end")
        held.wires[-1].shut()
        tap.is_(nc.wait_exit(), 0, "nc")
        tap.ok(nc.out().endswith("after your end"), nc.out())
    with tap.case("HTTP: a half-close behind the request is answered"):
        with connect(port) as user:
            user.send("GET / HTTP/1.1\r\nHost: slow\r\n\r\n")
            user.shut()
            tap.is_(user.response().body, b"late but whole", "answer")
    with tap.case("HTTP: a request cut off by a half-close is not carried out"):
        with connect(port) as user:
            user.send("POST / HTTP/1.1\r\nHost: slow\r\nContent-Length: 10"
                      "\r\n\r\nabc")
            user.shut()
            tap.ok(user.ending() in ("end", "reset"), "ending")
            tap.unlike(user.buffer.decode(), "late but whole", "answer")


def resets(port, held, closing):
    with tap.case("user's RST is a reset at the service"):
        user, service = held.pair(port, "id1")
        user.send("x")
        tap.is_(service.take(1), b"x", "byte")
        user.reset()
        tap.is_(service.ending(), "reset", "ending")
    with tap.case("service's RST is a reset at the user"):
        user, service = held.pair(port, "id1")
        user.send("x")
        tap.is_(service.take(1), b"x", "byte")
        service.reset()
        tap.is_(user.ending(), "reset", "ending")
    with tap.case("RST after the own half-close is a reset at the service"):
        user, service = held.pair(port, "id1")
        user.shut()
        tap.is_(service.rest(), b"", "the end")
        user.reset()
        tap.ok(service.was_reset(), "reset")
    with tap.case("RST after the own half-close is a reset at the user"):
        user, service = held.pair(port, "id1")
        service.shut()
        tap.is_(user.rest(), b"", "the end")
        service.reset()
        tap.ok(user.was_reset(), "reset")
    with tap.case("an answer delimited by close and cut by RST: a reset"):
        user, service = closing.pair(port, "closing")
        service.send("part")
        tap.is_(user.take(4), b"part", "part")
        service.reset()
        tap.is_(user.ending(), "reset", "ending")
    with tap.case("many RSTs leave no connection behind at the service"):
        pairs = [held.pair(port, "id1") for _ in range(50)]
        for user, _ in pairs:
            user.reset()
        for _, service in pairs:
            tap.ok(service.was_reset(), "reset")


def stalled(port, held):
    with tap.case("the user resets while the service does not read"):
        user, service = held.pair(port, "id1")
        tap.ok(stall(user) > 0, "stalled")
        user.reset()
        tap.ok(service.was_reset(), "reset at the service")
    with tap.case("the user resets while the user does not read"):
        user, service = held.pair(port, "id1", rcvbuf=4096)
        tap.ok(stall(service) > 0, "stalled")
        user.reset()
        tap.ok(service.was_reset(), "reset at the service")
    with tap.case("the service resets while the user does not read"):
        user, service = held.pair(port, "id1", rcvbuf=4096)
        stall(service)
        service.reset()
        tap.ok(user.was_reset() or user.ending() == "reset", "reset")
    with tap.case("the service resets while the service does not read"):
        user, service = held.pair(port, "id1")
        stall(user)
        service.reset()
        tap.ok(user.was_reset(), "reset at the user")
    with tap.case("a stalled direction does not stop the other one"):
        user, service = held.pair(port, "id1")
        stall(user)
        data = os.urandom(5 * MIB)
        threading.Thread(target=lambda: service.send(data)).start()
        tap.is_(user.take(len(data)), data, "the other direction")
    with tap.case("a stalled user stops nobody else"):
        other_user, other = held.pair(port, "id1")
        threading.Thread(target=lambda: other.send(data)).start()
        tap.is_(other_user.take(len(data)), data, "another's bytes")
        user.reset()
    with tap.case("what was stalled arrives whole when it is read"):
        user, service = held.pair(port, "id1")
        sent = stall(user)
        user.shut()
        service.sock.settimeout(DEADLINE)
        tap.is_(len(service.rest()), sent, "bytes")


@tap.main
def run():
    with Lab() as lab:
        held = Held(lab)
        held.origin.lab = lab
        closing = Held(lab, "HTTP/1.1 200 OK\r\n\r\n")

        def slow(wire, _):
            if wire.request() is None:
                return
            # The user's end must have come (or not) before the answer.
            wire.sock.settimeout(0.3)
            try:
                wire.sock.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                pass
            wire.sock.settimeout(DEADLINE)
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n"
                      "late but whole")
            wire.ending()

        service = lab.keep(Origin(slow))
        server = Ptpd(lab)
        Ptp(lab, server, held.url, f"{closing.url},name=closing",
            f"{service.url},name=slow")
        port = server.port
        half(port, held)
        resets(port, held, closing)
        stalled(port, held)
        with tap.case("no stream is left"):
            for wire in held.wires + closing.wires:
                wire.close()
            until("streams are gone",
                  lambda: not server.show_json("streams"))
        held.done.set()
        closing.done.set()
