"""The measures. Each takes a serving subject and returns {metric: value}.

A metric "x" with parts "x.server" and "x.client" has one value per end.
"""

import os
import re
import socket
import subprocess
import time

from .datagrams import datagrams
from .fair import fair
from .origin import BULK_BYTES, PAGE_BYTES
from .proc import BenchError, cpu_us, pss_kib

HERE = os.path.dirname(os.path.abspath(__file__))
CHUNK = 256 * 1024
BATCH = 100  # idle visitors that connect at a time
SETTLE_SECONDS = 1


class Cpu:
    """CPU time of both ends from construction to per()."""

    def __init__(self, run):
        self.daemons = {"server": run.server, "client": run.client}
        self.before = self._read()

    def _read(self):
        return {end: cpu_us(d.pid) for end, d in self.daemons.items() if d}

    def per(self, metric, count, unit_us=1):
        """{metric and its parts: CPU time per COUNT, in units of UNIT_US}."""
        parts = {f"{metric}.{end}": (now - self.before[end]) / unit_us / count
                 for end, now in self._read().items()}
        return {metric: sum(parts.values()), **parts} if parts else {}


class Wrk:
    """One run of wrk; raises when any request failed."""

    def __init__(self, run, seconds, connections, threads, headers=(),
                 script="wrk.lua"):
        argv = ["wrk", f"-c{connections}", f"-t{threads}", f"-d{seconds}s",
                "-s", os.path.join(HERE, script), "-H", f"Host: {run.host}"]
        for header in headers:
            argv += ["-H", header]
        scheme = "https" if run.tls else "http"
        argv.append(f"{scheme}://{run.name}:{run.port}/")
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=seconds + 30)
        lines = [x for x in done.stdout.splitlines() if x.startswith("BENCH ")]
        if done.returncode or not lines:
            raise BenchError(f"wrk: {done.stderr.strip() or done.stdout}")
        numbers = [int(x) for x in lines[0].split()[1:]]
        self.requests, self.us = numbers[:2]
        self.p50_us, self.p99_us = numbers[7:]
        kinds = ("connect", "read", "write", "status", "timeout")
        errors = {k: n for k, n in zip(kinds, numbers[2:7]) if n}
        if errors or not self.requests:
            raise BenchError(f"wrk: {self.requests} requests, errors {errors}")

    @property
    def rate(self):
        return self.requests * 1e6 / self.us


def requests(run, opt):
    """100 keep-alive connections, after a second to warm up."""
    Wrk(run, 1, 100, 2)
    cpu = Cpu(run)
    wrk = Wrk(run, opt.seconds, 100, 2)
    return {"requests": wrk.rate, **cpu.per("cpu_request", wrk.requests)}


def connections(run, opt):
    """100 at a time, a new connection for each request."""
    cpu = Cpu(run)
    wrk = Wrk(run, opt.seconds, 100, 2, ("Connection: close",))
    return {"connections": wrk.rate,
            **cpu.per("cpu_connection", wrk.requests)}


def latency(run, opt):
    """One connection, one request at a time."""
    wrk = Wrk(run, opt.seconds, 1, 1)
    return {"p50": wrk.p50_us / 1000, "p99": wrk.p99_us / 1000}


def _read_head(conn):
    """Read the head of an answer; returns (content length, body so far)."""
    held = b""
    while b"\r\n\r\n" not in held:
        got = conn.recv(16384)
        if not got:
            raise BenchError("connection closed before an answer")
        held += got
    head, body = held.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    if lines[0].split()[1] != "200":
        raise BenchError(f"answer: {lines[0]}")
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value), body
    raise BenchError("answer without Content-Length")


def _rest_of_body(conn, left):
    room = memoryview(bytearray(CHUNK))
    while left > 0:
        got = conn.recv_into(room, min(left, CHUNK))
        if not got:
            raise BenchError(f"closed with {left} bytes missing")
        left -= got


def download(run, opt):
    """1 GB to one visitor, time from connect to the last byte."""
    cpu = Cpu(run)
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", run.port), 30) as conn:
        conn.sendall(f"GET /big HTTP/1.1\r\nHost: {run.host}\r\n\r\n".encode())
        length, body = _read_head(conn)
        if length != BULK_BYTES:
            raise BenchError(f"download: length {length}")
        _rest_of_body(conn, length - len(body))
    rate = BULK_BYTES / 1e9 / (time.monotonic() - start)
    return {"download": rate, **cpu.per("cpu_download", BULK_BYTES / 1e9, 1000)}


