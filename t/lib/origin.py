"""Services of the test's own: whatever nginx cannot be made to answer."""

import os
import socket
import threading

from .lab import free_port
from .wire import Truncated, Wire


CLOSE = b"\r\nConnection: close\r\n"


class Origin:
    """Runs talk(wire, origin) in a thread for each connection it accepts.

    What talk appends to .seen is for the test to look at; what it raises,
    but for the peer's going away, is in .errors.
    """

    def __init__(self, talk, unix=None, backlog=512):
        self.talk, self.seen, self.errors = talk, [], []
        self.connections = 0
        self.open = []
        if unix:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(unix)
            os.chmod(unix, 0o777)
            self.port, self.url = None, "unix:" + unix
        else:
            self.sock = socket.socket()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.port = free_port()
            self.sock.bind(("127.0.0.1", self.port))
            self.url = f"http://127.0.0.1:{self.port}"
        self.sock.listen(backlog)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            self.connections += 1
            wire = Wire(sock, 600)
            self.open.append(wire)
            threading.Thread(
                target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire):
        try:
            self.talk(wire, self)
        except (Truncated, ConnectionError, OSError) as error:
            self.seen.append(type(error).__name__)
        except Exception as error:
            self.errors.append(error)
        finally:
            if wire in self.open:
                self.open.remove(wire)
            wire.close()

    def close(self):
        """Stops listening (connections go on): the port is dead then."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def fixed(answer):
    """Answers the first request with these bytes, then closes."""
    def talk(wire, origin):
        request = wire.request()
        if request is None:
            return
        origin.seen.append(request)
        wire.send(answer)
        wire.shut()
        wire.ending()

    return talk


def paths(table, default=None):
    """Keep-alive server: table[path](wire, request) answers.

    An answerer returns bytes to send, or None when it sent them itself, or
    False to end the connection.
    """
    def talk(wire, origin):
        while True:
            request = wire.request()
            if request is None:
                origin.seen.append("end")
                return
            origin.seen.append(request)
            path = request.target.split("?")[0]
            answer = table.get(path, default)(wire, request)
            if answer is False:
                return
            last = request.get("Connection", "").lower() == "close"
            if answer:
                wire.send(answer.replace(b"\r\n", CLOSE, 1)
                          if last else answer)
            if last:
                return

    return talk


def reply(body, status="200 OK", headers=""):
    """A whole answer with its length."""
    body = body.encode() if isinstance(body, str) else body
    return (f"HTTP/1.1 {status}\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def echo(wire, request):
    """An answerer: the request's head as it came, then its body."""
    return reply(request.raw + request.body)


def raw_echo(wire, request):
    """An answerer: switches protocols, then gives every byte back."""
    wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
              "Upgrade: raw\r\n\r\n")
    data, wire.buffer = wire.buffer, b""
    while True:
        if data:
            wire.sock.sendall(data)
        data = wire.sock.recv(65536)
        if not data:
            break
    wire.shut()
    wire.ending()
    return False


def upgrade(wire, host="id1", target="/raw", protocol="raw"):
    """The user's side of raw_echo; returns the 101."""
    wire.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n"
              f"Connection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n")
    return wire.response()
