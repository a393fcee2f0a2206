#!/usr/bin/python3
"""A hostile worker: takes a worker's place beside ptpd and breaks the rules.

It is installed as NAME.py beside a worker's executable NAME, which starts it
when there is an order, and the real one, NAME.real. If there is a file
`mode.ROLE` there, it takes it away and does what it says, once; else it
becomes the real worker.
"""

import os
import random
import re
import socket
import struct
import sys
import time

CHANNEL = 3
ROLES = ["http", "relay", "keys", "auth", "sni", "tls", "udp", "fetch", "log",
         "api", "sign"]
MODES = {}


def numbers(header):
    """The message types by name, from the header that declares them."""
    with open(header, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    body = re.search(r"enum msg_type \{(.*?)\}", text, re.S).group(1)
    names = [n.split("=")[0].strip() for n in body.split(",") if n.strip()]
    return {name.removeprefix("MSG_"): n + 1 for n, name in enumerate(names)}


def frame(kind, stream=0, payload=b"", length=None):
    size = len(payload) if length is None else length
    return struct.pack(">IB", stream, kind) \
        + struct.pack(">I", size)[1:] + payload


def mode(function):
    MODES[function.__name__] = function
    return function


class Worker:
    """The channel, after BOOT; send what you like."""

    def __init__(self, types):
        self.sock = socket.socket(fileno=CHANNEL)
        self.sock.setblocking(True)
        self.types = types
        self.random = random.Random(1)

    def send(self, name, stream=0, payload=b"", length=None):
        kind = self.types[name] if isinstance(name, str) else name
        self.sock.send(frame(kind, stream, payload, length))

    def ready(self):
        self.send("READY", payload=bytes(4))

    def linger(self):
        """Stays, reads, and answers the heartbeat, until it is killed."""
        ping = self.types["PING"]
        while True:
            data = self.sock.recv(16384)
            if not data:
                return
            if data[4] == ping:
                self.send("PONG")


@mode
def unready(w):
    w.send("CLOSED", 1, bytes(17))


@mode
def twice_ready(w):
    w.ready()
    w.ready()


@mode
def empty(w):
    w.ready()
    w.sock.send(b"")
    w.sock.send(b"\0")


@mode
def short(w):
    w.ready()
    w.sock.send(frame(w.types["LOG"])[:7])


@mode
def unknown_type(w):
    w.ready()
    w.send(250)


@mode
def wrong_length(w):
    w.ready()
    w.send("CLOSED", 1, bytes(17), length=18)


@mode
def too_long(w):
    w.ready()
    w.send("CLOSED", 1, bytes(18))


@mode
def oversized(w):
    w.ready()
    w.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    w.send("LOG", payload=bytes(100_000))


@mode
def wrong_direction(w):
    w.ready()
    w.send("PING")


@mode
def another_role(w):
    w.ready()
    w.send("HS_GRANT", 1, bytes(40))


@mode
def another_connection(w):
    w.ready()
    w.send("CLOSED", 0x00ffff00, bytes(17))


@mode
def another_origin(w):
    w.ready()
    w.send("ORIGIN", 0x00ffff00, bytes(2))


@mode
def another_handshake(w):
    w.ready()
    w.send("HANDSHAKED", 0x00ffff00, b"\0\x03\x04\0\0\0")


@mode
def another_client(w):
    w.ready()
    w.send("ALIVE", 0, struct.pack(">QB", 1 << 40, 1))


@mode
def descriptor(w):
    w.ready()
    socket.send_fds(w.sock, [frame(w.types["LOG"], 0, b"\x02hello")], [0])


@mode
def mutated(w):
    w.ready()
    for _ in range(2000):
        kind = w.random.randrange(256)
        w.sock.send(frame(kind, w.random.choice((0, 1, 2, 1 << 20)),
                          w.random.randbytes(w.random.randrange(200))))


@mode
def log_flood(w):
    w.ready()
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        w.send("LOG", 0, b"\x02flood " + b"\x1b[31m\n\r\0\xff" * 90)
    w.linger()


@mode
def questions(w):
    w.ready()
    for number in range(1 << 20):
        w.send("QUERY", number, bytes([1 + number % 9]))


@mode
def deaf(w):
    w.ready()
    time.sleep(3600)


@mode
def never_ready(w):
    w.linger()


def main():
    here = os.path.dirname(os.path.abspath(sys.argv[0]))
    boot = socket.socket(fileno=os.dup(CHANNEL)).recv(
        16384, socket.MSG_PEEK)
    role = ROLES[boot[8]]
    path = os.path.join(here, f"mode.{role}")
    try:
        with open(path, encoding="utf-8") as f:
            what, header = f.read().split()
        os.rename(path, path + ".taken")
    except FileNotFoundError:
        name = os.path.abspath(sys.argv[0]).removesuffix(".py") + ".real"
        os.execv(name, [name] + sys.argv[1:])
    worker = Worker(numbers(header))
    worker.sock.recv(16384)
    try:
        MODES[what](worker)
        worker.linger()
    except OSError:
        pass


if __name__ == "__main__":
    main()
