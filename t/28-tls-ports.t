#!/usr/bin/python3
"""Ports of services whose users speak TLS, which the server ends."""

import os
import threading

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab
from lib.raw import Held, both_ways, greeter
from lib.tls import Authority, Half, dial, fingerprint, seen
from lib.wire import connect

MIB = 1 << 20
NAME = "tcp.example.com"
ANY = ("-o", 'limits.tcp=({range="1024-65535";number=0;})')


def port_of(client, local):
    """The port that this service is said to be reachable at."""
    for line in client.out().splitlines():
        if line.startswith(local + " is reachable at tls://"):
            return int(line.rpartition(":")[2])
    raise tap.Failure(f"no line for {local} in {client.out()!r}")


@tap.main
def run():
    with Lab() as lab:
        ca = Authority(lab)
        cert, key = ca.issue(NAME)
        server = Ptpd(lab, *ANY, "-o", f"tls.cert={cert}", "-o",
                      f"tls.key={key}", "-o", "domain=example.com")
        held, hello = Held(lab), greeter(lab, b"hello ")
        plain = greeter(lab, b"plain ")
        options = ",random=true,tls=true"
        client = Ptp(lab, server, held.url + options, hello.url + options,
                     plain.url + ",random=true")
        with tap.case("the address shown says tls; others say tcp"):
            port = port_of(client, held.url)
            first = port_of(client, hello.url)
            tap.like(client.out(), plain.url + " is reachable at tcp://",
                     "line")
        with tap.case("verified; a service that speaks first is heard"):
            with dial(first, NAME, ca.context(alpn=("imap",))) as wire:
                tap.is_(seen(wire), fingerprint(cert), "certificate")
                tap.is_(wire.take(6), b"hello ", "greeting")
                wire.send(b"x" * 100)
                tap.is_(wire.take(100), b"x" * 100, "echo")
        with tap.case("what is no TLS gets no byte of the service"):
            with connect(first) as wire:
                wire.send("GET / HTTP/1.0\r\n\r\n")
                wire.ending()
                tap.ok(b"hello" not in wire.buffer, "nothing")
        with tap.case("half-close of the user, then 3 MiB of the service"):
            user = Half(port, NAME)
            user.send(b"question")
            service = held.pair(user)[1]
            user.notify()
            tap.is_(service.rest(), b"question", "what came")
            data = os.urandom(3 * MIB)
            threading.Thread(target=lambda: (
                service.send(data), service.shut())).start()
            tap.ok(user.rest() == data, "all of it, then close_notify")
        with tap.case("half-close of the service, then bytes of the user"):
            user = Half(port, NAME)
            service = held.pair(user)[1]
            service.send(b"greeting")
            service.shut()
            tap.is_(user.rest(), b"greeting", "then close_notify")
            for _ in range(32):
                user.tls.write(bytes(32768))
                user.flush()
            user.notify()
            tap.is_(len(service.rest()), MIB, "bytes")
        with tap.case("a reset of either side is one for the other"):
            user = Half(port, NAME)
            service = held.pair(user)[1]
            service.reset()
            try:
                user.rest()
                tap.ok(False, "no clean end")
            except (EOFError, ConnectionResetError):
                pass
            user = Half(port, NAME)
            service = held.pair(user)[1]
            user.close()
            tap.is_(service.ending(), "reset", "ending")
        with tap.case("ptpctl restart: a connection goes on"):
            user = dial(port, NAME)
            service = held.pair(user)[1]
            done = server.ctl("restart")
            tap.is_(done.returncode, 0, done.stderr)
            user.send(b"still")
            tap.is_(service.take(5), b"still", "up")
            service.send(b"there")
            tap.is_(user.take(5), b"there", "down")
        with tap.case("a server without certificates refuses it"):
            bare = Ptpd(lab, *ANY)
            refused = Ptp(lab, bare, held.url + options, wait=False)
            refused.wait_line("has no listener for it")
        with tap.case("tls without a port is a fault"):
            done = lab.run([lab.program("ptp"), "-n", "-s",
                            "tcp://id1:x@127.0.0.1:1",
                            "http://127.0.0.1:80,tls=true"])
            tap.is_(done.returncode, 1, "status")
            tap.like(done.stderr, "tls: expected a local of tcp://", "line")
