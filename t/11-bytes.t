#!/usr/bin/python3
"""1 B to 1 GiB both ways with equal checksums, a bulk transfer beside.

PTP_BIG names the size of the largest file in MiB (1024).
"""

import hashlib
import os
import random
import threading
import time

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, raw_echo, reply, upgrade
from lib.web import Nginx
from lib.wire import connect

MIB = 1 << 20
BIG = int(os.environ.get("PTP_BIG", "1024")) * MIB
SIZES = [1, 2, 1023, 4096, 16_383, 16_384, 16_385, 65_537, 1_000_000, 32 * MIB]
BLOCK = random.Random(7).randbytes(MIB)


def pieces(size):
    """size bytes of which no two stretches of 1 MiB are the same."""
    for number in range(0, size, MIB):
        turn = (number // MIB * 4099 + size) % MIB
        block = BLOCK[turn:] + BLOCK[:turn]
        yield block[:min(MIB, size - number)]


def checksum(size):
    state = hashlib.sha256()
    for piece in pieces(size):
        state.update(piece)
    return state.hexdigest()


def receive(wire, size, state):
    """Reads size bytes into a checksum."""
    view, have = memoryview(bytearray(MIB)), len(wire.buffer)
    state.update(wire.take(have))
    while have < size:
        count = wire.sock.recv_into(view, min(MIB, size - have))
        if count == 0:
            raise EOFError(f"{have} of {size}")
        state.update(view[:count])
        have += count


def hashing(wire, _origin):
    """A service: answers a body with its checksum, reads it as it comes."""
    while True:
        head = wire.head()
        if head is None:
            return
        state = hashlib.sha256()
        receive(wire, int(head.get("Content-Length")), state)
        wire.send(reply(state.hexdigest()))


def download(port, size):
    state = hashlib.sha256()
    with connect(port) as wire:
        wire.send(f"GET /{size} HTTP/1.1\r\nHost: files\r\n\r\n")
        head = wire.head()
        tap.is_(head.status, 200, "status")
        tap.is_(int(head.get("Content-Length")), size, "length")
        receive(wire, size, state)
    return state.hexdigest()


def upload(port, size):
    with connect(port) as wire:
        wire.send("PUT / HTTP/1.1\r\nHost: hash\r\n"
                  f"Content-Length: {size}\r\n\r\n")
        for piece in pieces(size):
            wire.send(piece)
        return wire.response().body.decode()


def through(port, size):
    """There and back over an upgraded connection, both at once."""
    state = hashlib.sha256()
    with connect(port) as wire:
        tap.is_(upgrade(wire, "echo").status, 101, "status")

        def send():
            for piece in pieces(size):
                wire.send(piece)
            wire.shut()

        sender = threading.Thread(target=send)
        sender.start()
        receive(wire, size, state)
        sender.join()
        tap.is_(wire.ending(), "end", "ending")
    return state.hexdigest()


class Bulk:
    """Downloads without pause until it is stopped."""

    def __init__(self, port):
        self.port, self.bytes, self.error, self.end = port, 0, None, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        view = memoryview(bytearray(256 * 1024))
        try:
            while not self.end:
                with connect(self.port) as wire:
                    wire.send(f"GET /{32 * MIB} HTTP/1.1\r\nHost: files\r\n"
                              "Connection: close\r\n\r\n")
                    while not self.end:
                        count = wire.sock.recv_into(view)
                        if count == 0:
                            break
                        self.bytes += count
        except OSError as error:
            self.error = error

    def stop(self):
        self.end = True
        self.thread.join()


def both(*jobs):
    """Runs the jobs at once, returns their results."""
    results = [None] * len(jobs)

    def run(number, job):
        try:
            results[number] = job()
        except Exception as error:
            results[number] = repr(error)

    threads = [threading.Thread(target=run, args=pair)
               for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def rate(name, size, start):
    seconds = time.monotonic() - start
    tap.diag(f"{name}: {size / seconds / 1e6:.0f} MB/s")


@tap.main
def run():
    with Lab() as lab:
        files = Nginx(lab, "files")
        sums = {size: checksum(size) for size in SIZES + [BIG]}
        for size in SIZES + [BIG]:
            path = files.file(str(size), b"")
            with open(path, "wb") as f:
                for piece in pieces(size):
                    f.write(piece)
        hasher = lab.keep(Origin(hashing))
        echo = lab.keep(Origin(paths({}, raw_echo)))
        for cipher in ("auto", "none"):
            server = Ptpd(lab)
            Ptp(lab, server, f"{files.url},name=files",
                f"{hasher.url},name=hash", f"{echo.url},name=echo",
                options=["-o", f"tunnel.cipher={cipher}"])
            port = server.port
            bulk = Bulk(port)
            for size in SIZES:
                with tap.case(f"cipher {cipher}: {size} bytes down, up, "
                              "through"):
                    tap.is_(download(port, size), sums[size], "down")
                    tap.is_(upload(port, size), sums[size], "up")
                    tap.is_(through(port, size), sums[size], "through")
            with tap.case(f"cipher {cipher}: sixteen users at once"):
                got = both(*[lambda: download(port, 1_000_000)] * 8,
                           *[lambda: upload(port, 1_000_000)] * 8)
                tap.is_(set(got), {sums[1_000_000]}, "checksums")
            if cipher == "auto":
                with tap.case(f"{BIG // MIB} MiB down and up at once"):
                    start = time.monotonic()
                    got = both(lambda: download(port, BIG),
                               lambda: upload(port, BIG))
                    tap.is_(got, [sums[BIG]] * 2, "checksums")
                    rate("both ways", 2 * BIG, start)
            with tap.case(f"cipher {cipher}: the bulk transfer beside ran"):
                until("32 MiB of it", lambda: bulk.bytes > 32 * MIB
                      or bulk.error)
                bulk.stop()
                tap.is_(bulk.error, None, "error")
            server.stop()
