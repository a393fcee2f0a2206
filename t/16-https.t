#!/usr/bin/python3
"""https:// services: verified, ended as TLS ends, by a confined process."""

import os
import signal
import socket
import ssl
import threading

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, until
from lib.web import self_signed
from lib.wire import connect, eventually, get

BIG = os.urandom(3 << 20)


class Secure:
    """An HTTP service over TLS whose end the test decides about."""

    def __init__(self, lab, cert, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.heads, self.endings = [], []
        lab.keep(self)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.sock.close()

    def _accept(self):
        while True:
            try:
                raw, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,),
                             daemon=True).start()

    def _serve(self, raw):
        try:
            with self.context.wrap_socket(
                    raw, server_side=True, suppress_ragged_eofs=False) as s:
                self._talk(s)
        except OSError as error:  # of TLS, too
            self.endings.append(error)

    def _talk(self, s):
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                data = s.recv(4096)
                if not data:
                    self.endings.append("clean")
                    return
                head += data
            self.heads.append(head)
            path = head.split()[1]
            if path == b"/big":
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                          % len(BIG) + BIG)
            elif path == b"/echo":
                length = int(head.lower().split(b"content-length:")[1]
                             .split()[0])
                body = head.split(b"\r\n\r\n", 1)[1]
                while len(body) < length:
                    body += s.recv(65536)
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                          % length + body)
            elif path == b"/cut":  # a bare FIN, in the middle of nothing
                s.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
                s.detach_and_close = socket.socket(fileno=s.detach())
                s.detach_and_close.close()
                return
            elif path == b"/whole":
                s.sendall(b"HTTP/1.1 200 OK\r\n\r\nall of it")
                s.unwrap().close()
                return
            else:
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def service(lab, server, name, url, *options, user="id1:secret1"):
    return Ptp(lab, server, ",".join((url, f"name={name}") + options),
               user=user)


def verified(lab, server, secure, certs):
    port, good, other = server.port, certs["good"][0], certs["other"][0]

    with tap.case("loopback: not verified, it serves"):
        client = service(lab, server, "plain", secure.url)
        tap.is_(get(port, host="plain").status, 200, "status")
        client.stop()
    with tap.case("tls_ca: the right one by its address"):
        client = service(lab, server, "good", secure.url, f"tls_ca={good}")
        tap.is_(get(port, host="good").status, 200, "status")
        client.stop()
    with tap.case("tls_ca and tls_name: by its name"):
        client = service(lab, server, "name", secure.url, f"tls_ca={good}",
                         "tls_name=good.example.com")
        tap.is_(get(port, host="name").status, 200, "status")
        client.stop()
    for what, options, why in (
            ("another's certificate", (f"tls_ca={other}",),
             "self.signed|verif|issuer"),
            ("another name", (f"tls_ca={good}", "tls_name=bad.example.com"),
             "mismatch")):
        with tap.case(f"{what}: 502, the client's log says why"):
            client = service(lab, server, "bad", secure.url, *options)
            before = len(secure.heads)
            tap.is_(get(port, host="bad").status, 502, "status")
            client.wait_line(why)
            tap.is_(len(secure.heads), before, "no request came there")
            client.stop()
    with tap.case("tls_insecure: whoever it is"):
        client = service(lab, server, "any", secure.url, f"tls_ca={other}",
                         "tls_insecure=true")
        tap.is_(get(port, host="any").status, 200, "status")
        client.stop()
    with tap.case("a tls_ca that is not there: 502, the log names it"):
        client = service(lab, server, "none", secure.url,
                         "tls_ca=/no/such/file")
        client.wait_line("/no/such/file")
        tap.is_(get(port, host="none").status, 502, "status")
        client.stop()


def carried(lab, server, secure):
    port = server.port
    client = service(lab, server, "s", secure.url)
    with tap.case("many requests on one connection, and a big file"):
        with connect(port) as wire:
            for _ in range(50):
                tap.is_(wire.get("/", host="s").body, b"ok", "body")
            tap.ok(wire.get("/big", host="s").body == BIG, "big file")
    with tap.case("a big body upwards"):
        with connect(port) as wire:
            wire.send(f"POST /echo HTTP/1.1\r\nHost: s\r\nContent-Length: "
                      f"{len(BIG)}\r\n\r\n")
            threading.Thread(target=lambda: wire.send(BIG)).start()
            tap.ok(wire.response().body == BIG, "the same came back")
    with tap.case("close_notify is a clean end"):
        with connect(port) as wire:
            wire.send("GET /whole HTTP/1.1\r\nHost: s\r\n\r\n")
            tap.is_(wire.head().start, "HTTP/1.1 200 OK", "answer")
            tap.is_((wire.take(9), wire.ending()), (b"all of it", "end"),
                    "end")
    with tap.case("a bare FIN is a cut: the user sees no clean end"):
        with connect(port) as wire:
            wire.send("GET /cut HTTP/1.1\r\nHost: s\r\n\r\n")
            tap.is_(wire.head().start, "HTTP/1.1 200 OK", "answer")
            tap.is_((wire.take(10), wire.ending()), (b"half of it", "reset"),
                    "end")
    with tap.case("a user who goes away is gone at the service, too"):
        with connect(port) as wire:
            wire.get("/", host="s")
            before = len(secure.endings)
            wire.reset()
            until("the end", lambda: len(secure.endings) > before)
    with tap.case("nobody listens: 502, the log says refused"):
        client2 = service(lab, server, "dead",
                          f"https://127.0.0.1:{free_port()}",
                          user="id2:secret2")
        tap.is_(get(port, host="dead").status, 502, "status")
        client2.wait_line("refused")
        client2.stop()
    with tap.case("no TLS spoken there: 502, the log says so"):
        client2 = service(lab, server, "clear", "https://127.0.0.1:"
                          f"{port}", user="id2:secret2")
        tap.is_(get(port, host="clear").status, 502, "status")
        client2.wait_line("TLS")
        client2.stop()
    return client


def confined(server, client):
    def tls():
        return [p for p in proc.children(client.pid)
                if proc.name(p) == "ptp-tls"]

    with tap.case("the process is not root, filtered, without new privileges"):
        s = proc.status(tls()[0])
        tap.ok(os.geteuid() != 0 or 0 not in s["Uid"], f"{s['Uid']}")
        tap.is_((s["Seccomp"], s["NoNewPrivs"]), ("2", "1"), "status")
    with tap.case("killed: its users see a reset, the next are served"):
        with connect(server.port) as wire:
            wire.get("/", host="s")
            os.kill(tls()[0], signal.SIGKILL)
            tap.ok(wire.ending() in ("end", "reset"), "ending")
        tap.is_(eventually(server.port, 200, host="s").status, 200, "status")


@tap.main
def run():
    with Lab() as lab:
        certs = {
            "good": self_signed(
                lab, "good", "DNS:good.example.com,IP:127.0.0.1"),
            "other": self_signed(lab, "other", "DNS:other.example.com"),
        }
        server = Ptpd(lab, "-u", "id2:secret2")
        secure = Secure(lab, *certs["good"])
        verified(lab, server, secure, certs)
        confined(server, carried(lab, server, secure))