def upload(run, opt):
    """1 GB from one visitor, time from connect to the answer."""
    block = memoryview(os.urandom(CHUNK))
    cpu = Cpu(run)
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", run.port), 30) as conn:
        conn.sendall(f"POST /sink HTTP/1.1\r\nHost: {run.host}\r\n"
                     f"Content-Length: {BULK_BYTES}\r\n\r\n".encode())
        left = BULK_BYTES
        while left > 0:
            conn.sendall(block[:min(left, CHUNK)])
            left -= min(left, CHUNK)
        length, body = _read_head(conn)
        _rest_of_body(conn, length - len(body))
    rate = BULK_BYTES / 1e9 / (time.monotonic() - start)
    return {"upload": rate, **cpu.per("cpu_upload", BULK_BYTES / 1e9, 1000)}


def _connect_batch(run, count):
    """COUNT visitors, each with one request answered, all still connected."""
    ask = f"GET / HTTP/1.1\r\nHost: {run.host}\r\n\r\n".encode()
    batch = []
    try:
        for _ in range(count):
            conn = socket.create_connection(("127.0.0.1", run.port), 10)
            batch.append(conn)
            conn.sendall(ask)
        for conn in batch:
            length, body = _read_head(conn)
            if length != PAGE_BYTES:
                raise BenchError(f"page of {length} bytes")
            _rest_of_body(conn, length - len(body))
    except BaseException:
        _close(batch)
        raise
    return batch


def _close(conns):
    for conn in conns:
        conn.close()


def _memory(run):
    return {end: pss_kib(d.pid) for end, d in
            (("server", run.server), ("client", run.client)) if d}


def idle(run, opt):
    """What each of opt.visitors idle keep-alive visitors costs, in KiB."""
    if not run.ends:
        return {}
    before = _memory(run)
    visitors = []
    try:
        while len(visitors) < opt.visitors:
            visitors += _connect_batch(
                run, min(BATCH, opt.visitors - len(visitors)))
        time.sleep(SETTLE_SECONDS)
        after = _memory(run)
    finally:
        _close(visitors)
    return {f"idle_{end}": (after[end] - before[end]) / opt.visitors
            for end in after}


def rest(run, opt):
    """All processes of both ends, PSS in MiB, after one request."""
    if run.ends:
        time.sleep(SETTLE_SECONDS)
    return {f"rest_{end}": kib / 1024 for end, kib in _memory(run).items()}


class Handshakes:
    """Openssl clients, each with one full TLS handshake after the other."""

    CLIENTS = 4

    def __init__(self, run, seconds):
        self.seconds = seconds
        self.clients = [subprocess.Popen(
            ["openssl", "s_time", "-connect", f"127.0.0.1:{run.port}", "-new",
             "-time", str(seconds)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for _ in range(self.CLIENTS)]

    def rate(self):
        """Handshakes in a second of all of them."""
        total = 0
        for client in self.clients:
            said = client.communicate(timeout=self.seconds + 30)[0]
            found = re.search(r"(\d+) connections in \d+ real seconds", said)
            if client.returncode or not found:
                raise BenchError(f"s_time: {said[-300:]}")
            total += int(found[1])
        return total / self.seconds


def https(run, opt):
    """100 keep-alive connections over TLS, as `requests`."""
    Wrk(run, 1, 100, 2)
    cpu = Cpu(run)
    wrk = Wrk(run, opt.seconds, 100, 2)
    return {"https": wrk.rate, **cpu.per("cpu_https", wrk.requests)}


def handshakes(run, opt):
    """Handshakes/s; and 100 keep-alive users without and beside them."""
    rate = Handshakes(run, opt.seconds).rate()
    alone = Wrk(run, opt.seconds, 100, 2)
    load = Handshakes(run, opt.seconds + 1)
    beside = Wrk(run, opt.seconds, 100, 2)
    load.rate()
    return {"handshakes": rate, "shake_alone": alone.p99_us / 1000,
            "shake_beside": beside.p99_us / 1000,
            "shake_times": beside.p99_us / alone.p99_us}


class Measure:
    """A row of the plan: KEY for -m, how, and what it needs."""

    def __init__(self, key, take, sink=False, max_rounds=None):
        self.key, self.take = key, take
        self.sink = sink  # behind the subject is the sink, not nginx
        self.max_rounds = max_rounds


# What only makes sense where TLS is spoken, or datagrams are carried.
SPECIAL = ("https", "handshakes", "datagrams")

MEASURES = [
    Measure("requests", requests),
    Measure("connections", connections),
    Measure("latency", latency),
    Measure("download", download),
    Measure("upload", upload, sink=True),
    Measure("fair", lambda run, opt: fair(run, opt, Wrk)),
    Measure("https", https),
    Measure("handshakes", handshakes),
    Measure("datagrams", datagrams),
    Measure("idle", idle, max_rounds=3),
    Measure("rest", rest, max_rounds=3),
]
