#!/usr/bin/python3
"""An independent implementation logs in, serves a user, and misbehaves."""

import base64
import os
import select
import socket
import struct
import threading
import time

from lib import peer, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import DEADLINE, Lab, until
from lib.origin import Origin, paths, reply
from lib.peer import Client, Impostor, Refused
from lib.wire import Truncated, Wire, connect, get

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
          b"Upgrade: raw\r\n\r\n")
# What may come for streams that were there before.
OLD = (peer.PING, peer.CREDIT, peer.FIN, peer.RESET, peer.DATA)
QUIET = 0.6  # seconds in which a frame would have come


class User(threading.Thread):
    """Asks for a page in a thread."""

    def __init__(self, port, host, body=b""):
        super().__init__(daemon=True)
        self.port, self.host, self.body = port, host, body
        self.answer = self.error = None
        self.asked = threading.Event()
        self.start()

    def run(self):
        try:
            with connect(self.port) as wire:
                wire.send(f"POST / HTTP/1.1\r\nHost: {self.host}\r\n"
                          f"Content-Length: {len(self.body)}\r\n\r\n")
                try:
                    wire.send(self.body)
                except ConnectionError:
                    pass
                self.asked.set()
                self.answer = wire.response()
        except (OSError, Truncated) as error:
            self.error = error

    def result(self):
        self.join(2 * DEADLINE)
        return self.answer or self.error


class Slow(Wire):
    """Sends each byte by itself."""

    def send(self, data):
        for byte in data:
            super().send(bytes([byte]))
            self.drained()


def upgraded(client, port):
    """A user's connection that has switched protocols: user, stream."""
    user = connect(port, rcvbuf=4096)
    user.send("GET / HTTP/1.1\r\nHost: id1\r\nConnection: upgrade\r\n"
              "Upgrade: raw\r\n\r\n")
    stream, _ = client.expect(peer.OPEN)
    client.frame(stream, peer.OPENED)
    client.expect(peer.DATA)
    client.frame(stream, peer.DATA, SWITCH)
    tap.is_(user.head().status, 101, "status")
    return user, stream


def silent(client, kind):
    """No frame of that kind comes; what has begun to come is read whole."""
    end = time.monotonic() + QUIET
    while client.plain or select.select(
            [client.wire.sock], [], [], max(0, end - time.monotonic()))[0]:
        if client.read_frame()[1] == kind:
            return False
    return True


def serve_one(client, port, host):
    """The whole life of a stream, as a good client has it."""
    user = User(port, host)
    stream, opened = client.expect(peer.OPEN, ignore=OLD)
    tap.is_((stream % 2, stream > 0), (0, True), "stream id")
    tap.is_(len(opened), 45, "bytes of OPEN")
    client.frame(stream, peer.OPENED)
    got, data = client.expect(
        peer.DATA, ignore=(peer.PING, peer.CREDIT, peer.FIN, peer.RESET))
    tap.is_(got, stream, "stream of the data")
    tap.like(data.decode(), r"\APOST / HTTP/1\.1\r\n", "request")
    client.frame(stream, peer.DATA, ANSWER)
    answer = user.result()
    tap.is_((answer.status, answer.body), (200, b"hello"), "user")
    return stream


def good(server):
    for cipher, name in peer.CIPHERS.items():
        with tap.case(f"login by secret, {name.decode()}: a user is served"):
            client = Client(server.port, cipher=cipher)
            tap.ok(client.verified, "the server proved the secret")
            tap.is_(base64.urlsafe_b64encode(client.server).rstrip(b"="),
                    server.key().encode(), "its key")
            tap.ok(client.ciphers >> cipher & 1, "the cipher was offered")
            granted = client.services()
            tap.like(granted.decode("latin-1"), "id1", "grant")
            serve_one(client, server.port, "id1")
            client.wire.close()
    with tap.case("login by key"):
        client = Client(server.port, "kate", method=peer.BY_KEY,
                        key=server.kate.private.data)
        client.services()
        serve_one(client, server.port, "kate")
        client.wire.close()
    with tap.case("byte by byte"):
        client = Client(server.port, wire=Slow(connect(server.port).sock))
        client.services()
        serve_one(client, server.port, "id1")
        client.wire.close()
    with tap.case("PING is answered with its bytes"):
        client = Client(server.port)
        client.frame(0, peer.PING, b"12345678")
        tap.is_(client.expect(peer.PONG)[1], b"12345678", "PONG")
    with tap.case("two of them have a key and nonces of their own"):
        other = Client(server.port, ident="id2", secret="secret2")
        tap.ok(other.session != client.session, "hashes")
        other.wire.close()
        client.wire.close()


