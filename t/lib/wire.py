"""HTTP/1 over a raw socket, for both ends: every byte is the test's own."""

import errno
import fcntl
import select
import socket
import struct
import termios
import time

from .lab import DEADLINE, TICK, until

SIOCOUTQ = termios.TIOCOUTQ
CHUNK = 65536


class Truncated(Exception):
    """The connection ended cleanly inside a message."""


class Message:
    """A request or response: first line, headers in order, body."""

    def __init__(self, raw):
        self.raw = raw
        lines = raw.decode("latin-1").split("\r\n")
        self.start = lines[0]
        self.headers = []
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(":")
                self.headers.append((name, value.strip()))
        self.body, self.trailers, self.informational = b"", [], []

    @property
    def status(self):
        return int(self.start.split()[1])

    @property
    def method(self):
        return self.start.split()[0]

    @property
    def target(self):
        return self.start.split()[1]

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default


class Wire:
    """A connected socket with a read buffer."""

    def __init__(self, sock, timeout=DEADLINE):
        self.sock, self.buffer = sock, b""
        sock.settimeout(timeout)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        """All of it; the timeout is for each bit of progress."""
        rest = memoryview(data.encode("latin-1")
                          if isinstance(data, str) else data)
        while rest:
            rest = rest[self.sock.send(rest):]

    def send_split(self, data, *places):
        """Sends in pieces that the peer's kernel has one after the other."""
        data = data.encode("latin-1") if isinstance(data, str) else data
        last = 0
        for place in list(places) + [len(data)]:
            self.send(data[last:place])
            last = place
            self.drained()
            time.sleep(0.001)

    def drained(self):
        """Waits until the peer's kernel has acknowledged everything, or has
        reset the connection: then it acknowledges nothing more."""
        poll = select.poll()
        poll.register(self.sock, 0)
        until("acknowledged", lambda: self.unsent() == 0 or poll.poll(0))

    def unsent(self):
        """Bytes that the peer's kernel has not acknowledged."""
        reply = fcntl.ioctl(self.sock, SIOCOUTQ, struct.pack("i", 0))
        return struct.unpack("i", reply)[0]

    def shut(self):
        """Half-close: no more from here (unless the peer has reset it)."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise

    def reset(self):
        """Closes with RST."""
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def was_reset(self, deadline=DEADLINE):
        """True once the peer's RST is here, without reading its bytes."""
        poll = select.poll()
        poll.register(self.sock, 0)
        return bool(poll.poll(deadline * 1000)) and \
            self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0

    def fill(self):
        """Reads once into the buffer; False at the clean end."""
        data = self.sock.recv(CHUNK)
        self.buffer += data
        return bool(data)

    def take(self, count):
        """Exactly count bytes."""
        parts, have = [self.buffer[:count]], min(count, len(self.buffer))
        self.buffer = self.buffer[count:]
        while have < count:
            data = self.sock.recv(min(CHUNK, count - have))
            if not data:
                raise Truncated(f"{have} of {count} bytes")
            parts.append(data)
            have += len(data)
        return b"".join(parts)

    def upto(self, mark):
        """Everything up to and with mark; None at a clean end before it."""
        while mark not in self.buffer:
            if not self.fill():
                if self.buffer:
                    raise Truncated(f"in {self.buffer[:200]!r}")
                return None
        end = self.buffer.index(mark) + len(mark)
        data, self.buffer = self.buffer[:end], self.buffer[end:]
        return data

    def rest(self):
        """Everything until the clean end."""
        while self.fill():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def ending(self):
        """How the connection ends now: "end", "reset", or "open"."""
        try:
            while self.fill():
                pass
            return "end"
        except (ConnectionResetError, BrokenPipeError):
            return "reset"
        except TimeoutError:
            return "open"

    def head(self):
        raw = self.upto(b"\r\n\r\n")
        return None if raw is None else Message(raw)

    def _chunked(self, message):
        parts = []
        while True:
            size = int(self.upto(b"\r\n").split(b";")[0], 16)
            if size == 0:
                break
            parts.append(self.take(size))
            if self.take(2) != b"\r\n":
                raise Truncated("chunk without its line end")
        while True:
            line = self.upto(b"\r\n")
            if line == b"\r\n":
                break
            name, _, value = line.decode("latin-1").partition(":")
            message.trailers.append((name, value.strip()))
        message.body = b"".join(parts)

    def request(self):
        """The next request with its body; None at a clean end."""
        message = self.head()
        if message is None:
            return None
        if message.get("Expect", "").lower() == "100-continue":
            self.send("HTTP/1.1 100 Continue\r\n\r\n")
        if message.get("Transfer-Encoding"):
            self._chunked(message)
        else:
            message.body = self.take(int(message.get("Content-Length", 0)))
        return message

    def response(self, method="GET"):
        """The final response with its body, after any 1xx."""
        informational = []
        while True:
            message = self.head()
            if message is None:
                raise Truncated("no answer")
            if message.status == 101 or message.status >= 200:
                break
            informational.append(message)
        message.informational = informational
        if method == "HEAD" or message.status in (101, 204, 304):
            return message
        if message.get("Transfer-Encoding"):
            self._chunked(message)
        elif message.get("Content-Length") is not None:
            message.body = self.take(int(message.get("Content-Length")))
        else:
            message.body = self.rest()
        return message

    def get(self, target="/", host="id1", headers="", method="GET"):
        """One request and its answer."""
        self.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n"
                  f"{headers}\r\n")
        return self.response(method)


def connect(port, timeout=DEADLINE, host="127.0.0.1", rcvbuf=0):
    """A user's connection to a port."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if rcvbuf:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    sock.settimeout(timeout)
    sock.connect((host, port))
    return Wire(sock, timeout)


def get(port, target="/", host="id1", headers="", timeout=DEADLINE):
    """One request on a connection of its own."""
    with connect(port, timeout) as wire:
        return wire.get(target, host, headers)


def eventually(port, status, target="/", host="id1", deadline=DEADLINE):
    """Asks until the answer has that status; returns it."""
    def probe():
        try:
            answer = get(port, target, host)
        except (OSError, Truncated):
            return None
        return answer if answer.status == status else None

    return until(f"{status} from {host}{target}", probe, deadline)


def still(seconds):
    """Lets that much time pass: for what must not happen meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(TICK)
