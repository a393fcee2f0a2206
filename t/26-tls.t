#!/usr/bin/python3
"""https: what users get who come by listen.tls, and what they cannot do."""

import hashlib
import os
import signal
import socket
import ssl
import threading
import time

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, echo, paths, raw_echo, reply, upgrade
from lib.tls import Authority, Half, anyone, dial, fingerprint, seen
from lib.wire import Truncated, Wire, connect, still

MIB = 1 << 20
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Certs:
    def __init__(self, lab):
        self.ca = Authority(lab)
        self.main = self.ca.issue("id1.example.com")
        self.wild = self.ca.issue("*.example.org", "rsa:2048")
        self.exact = self.ca.issue("www.example.org", "p384")


def options(certs, *more):
    """The server's options for these certificates."""
    hosts = ",".join(
        f'{{ name = "{name}"; cert = "{pair[0]}"; key = "{pair[1]}"; }}'
        for name, pair in (("*.example.org", certs.wild),
                           ("WWW.example.org", certs.exact)))
    return ["-o", "listen.tls=127.0.0.1:0", "-o", f"tls.cert={certs.main[0]}",
            "-o", f"tls.key={certs.main[1]}", "-o", f"tls.hosts=({hosts})",
            *more]


def body(size):
    return os.urandom(1024) * (size // 1024)


BIG = body(24 * MIB)
TABLE = {
    "/": lambda wire, request: reply("hello"),
    "/echo": echo,
    "/big": lambda wire, request: reply(BIG),
    "/sum": lambda wire, request: reply(
        hashlib.sha256(request.body).hexdigest()),
    "/raw": raw_echo,
}


def s_client(lab, port, *more):
    """What openssl s_client says of a connection."""
    done = lab.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}",
                    *more])
    return done.stdout + done.stderr