def refused(server):
    def code(**kw):
        try:
            Client(server.port, **kw).wire.close()
        except Refused as error:
            return error.args[0]
        return 0

    with tap.case("wrong secret: refused, the server's proof does not verify"):
        tap.is_(code(secret="wrong"), peer.WRONG_SECRET, "code")
    with tap.case("a forged confirmation is refused"):
        tap.is_(code(confirm=bytes([peer.CONFIRM]) + os.urandom(64)),
                peer.WRONG_SECRET, "code")
        good_one = Client(server.port)
        good_one.wire.close()
    with tap.case("unknown id, or the wrong method: refused with the reason"):
        tap.is_(code(ident="nobody"), peer.UNKNOWN_ID, "id")
        tap.is_(code(ident="kate"), peer.NEED_KEY, "method")
        good_one = Client(server.port)
        good_one.wire.close()
        tap.is_(code(ident="kate", method=peer.BY_KEY), peer.WRONG_KEY, "key")
        tap.is_(code(method=peer.BY_KEY), peer.NEED_SECRET, "method")
        good_one = Client(server.port)
        good_one.wire.close()
    with tap.case("a recorded login logs in as nobody"):
        recorded = Client(server.port)
        recorded.wire.close()
        until("its own tunnel is gone", lambda: not [
            r for r in server.show_json("tunnels") if r["client"] == "id1"])
        with connect(server.port) as wire:
            try:
                for data in recorded.sent:
                    wire.send(data)
            except ConnectionError:
                pass  # closed before it was all sent
            tap.ok(peer.ends(wire) in ("end", "reset"), "closed")
        tap.ok(not [r for r in server.show_json("tunnels")
                    if r["client"] == "id1"], "no tunnel")
    with tap.case("an unknown version: the range, then the end"):
        with connect(server.port) as wire:
            wire.send(peer.preface(low=7, high=9) + bytes(100))
            tap.is_(wire.take(6), peer.MAGIC + b"\x01\x01", "range")
            tap.ok(peer.ends(wire) in ("end", "reset"), "closed")
    with tap.case("a changed preface: no handshake succeeds"):
        try:
            client = Client(server.port, first=peer.preface(low=1, high=2))
            client.wire.close()
            client.noise = None
        except (Refused, Truncated, OSError):
            tap.ok(False, "a range that holds our version is fine")
        with connect(server.port) as wire:
            wire.send(peer.preface(high=3))
            end = peer.End(wire)
            state = peer.noise(True, b"ptp1" + peer.preface() + b"\0",
                               peer.key_pair())
            out = bytearray()
            state.write_message(b"", out)
            end.blob(bytes(out))
            try:
                state.read_message(end.read_blob(), bytearray())
                tap.ok(False, "the handshake went through")
            except tap.Failure:
                raise
            except Exception:
                pass
    with tap.case("a ticket that nobody issued is closed silently"):
        with connect(server.port) as wire:
            wire.send(peer.preface(kind=peer.TICKET, ticket=os.urandom(16))
                      + os.urandom(64))
            tap.ok(peer.ends(wire) in ("end", "reset"), "closed")
            tap.is_(wire.buffer, b"", "bytes")


def truncated(server):
    with tap.case("handshakes cut anywhere leave no trace"):
        whole = Client(server.port)
        whole.wire.close()
        text = b"".join(whole.sent)
        for size in list(range(0, len(text), 7)) + [len(text) - 1]:
            with connect(server.port) as wire:
                wire.send(text[:size])
                wire.shut()
                tap.ok(peer.ends(wire) in ("end", "reset"), f"{size} bytes")
        until("no tunnels", lambda: not server.show_json("tunnels"))
    with tap.case("what is no preface of ours is closed, and logged"):
        for data, what in ((peer.MAGIC[:2], "garbage"),
                           (peer.MAGIC + b"\1\1\7\0", "garbage"),
                           (b"\0" * 100, "garbage|Bad Request"),
                           (peer.MAGIC + b"\7\x09\1\0", "no version")):
            with connect(server.port) as wire:
                since = server.mark()
                wire.send(data)
                wire.shut()
                tap.ok(peer.ends(wire) in ("end", "reset"), f"{data}")
            server.wait_line(what, since=since)
    with tap.case("garbage at every step of a handshake is closed"):
        for step in range(1, len(whole.sent) + 1):
            for junk in (bytes(2), b"\xff" * 2000, b"\0\x20" + os.urandom(32),
                         b"\x04\x00" + os.urandom(1024)):
                with connect(server.port) as wire:
                    try:
                        for data in whole.sent[:step]:
                            wire.send(data)
                        wire.send(junk)
                        wire.shut()
                    except ConnectionError:
                        pass
                    tap.ok(peer.ends(wire) in ("end", "reset"), f"{step}")
    with tap.case("the next one logs in"):
        Client(server.port).wire.close()


def violations(server):
    """Each must end the tunnel, and cost nobody else anything."""
    def dead(what, act, ready=False):
        with tap.case(f"{what} ends the tunnel"):
            client = Client(server.port)
            client.services()
            stream = 0
            if ready:
                user = User(server.port, "id1", bytes(200_000))
                stream, _ = client.expect(peer.OPEN)
                client.frame(stream, peer.OPENED)
            mark = server.mark()
            try:
                act(client, stream)
            except ConnectionError:
                pass  # it was dead before the last of several frames
            tap.ok(peer.ends(client.wire) in ("end", "reset"), "closed")
            server.wait_line("id1|tunnel", since=mark)
            if ready:
                result = user.result()
                tap.ok(not isinstance(result, type(None)), "the user is told")
                tap.ok(getattr(result, "status", 502) in (502, 503, 504),
                       f"{result}")
            tap.is_(get(server.port, host="id2").status, 200, "another's")

    number = struct.Struct(">I").pack
    dead("a frame for a stream never opened",
         lambda c, s: c.frame(1000, peer.DATA, b"x"))
    dead("a frame of an odd stream never opened",
         lambda c, s: c.frame(7, peer.RESET, b"\x01"))
    dead("OPEN from the client", lambda c, s: c.frame(1, peer.OPEN, bytes(45)))
    dead("a type that does not exist", lambda c, s: c.frame(0, 99))
    dead("GRANTED from the client",
         lambda c, s: c.frame(0, peer.GRANTED, bytes(6)))
    dead("a frame longer than a record",
         lambda c, s: c.frame(0, peer.PING, bytes(8), length=1 << 20))
    dead("a PING of another length",
         lambda c, s: c.frame(0, peer.PING, bytes(7)))
    dead("malformed SERVICES",
         lambda c, s: c.frame(0, peer.SERVICES, b"\xff" * 40))
    dead("a bad tag", lambda c, s: c.wire.send(
        struct.pack(">H", 40) + os.urandom(40)))
    dead("a record of length 0", lambda c, s: c.wire.send(bytes(2)))
    dead("a record that is too long", lambda c, s: c.wire.send(
        struct.pack(">H", 16385) + bytes(16385)))
    dead("an empty DATA", lambda c, s: c.frame(s, peer.DATA), ready=True)
    dead("zero credit", lambda c, s: c.frame(s, peer.CREDIT, number(0)),
         ready=True)
    dead("credit above 2^30", lambda c, s: [
        c.frame(s, peer.CREDIT, number(1 << 29)) for _ in range(4)],
        ready=True)
    dead("a signed overflow of credit", lambda c, s: c.frame(
        s, peer.CREDIT, number(0xffffffff)), ready=True)
    for what, frames in (
            ("DATA beyond credit", [(peer.DATA, bytes(16000))] * 1000),
            ("DATA after FIN", [(peer.FIN, b""), (peer.DATA, b"x")])):
        with tap.case(f"{what} ends the tunnel, the user is reset"):
            client = Client(server.port)
            client.services()
            user, stream = upgraded(client, server.port)
            try:
                for kind, payload in frames:
                    client.frame(stream, kind, payload)
            except ConnectionError:
                pass
            tap.ok(peer.ends(client.wire) in ("end", "reset"), "closed")
            tap.ok(user.ending() == "reset" or user.was_reset(), "the user")