def versions(lab, certs, port):
    for option, version in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        with tap.case(f"openssl s_client speaks {version}"):
            said = s_client(lab, port, option, "-CAfile", certs.ca.cert,
                            "-verify_return_error", "-servername",
                            "id1.example.com")
            tap.like(said, rf"New, {version}|Protocol *: {version}", "version")
            tap.like(said, r"Verify return code: 0 \(ok\)", "verified")
    with tap.case("TLS 1.1 gets the alert protocol_version"):
        said = s_client(lab, port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        tap.like(said, "alert protocol version", "alert")
    with tap.case("RSA key exchange is not offered"):
        said = s_client(lab, port, "-tls1_2", "-cipher", "kRSA")
        tap.like(said, "alert handshake failure", "alert")


def names(certs, port):
    for name, pair in ((None, certs.main), ("other.test", certs.main),
                       ("id1.example.com", certs.main),
                       ("id1.example.org", certs.wild),
                       ("WWW.Example.org", certs.exact),
                       ("a.b.example.org", certs.main)):
        for version in (TLS12, TLS13):
            with tap.case(f"certificate for {name} in {version.name}"):
                context = anyone()
                context.maximum_version = version
                with dial(port, name, context) as wire:
                    tap.is_(seen(wire), fingerprint(pair[0]), "certificate")
                    tap.is_(wire.get().body, b"hello", "answer")


def protocols(certs, port):
    for offer, want in ((("http/1.1",), "http/1.1"), ((), None),
                        (("h2", "http/1.1"), "http/1.1"),
                        (("http/1.0",), "http/1.0")):
        with tap.case(f"ALPN {offer} becomes {want}"):
            with dial(port, "id1.example.com",
                      certs.ca.context(alpn=offer)) as wire:
                tap.is_(wire.sock.selected_alpn_protocol(), want, "protocol")
    with tap.case("ALPN h2 alone gets the alert no_application_protocol"):
        try:
            dial(port, "id1.example.com", certs.ca.context(alpn=("h2",)))
            tap.ok(False, "handshake fails")
        except ssl.SSLError as error:
            tap.like(str(error), "(?i)no.application.protocol", "alert")


def empty(server):
    """Waits until all who were there have gone."""
    until("all who were here before have gone", lambda: not any(
        r["connections"] for r in server.workers("tls")))


def resumption(server, certs, port):
    tap.ok(len(server.pids("tls")) > 1, "there are several workers")
    for version in (TLS12, TLS13):
        with tap.case(f"a {version.name} session resumes with each worker"):
            context = certs.ca.context(version, version)
            empty(server)
            first = dial(port, "id1.example.com", context)
            tap.is_(first.get().body, b"hello", "answer")
            session, wires = first.sock.session, [first]
            # Those that stay connected fill one worker after the other.
            for _ in range(4):
                wire = dial(port, "id1.example.com", context, session=session)
                wires.append(wire)
                tap.is_(wire.get().body, b"hello", "answer")
                tap.ok(wire.sock.session_reused, "resumed")
            used = {r["pid"] for r in server.workers("tls")
                    if int(r["connections"]) > 0}
            tap.is_(len(used), len(server.pids("tls")), "workers in use")
            for wire in wires:
                wire.close()


def bytes_pass(lab, port):
    with tap.case("X-Forwarded-Proto is https, and the peer is the user"):
        with dial(port, "id1.example.com") as wire:
            head = wire.get("/echo").body.decode().lower()
            tap.like(head, "x-forwarded-proto: https\r\n", "proto")
            tap.like(head, "x-forwarded-for: 127.0.0.1\r\n", "for")
    with tap.case("many requests on one connection"):
        with dial(port, "id1.example.com") as wire:
            for i in range(200):
                tap.like(wire.get(f"/echo?{i}").body.decode(),
                         rf"GET /echo\?{i} ", "answer")
    with tap.case("a head that comes byte by byte, each in a record"):
        with dial(port, "id1.example.com") as wire:
            for byte in b"GET / HTTP/1.1\r\nHost: id1\r\n" + b"X: y\r\n" * 60:
                wire.send(bytes([byte]))
            wire.send("\r\n")
            tap.is_(wire.response().body, b"hello", "answer")
    for version in ("1.2", "1.3"):
        path = lab.write("up", BIG)
        curl = ["curl", "-sk", "--http1.1", f"--tlsv{version}", "--tls-max",
                version, "--resolve", f"id1.example.com:{port}:127.0.0.1"]
        url = f"https://id1.example.com:{port}"
        with tap.case(f"curl: 24 MiB down and up in TLS {version}"):
            got = lab.path("down")
            done = lab.run([*curl, "-o", got, url + "/big"])
            tap.is_(done.returncode, 0, done.stderr)
            with open(got, "rb") as f:
                tap.ok(f.read() == BIG, "what came is what was sent")
            done = lab.run([*curl, "--data-binary", "@" + path, url + "/sum"])
            tap.is_(done.stdout, hashlib.sha256(BIG).hexdigest(), "checksum")
    with tap.case("the last answer comes whole, however late it is read"):
        with dial(port, "id1.example.com", rcvbuf=4096) as wire:
            wire.send("GET /big HTTP/1.1\r\nHost: id1\r\n"
                      "Connection: close\r\n\r\n")
            head = wire.head()
            tap.is_(head.status, 200, "status")
            left = len(BIG) - len(wire.buffer)
            wire.buffer = b""
            # All but what buffers hold; then longer than anybody lingers.
            while left > 600_000:
                left -= len(wire.sock.recv(65536))
            still(3)
            while left > 0:
                left -= len(wire.sock.recv(65536))
            tap.is_(wire.sock.recv(1), b"", "close_notify")


def ends(port):
    with tap.case("half-close: close_notify, and the answer comes"):
        half = Half(port, "id1.example.com")
        half.send(b"GET / HTTP/1.1\r\nHost: id1\r\n\r\n")
        half.notify()
        tap.ok(half.rest().endswith(b"hello"), "answer, then close_notify")
    with tap.case("half-close of an upgraded connection, 3 MiB later"):
        half = Half(port, "id1.example.com")
        half.send(b"GET /raw HTTP/1.1\r\nHost: id1\r\nConnection: Upgrade\r\n"
                  b"Upgrade: raw\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += half.read(1)
        for _ in range(96):
            data = os.urandom(MIB // 32)
            half.send(data)
            got = b""
            while len(got) < len(data):
                got += half.read()
            tap.ok(got == data, "echo")
        half.notify()
        tap.is_(half.rest(), b"", "close_notify comes back")


class Watcher:
    """A service that notes how its connections end."""

    def __init__(self, lab):
        self.how = []
        self.origin = lab.keep(Origin(self.talk))
        self.url = self.origin.url

    def talk(self, wire, _origin):
        target = wire.head().target
        wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                  "Upgrade: raw\r\n\r\n")
        if target == "/reset":
            wire.take(1)
            wire.reset()
        else:
            self.how.append(wire.ending())


def resets(port, watcher):
    for how, want, act in (
            ("a bare FIN", "reset", lambda h: h.raw.shutdown(socket.SHUT_WR)),
            ("RST", "reset", lambda h: Wire(h.raw).reset()),
            ("close_notify", "end", lambda h: h.notify())):
        with tap.case(f"{how} of the user is a {want} to the service"):
            half = Half(port, "watch.example.com")
            count = len(watcher.how)
            upgrade(half_wire(half), "watch.example.com")
            act(half)
            until("the service's end", lambda: len(watcher.how) > count)
            tap.is_(watcher.how[-1], want, "ending")
    with tap.case("a reset of the service is no close_notify to the user"):
        half = Half(port, "watch.example.com")
        upgrade(half_wire(half), "watch.example.com", "/reset")
        half.send(b"!")
        try:
            half.rest()
            tap.ok(False, "no clean end")
        except (EOFError, ConnectionResetError):
            pass


class half_wire:
    """The few calls of a Wire that upgrade() wants, over a Half."""

    def __init__(self, half):
        self.half = half

    def send(self, data):
        self.half.send(data.encode())

    def response(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.half.read(1)
        return head


def strangers(server, port):
    with tap.case("plain HTTP on that port is told so, in plain HTTP"):
        with connect(port) as wire:
            answer = wire.get()
            tap.is_(answer.status, 400, "status")
            tap.like(answer.body.decode(), "speaks HTTPS", "text")
    with tap.case("garbage gets an alert and the end"):
        with connect(port) as wire:
            wire.send(b"\x16\x03\x01\x00\x05hello")
            tap.is_(wire.sock.recv(1), b"\x15", "alert")
            tap.is_(wire.ending(), "end", "ending")
    with tap.case("a tunnel inside TLS is refused with a line"):
        mark = server.mark()
        with dial(port, "id1.example.com") as wire:
            wire.send(b"\x8eptp\x01\x01\x01\x00" + b"\x00" * 64)
            try:
                tap.is_(wire.sock.recv(1), b"", "end")
            except (ConnectionResetError, ssl.SSLError):
                pass
        server.wait_line("no tunnel is taken inside TLS", since=mark)


def slow(lab, certs, site):
    server = Ptpd(lab, *options(
        certs, "-o", "timeouts.handshake=6s", "-o", "timeouts.head=3s"))
    Ptp(lab, server, site.url)
    port = server.port_of("tls")
    with tap.case("300 that do not go on with their handshakes: others do"):
        idle = []
        for i in range(300):
            wire = connect(port, 60)
            wire.send(b"\x16\x03\x01\x02\x00\x01"[:1 + i % 6])
            idle.append(wire)
        with dial(port, "id1.example.com") as wire:
            tap.is_(wire.get().body, b"hello", "answer")
        for wire in idle:
            tap.ok(wire.ending() in ("reset", "end"), "ended in time")
            wire.close()
    with tap.case("half a request: 408; none: the end"):
        with dial(port, "id1.example.com") as wire:
            wire.send("GET / HTTP/1.1\r\nHost:")
            tap.is_(wire.response().status, 408, "status")
        with dial(port, "id1.example.com") as wire:
            tap.is_(wire.sock.recv(1), b"", "close_notify")
    server.stop()


def crowd(server, port):
    with tap.case("many handshakes in one turn of a worker's loop"):
        come = [connect(port).sock for _ in range(40)]
        ends = [anyone().wrap_socket(s, do_handshake_on_connect=False)
                for s in come]
        workers = server.pids("tls")
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            for end in ends:
                end.setblocking(False)
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    pass
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
        for end in ends:
            end.settimeout(60)
            end.do_handshake()
            end.close()


def deaths(server, port):
    empty(server)
    with tap.case("sign stands still: who is connected goes on, a handshake "
                  "fails in time, and works again later"):
        wires = [dial(port, "id1.example.com") for _ in range(4)]
        for wire in wires:
            wire.get()
        signers = server.pids("sign")
        for pid in signers:
            os.kill(pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            raw = connect(port, 60).sock
            result = []
            thread = threading.Thread(target=lambda: result.append(
                handshake(raw)))
            thread.start()
            while thread.is_alive():
                for wire in wires:
                    tap.is_(wire.get().body, b"hello", "answer")
            tap.like(str(result[0]), "(?i)internal.error", "alert")
            took = time.monotonic() - begun
            tap.diag(f"after {took:.2f} s")
            tap.ok(0.9 < took < 30, f"after a second, not a minute: {took}")
        finally:
            for pid in signers:
                os.kill(pid, signal.SIGCONT)
        with dial(port, "id1.example.com") as wire:
            tap.is_(wire.get().body, b"hello", "answer")
    with tap.case("sign dies: handshakes wait for the next one"):
        for pid in server.pids("sign"):
            os.kill(pid, signal.SIGKILL)
        with dial(port, "id1.example.com") as wire:
            tap.is_(wire.get().body, b"hello", "answer")
        for wire in wires:
            tap.is_(wire.get().body, b"hello", "who was connected")
    with tap.case("a tls worker dies: its own connections only"):
        victim = server.pids("tls")[0]
        os.kill(victim, signal.SIGKILL)
        until("it is dead", lambda: not proc.alive(victim))
        until("that is known", lambda: victim not in server.pids("tls"))
        alive = []

        def ask(wire):
            try:
                alive.append(wire.get().body == b"hello")
            except (OSError, Truncated):
                pass

        # A thread each: OpenSSL 3.5 has Python find the error of one
        # connection at the next one of the same thread.
        for wire in wires:
            thread = threading.Thread(target=ask, args=(wire,))
            thread.start()
            thread.join()
        tap.ok(all(alive) and 0 < len(alive) < len(wires),
               f"{len(alive)} of {len(wires)} live")
        with dial(port, "id1.example.com") as wire:
            tap.is_(wire.get().body, b"hello", "answer")


def handshake(raw):
    try:
        anyone().wrap_socket(raw, server_hostname="id1.example.com")
        return "done"
    except (ssl.SSLError, OSError) as error:
        return error


def memory(server, certs):
    """The private half of the EC key, as libcrypto holds it."""
    with tap.case("private keys are in the memory of sign alone"):
        from cryptography.hazmat.primitives import serialization
        with open(certs.main[1], "rb") as f:
            key = serialization.load_pem_private_key(f.read(), None)
        number = key.private_numbers().private_value.to_bytes(32, "big")
        needles = [number, number[::-1]]
        roles = {int(r["pid"]): r["role"] for r in server.workers()}
        roles[server.pid] = "master"
        for pid, role in roles.items():
            found = proc.holds(pid, needles)
            tap.is_(bool(found), role == "sign", role)


@tap.main
def run():
    with Lab() as lab:
        certs = Certs(lab)
        site = lab.keep(Origin(paths(TABLE)))
        with tap.case("without certificates there is no process for them"):
            server = Ptpd(lab)
            tap.is_({r["role"] for r in server.workers()} & {"tls", "sign"},
                    set(), "roles")
            server.stop()
        watcher = Watcher(lab)
        with tap.case("the client shows an address with https"):
            server = Ptpd(lab, *options(certs, "-o", "domain=example.com"))
            client = Ptp(lab, server, site.url)
            port = server.port_of("tls")
            client.wait_line(rf"https://id1\.example\.com:{port}$", "stdout")
            client.stop()
            server.stop()
        server = Ptpd(lab, *options(certs, "-o", "workers=2", "-o",
                                    "timeouts.handshake=60s"))
        Ptp(lab, server, site.url, f"{watcher.url},name=watch.example.com")
        port = server.port_of("tls")
        versions(lab, certs, port)
        names(certs, port)
        protocols(certs, port)
        resumption(server, certs, port)
        bytes_pass(lab, port)
        ends(port)
        resets(port, watcher)
        strangers(server, port)
        memory(server, certs)
        crowd(server, port)
        deaths(server, port)
        slow(lab, certs, site)
        with tap.case("the test's own services had no trouble"):
            tap.is_(site.errors + watcher.origin.errors, [], "errors")