def credit(server):
    with tap.case("a sender never exceeds the credit it was given"):
        client = Client(server.port)
        client.services()
        user = User(server.port, "id1", bytes(500_000))
        stream, _ = client.expect(peer.OPEN)
        client.frame(stream, peer.OPENED)

        def drain(want):
            """So many bytes, and then none."""
            while want > 0:
                want -= len(client.expect(peer.DATA)[1])
            return want == 0 and silent(client, peer.DATA)

        tap.ok(drain(peer.WINDOW), "bytes before any credit")
        for step in (1, 1000, 20_000):
            client.frame(stream, peer.CREDIT, struct.pack(">I", step))
            tap.ok(drain(step), f"after credit of {step}")
    with tap.case("RESET of a stream: the user learns of it, the tunnel stays"):
        client.frame(stream, peer.RESET, b"\x01")
        tap.ok(user.result() is not None, "told")
        client.wire.sock.settimeout(DEADLINE)
        serve_one(client, server.port, "id1")
    with tap.case("a frame for a closed stream is dropped"):
        client.frame(stream, peer.DATA, b"late")
        client.frame(stream, peer.CREDIT, struct.pack(">I", 5))
        client.frame(stream, peer.FIN)
        client.frame(stream, peer.RESET, b"\x01")
        serve_one(client, server.port, "id1")
    with tap.case("RESET(refused) before OPENED: 502"):
        user = User(server.port, "id1")
        stream, _ = client.expect(peer.OPEN, ignore=OLD)
        client.frame(stream, peer.RESET, b"\x02")
        tap.is_(user.result().status, 502, "status")
    with tap.case("at most 128 streams wait to be accepted"):
        users = [User(server.port, "id1") for _ in range(140)]
        opens = 0
        while opens < 128:
            _, kind, _ = client.read_frame()
            opens += kind == peer.OPEN
        for user in users:
            tap.ok(user.asked.wait(DEADLINE), "each user has asked")
        tap.ok(silent(client, peer.OPEN), "no more of them")
        client.wire.close()
        for user in users:
            tap.ok(user.result() is not None, "each user is told")


def impostors(lab, site):
    with tap.case("an impostor learns nothing: exit 3, nothing remembered"):
        listener = socket.create_server(("127.0.0.1", 0))
        seen = []

        def play():
            sock, _ = listener.accept()
            try:
                seen.append(Impostor(sock, b"a guess"))
            except Exception as error:
                seen.append(error)

        threading.Thread(target=play, daemon=True).start()
        port = listener.getsockname()[1]
        client = Ptp(lab, None, site.url, wait=False,
                     address=f"tcp://id1:sesame@127.0.0.1:{port}")
        tap.is_(client.wait_exit(), 3, client.log())
        tap.like(client.log(), "wrong secret, or not your server", "log")
        until("it was played", lambda: seen)
        tap.is_(seen[0].answer[:1], bytes([peer.ABORT]), "the last word")
        tap.ok(b"sesame" not in seen[0].login, "the secret was not sent")
        tap.ok(not os.path.exists(client.known), "known_servers")
        listener.close()
    with tap.case("a server that talks garbage, or nothing: said, tried again"):
        for data in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 2000, b"",
                     peer.MAGIC + b"\x07\x09"):
            listener = socket.create_server(("127.0.0.1", 0))

            def talk(data=data, listener=listener):
                while True:
                    try:
                        sock, _ = listener.accept()
                    except OSError:
                        return
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)

            threading.Thread(target=talk, daemon=True).start()
            port = listener.getsockname()[1]
            client = Ptp(lab, None, site.url, wait=False,
                         address=f"tcp://id1:sesame@127.0.0.1:{port}")
            client.wait_line(r"warn|error")
            client.stop()
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@tap.main
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        kate = peer.key_pair()
        public = base64.urlsafe_b64encode(kate.public.data).rstrip(b"=")
        conf = lab.write("ptpd.conf", 'users = ( { id = "kate"; key = "%s"; }'
                         ' );\n' % public.decode())
        options = ("-o", "timeouts.park=0", "-o", "timeouts.handshake=10m")
        server = Ptpd(lab, "-f", conf, *options,
                      users=("id1:secret1", "id2:secret2"))
        server.kate = kate
        Ptp(lab, server, site.url, user="id2:secret2")
        good(server)
        refused(server)
        server = Ptpd(lab, *options, users=("id1:secret1", "id2:secret2"))
        truncated(server)
        Ptp(lab, server, site.url, user="id2:secret2")
        pids = [server.pids(r) for r in ("http", "relay", "keys", "auth")]
        violations(server)
        credit(server)
        with tap.case("no worker has died of any of it"):
            tap.is_([server.pids(r) for r in ("http", "relay", "keys",
                                              "auth")], pids, "pids")
        impostors(lab, site)
