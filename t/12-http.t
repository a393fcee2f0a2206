#!/usr/bin/python3
"""HTTP/1 in all its forms goes through as it is, request by request."""

import os
import threading

from lib import origin, tap, websocket
from lib.daemons import Ptp, Ptpd
from lib.lab import DEADLINE, Lab
from lib.origin import Origin, paths, reply
from lib.web import Nginx, page, self_signed
from lib.wire import connect, get

BIG = os.urandom(300_000)
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")


def chunked(wire, request):
    wire.send("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n"
              "Transfer-Encoding: chunked\r\n\r\n")
    wire.send(b"5;ext=1\r\nhello\r\n00a\r\n0123456789\r\n")
    for start in range(0, len(BIG), 7001):
        part = BIG[start:start + 7001]
        wire.send(b"%X\r\n%s\r\n" % (len(part), part))
    return b"0\r\nX-Sum: 1234\r\nX-More: yes\r\n\r\n"


def trailers(wire, request):
    return reply(repr(request.trailers) + "|" + request.body.decode())


def hints(wire, request):
    wire.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
    wire.send("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
              "Link: </b.css>\r\n\r\n")
    return reply("done")


def till_close(wire, request):
    wire.send(b"HTTP/1.1 200 OK\r\nX-Kind: close\r\n\r\n" + BIG)
    wire.shut()
    wire.ending()
    return False


EVENTS = threading.Semaphore(0)


def events(wire, request):
    wire.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
              "Transfer-Encoding: chunked\r\n\r\n")
    for number in range(3):
        wire.send(b"9\r\ndata: %d\n\n\r\n" % number)
        EVENTS.acquire(timeout=DEADLINE)
    return b"0\r\n\r\n"


def switch_and_talk(wire, request):
    """Says its first bytes behind the 101, in the same write."""
    wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
              "Upgrade: raw\r\n\r\nHTTP/1.1 200 not http\r\nGET / \0\xff")
    wire.send(wire.take(5))
    return False


TABLE = {
    "/": lambda wire, request: reply("root"),
    "/chunked": chunked,
    "/trailers": trailers,
    "/hints": hints,
    "/close": till_close,
    "/events": events,
    "/ws": websocket.echo_server,
    "/talk": switch_and_talk,
    "/big": lambda wire, request: reply(BIG),
    "/head": lambda wire, request:
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    "/204": lambda wire, request: b"HTTP/1.1 204 No Content\r\n\r\n",
    "/304": lambda wire, request:
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n",
    "/empty": lambda wire, request: reply(""),
    "/bye": lambda wire, request: (
        wire.send(reply("bye", headers="Connection: close\r\n")), False)[1],
    "/stop": lambda wire, request: (
        wire.send(reply("stop")), False)[1],
}


def seen(answer):
    """The request's head as the service had it: list of its lines."""
    return answer.body.decode("latin-1").split("\r\n")


def values(answer, name):
    """A header's values as the service had them."""
    return [line.partition(":")[2].strip() for line in seen(answer)
            if line.partition(":")[0].lower() == name.lower()]


def framing(port):
    with tap.case("keep-alive: a hundred requests on one connection"):
        with connect(port) as wire:
            for number in range(100):
                tap.is_(seen(wire.get(f"/{number}"))[0],
                        f"GET /{number} HTTP/1.1", "request line")
    with tap.case("pipelining: fifty in one write, answered in order"):
        with connect(port) as wire:
            wire.send("".join(f"GET /p{n} HTTP/1.1\r\nHost: id1\r\n\r\n"
                              for n in range(50)))
            for number in range(50):
                tap.is_(seen(wire.response())[0],
                        f"GET /p{number} HTTP/1.1", "request line")
    with tap.case("pipelining: bodies, lengths and chunks mixed"):
        with connect(port) as wire:
            for number in range(20):
                body = b"x" * (number * 977)
                head = f"POST /p{number} HTTP/1.1\r\nHost: id1\r\n"
                if number % 2:
                    wire.send(f"{head}Content-Length: {len(body)}\r\n\r\n")
                    wire.send(body)
                else:
                    wire.send(head + "Transfer-Encoding: chunked\r\n\r\n")
                    if body:
                        wire.send(b"%x\r\n%s\r\n" % (len(body), body))
                    wire.send("0\r\n\r\n")
            for number in range(20):
                answer = wire.response().body
                tap.ok(answer.startswith(b"POST /p%d " % number), "order")
                tap.is_(len(answer.partition(b"\r\n\r\n")[2]), number * 977,
                        "length")
    with tap.case("a request with a body of 300 kB and its echo"):
        with connect(port) as wire:
            wire.send(f"PUT /b HTTP/1.1\r\nHost: id1\r\nContent-Length: "
                      f"{len(BIG)}\r\n\r\n")
            wire.send(BIG)
            tap.ok(wire.response().body.endswith(BIG), "body")
            tap.is_(wire.get("/").body, b"root", "the next")
    with tap.case("a chunked answer with extension and trailers, unchanged"):
        with connect(port) as wire:
            wire.send("GET /chunked HTTP/1.1\r\nHost: id1\r\n\r\n")
            wire.upto(b"\r\n\r\n")
            tap.is_(wire.take(28), b"5;ext=1\r\nhello\r\n00a\r\n01234567"[:28],
                    "bytes")
        with connect(port) as wire:
            answer = wire.get("/chunked")
            tap.is_(answer.body, b"hello0123456789" + BIG, "body")
            tap.is_(answer.trailers, [("X-Sum", "1234"), ("X-More", "yes")],
                    "trailers")
            tap.is_(wire.get("/").body, b"root", "the next")
    with tap.case("a chunked request with trailers, at every split"):
        text = ("POST /trailers HTTP/1.1\r\nHost: id1\r\nTransfer-Encoding: "
                "chunked\r\n\r\n4\r\nabcd\r\n0b;q=\"a\"\r\nefghijklmno\r\n"
                "0\r\nX-T: 1\r\nX-U: 2\r\n\r\n")
        want = b"[('X-T', '1'), ('X-U', '2')]|abcdefghijklmno"
        with connect(port) as wire:
            for place in range(1, len(text)):
                wire.send_split(text, place)
                tap.is_(wire.response().body, want, f"split at {place}")
            wire.send_split(text, *range(1, len(text)))
            tap.is_(wire.response().body, want, "byte by byte")
    with tap.case("HEAD: a length and no body"):
        with connect(port) as wire:
            answer = wire.get("/head", method="HEAD")
            tap.is_(answer.get("Content-Length"), "1000", "length")
            tap.is_(wire.get("/").body, b"root", "the next")
    with tap.case("204 and 304 have no body, whatever their length says"):
        with connect(port) as wire:
            for path in ("/204", "/304", "/empty", "/304", "/204"):
                answer = wire.get(path)
                tap.is_(answer.body, b"", path)
                tap.is_(wire.get("/").body, b"root", "the next")
    with tap.case("1xx answers come before the final one, all of them"):
        with connect(port) as wire:
            answer = wire.get("/hints")
            tap.is_([m.status for m in answer.informational], [103, 102, 103],
                    "1xx")
            tap.is_(answer.informational[2].get("Link"), "</b.css>", "header")
            tap.is_(answer.body, b"done", "body")
            tap.is_(wire.get("/").body, b"root", "the next")
    with tap.case("an answer delimited by close is whole and ends cleanly"):
        with connect(port) as wire:
            answer = wire.get("/close")
            tap.is_(answer.body, BIG, "body")
    with tap.case("HTTP/1.0: answered, then closed"):
        with connect(port) as wire:
            wire.send("GET /close HTTP/1.0\r\nHost: id1\r\n\r\n")
            tap.is_(wire.response().body, BIG, "body")
    with tap.case("Connection: close of the service closes the user's"):
        with connect(port) as wire:
            tap.is_(wire.get("/bye").body, b"bye", "body")
            tap.is_(wire.ending(), "end", "ending")
    with tap.case("Connection: close of the user closes after the answer"):
        with connect(port) as wire:
            answer = wire.get("/big", headers="Connection: close\r\n")
            tap.is_(answer.body, BIG, "body")
            tap.is_(wire.ending(), "end", "ending")
    with tap.case("a service that closes an idle connection loses no request"):
        with connect(port) as wire:
            tap.is_(wire.get("/stop").body, b"stop", "first")
            wire.sock.settimeout(2)
            if wire.ending() != "end":
                wire.sock.settimeout(DEADLINE)
                tap.is_(wire.get("/").body, b"root", "second")


def expect(port):
    with tap.case("100-continue: the body is sent after the 100"):
        with connect(port) as wire:
            wire.send("PUT /e HTTP/1.1\r\nHost: id1\r\nContent-Length: 5\r\n"
                      "Expect: 100-continue\r\n\r\n")
            tap.is_(wire.head().status, 100, "interim")
            wire.send("hello")
            tap.ok(wire.response().body.endswith(b"\r\n\r\nhello"), "body")
            tap.is_(wire.get("/").body, b"root", "the next")
    with tap.case("100-continue refused: the final answer comes at once"):
        with connect(port) as wire:
            wire.send("PUT /e HTTP/1.1\r\nHost: refuse\r\nContent-Length: 5"
                      "\r\nExpect: 100-continue\r\n\r\n")
            tap.is_(wire.response().status, 417, "status")
    with tap.case("refused at once, but sent whole, as simple clients do"):
        with connect(port) as wire:
            wire.send("PUT /e HTTP/1.1\r\nHost: refuse\r\n"
                      f"Content-Length: {16 << 20}\r\n\r\n")
            wire.send(bytes(16 << 20))
            tap.is_(wire.response().status, 417, "status")


def streaming(port):
    with tap.case("server-sent events arrive one by one"):
        with connect(port) as wire:
            wire.send("GET /events HTTP/1.1\r\nHost: id1\r\n\r\n")
            wire.head()
            for number in range(3):
                tap.is_(wire.take(14), b"9\r\ndata: %d\n\n\r\n" % number,
                        "event")
                EVENTS.release()
            tap.is_(wire.upto(b"0\r\n\r\n"), b"0\r\n\r\n", "end")
    with tap.case("WebSocket: handshake, echoes of 0 B to 1 MiB, close"):
        with connect(port) as wire:
            answer, key = websocket.handshake(wire, "id1.example.com")
            tap.is_(answer.status, 101, "status")
            tap.is_(answer.get("Sec-WebSocket-Accept"),
                    websocket.accept_key(key), "key")
            for size in (0, 1, 125, 126, 127, 65535, 65536, 1 << 20):
                for opcode in (websocket.TEXT, websocket.BINARY):
                    payload = os.urandom(size)
                    wire.send(websocket.frame(opcode, payload, masked=True))
                    tap.is_(websocket.read_frame(wire),
                            (opcode, payload, False), f"{size} bytes")
            wire.send(websocket.frame(websocket.CLOSE, b"\x03\xe8", True))
            tap.is_(websocket.read_frame(wire)[0], websocket.CLOSE, "close")
            tap.is_(wire.ending(), "end", "ending")
    with tap.case("WebSocket: fifty at once"):
        wires = [connect(port) for _ in range(50)]
        for wire in wires:
            tap.is_(websocket.handshake(wire, "id1")[0].status, 101, "status")
        for number, wire in enumerate(wires):
            wire.send(websocket.frame(websocket.TEXT, b"%d" % number, True))
        for number, wire in enumerate(wires):
            tap.is_(websocket.read_frame(wire)[1], b"%d" % number, "echo")
            wire.close()
    with tap.case("after 101 the bytes are opaque, also those behind it"):
        with connect(port) as wire:
            answer = origin.upgrade(wire, target="/talk")
            tap.is_(answer.status, 101, "status")
            want = b"HTTP/1.1 200 not http\r\nGET / \0\xff"
            tap.is_(wire.take(len(want)), want, "first bytes")
            wire.send(b"G\0\r\n ")
            tap.is_(wire.take(5), b"G\0\r\n ", "opaque")


def names(port):
    with tap.case("Host in any case, with a port, with blanks around it"):
        for line in ("Host: id1.example.com", "hOsT: ID1.Example.COM",
                     "HOST:id1.example.com:8080", "host: \t Id1 \t",
                     "Host: id1.other.example.org.:80", "Host:id1"):
            with connect(port) as wire:
                wire.send(f"GET /h HTTP/1.1\r\n{line}\r\n\r\n")
                answer = wire.response()
                tap.is_(answer.status, 200, line)
                tap.ok(line in seen(answer), f"{line!r} unchanged")
    with tap.case("Host first, in the middle and last"):
        others = [f"X-{n}: {'y' * 50}" for n in range(99)]
        for place in (0, 50, 99):
            lines = others[:place] + ["Host: id1.example.com"] + others[place:]
            with connect(port) as wire:
                wire.send("GET /h HTTP/1.1\r\n" + "\r\n".join(lines)
                          + "\r\n\r\n")
                got = [line for line in seen(wire.response())[1:] if line
                       and not line.lower().startswith("x-forwarded")]
                tap.is_(got, lines, "headers in order, unchanged")
    with tap.case("names are not matched by their end or beginning"):
        for host in ("xid1.example.com", "id1x.example.com", "www.id1.com",
                     "id", "id11", "d1", "id1-x.example.com", ".id1"):
            answer = get(port, host=host)
            tap.ok(answer.status in (400, 404), f"{host}: {answer.status}")
    with tap.case("the head at every split"):
        text = "GET /split HTTP/1.1\r\nhoST: id1.example.com\r\nA: b\r\n\r\n"
        for place in range(1, len(text)):
            with connect(port) as wire:
                wire.send_split(text, place)
                answer = wire.response()
                tap.is_((answer.status, seen(answer)[1]),
                        (200, "hoST: id1.example.com"), f"split at {place}")
    with tap.case("the head byte by byte"):
        with connect(port) as wire:
            wire.send_split(text, *range(1, len(text)))
            tap.is_(wire.response().status, 200, "status")
            wire.send_split(text, *range(1, len(text)))
            tap.is_(wire.response().status, 200, "status of the second")
    with tap.case("an absolute-form target that agrees with Host"):
        answer = get(port, "http://id1.example.com/abs?q=1",
                     host="id1.example.com")
        tap.is_(answer.status, 200, "status")
        tap.like(answer.body.decode(), r"\AGET \S*/abs\?q=1 HTTP", "target")
    with tap.case("targets are passed on as they are"):
        for target in ("/a/../b/./c", "/%2e%2e/%2F?a=/../b", "//x//y", "/%00",
                       "/" + "z" * 8000, "/x??", "/;a=b/",
                       "/b\xc3\xbccher"):
            answer = get(port, target)
            tap.is_(seen(answer)[0], f"GET {target} HTTP/1.1", "request line")
    with tap.case("OPTIONS * goes to the name's service"):
        with connect(port) as wire:
            tap.is_(wire.get("*", method="OPTIONS").status, 200, "status")


def bounds(lab, port, site):
    def sized(size, host="id1"):
        start = f"GET / HTTP/1.1\r\nHost: {host}\r\nX: "
        return start + "y" * (size - len(start) - 4) + "\r\n\r\n"

    with tap.case("a head of 16 KiB passes, first and later"):
        with connect(port) as wire:
            for _ in range(3):
                wire.send(sized(16384))
                tap.is_(wire.response().status, 200, "status")
    with tap.case("a head of 16 KiB and a byte: 431, closed"):
        with connect(port) as wire:
            wire.send(sized(16385))
            tap.is_(wire.response().status, 431, "status")
            tap.is_(wire.ending(), "end", "ending")
    with tap.case("a head of 100 field lines passes, one of 101: 431"):
        for count, status in ((100, 200), (101, 431)):
            with connect(port) as wire:
                wire.send("GET / HTTP/1.1\r\nHost: id1\r\n"
                          + "A: b\r\n" * (count - 1) + "\r\n")
                tap.is_(wire.response().status, status, f"{count} lines")
    with tap.case("a head without an end: 431 at the bound"):
        with connect(port) as wire:
            wire.send("GET / HTTP/1.1\r\nHost: id1\r\nX: " + "y" * 17000)
            tap.is_(wire.response().status, 431, "status")
    with tap.case("a request line without an end: 4xx at the bound"):
        with connect(port) as wire:
            wire.send("GET /" + "y" * 17000)
            tap.ok(wire.response().status in (414, 431), "status")
    with tap.case("the second head of a connection has the same bound"):
        with connect(port) as wire:
            wire.get("/")
            wire.send(sized(16385))
            tap.is_(wire.response().status, 431, "status")
            tap.ok(wire.ending() in ("end", "reset"), "closed")
    with tap.case("http.head_max is that bound"):
        server = Ptpd(lab, "-o", "http.head_max=1K")
        Ptp(lab, server, site.url)
        with connect(server.port) as wire:
            wire.send(sized(1024))
            tap.is_(wire.response().status, 200, "1024")
        with connect(server.port) as wire:
            wire.send(sized(1025))
            tap.is_(wire.response().status, 431, "1025")


def mux_header(lab, service):
    server = Ptpd(lab, "-o", "http.mux_header=X-Ptp-Id")
    Ptp(lab, server, service)

    def ask(lines):
        with connect(server.port) as wire:
            wire.send(f"GET /m HTTP/1.1\r\nHost: other.example\r\n{lines}\r\n")
            return wire.response()

    with tap.case("http.mux_header carries the id, Host stays"):
        for line in ("X-Ptp-Id: id1\r\n", "x-ptp-id:ID1\r\n"):
            answer = ask(line)
            tap.is_(answer.status, 200, line)
            tap.is_(values(answer, "Host"), ["other.example"], "Host")
    with tap.case("its whole value is the id"):
        for line in ("X-Ptp-Id: id1.example.com\r\n", "X-Ptp-Id: id1x\r\n",
                     "X-Ptp-Id: other\r\n"):
            tap.is_(ask(line).status, 404, line)
    with tap.case("none of it, or two of them, is refused"):
        tap.ok(ask("").status in (400, 404), "none")
        tap.is_(ask("X-Ptp-Id: id1\r\nX-Ptp-Id: id2\r\n").status, 400, "two")


def forwarded(lab, port, service):
    forged = ("X-Forwarded-For: 6.6.6.6\r\nx-forwarded-proto: https\r\n"
              "X_Forwarded_For: 6.6.6.7\r\nX-Forwarded_Host: evil\r\n"
              "X-FORWARDED-HOST: evil\r\nx_forwarded_proto: ftp\r\n"
              "X-Forwarded-For: 6.6.6.8\r\n")
    with tap.case("X-Forwarded-For, -Proto, -Host are added"):
        answer = get(port, "/f", host="id1.example.com:99")
        tap.is_([values(answer, n) for n in FORWARDED],
                [["127.0.0.1"], ["http"], ["id1.example.com:99"]], "values")
    with tap.case("forged ones and their underscore twins are removed"):
        with connect(port) as wire:
            for _ in range(3):
                answer = wire.get("/f", headers=forged)
                tap.is_([values(answer, n) for n in FORWARDED],
                        [["127.0.0.1"], ["http"], ["id1"]], "values")
                tap.unlike(answer.body.decode(), r"6\.6\.6|evil|ftp|_for",
                           "nothing forged")
    with tap.case("also at every split of the bytes of a later request"):
        text = (f"GET /f HTTP/1.1\r\nHost: id1\r\n{forged}A: b\r\n\r\n")
        with connect(port) as wire:
            for place in range(1, len(text)):
                wire.send_split(text, place)
                answer = wire.response()
                tap.is_([values(answer, n) for n in FORWARDED],
                        [["127.0.0.1"], ["http"], ["id1"]], "values")
                tap.unlike(answer.body.decode(), r"6\.6\.6|evil|ftp",
                           f"split at {place}")
                tap.is_(values(answer, "A"), ["b"], "the rest")
    with tap.case("Connection may not name them, Host or framing: 400"):
        for name in FORWARDED + ("x_forwarded_for", "Host", "Content-Length",
                                 "Transfer-Encoding", "close, hOST"):
            for before in (0, 1):
                with connect(port) as wire:
                    for _ in range(before):
                        wire.get("/")
                    answer = wire.get("/", headers=f"Connection: {name}\r\n")
                    tap.is_(answer.status, 400, f"{name}, {before} before")
    with tap.case("http.trusted: the peer's own are kept, ours behind them"):
        server = Ptpd(lab, "-o", "http.trusted=127.0.0.0/8")
        Ptp(lab, server, service)
        answer = get(server.port, "/f",
                     headers="X-Forwarded-For: 1.2.3.4\r\n"
                     "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.b\r\n")
        got = ", ".join(values(answer, "X-Forwarded-For"))
        tap.is_(got, "1.2.3.4, 127.0.0.1", "For")
        tap.is_([values(answer, n) for n in FORWARDED[1:]],
                [["https"], ["a.b"]], "Proto and Host")
        answer = get(server.port, "/f")
        tap.is_(values(answer, "X-Forwarded-For"), ["127.0.0.1"], "none sent")
    with tap.case("http.trusted that does not hold the peer trusts nobody"):
        server = Ptpd(lab, "-o", "http.trusted=10.0.0.0/8")
        Ptp(lab, server, service)
        answer = get(server.port, "/f", headers=forged)
        tap.is_([values(answer, n) for n in FORWARDED],
                [["127.0.0.1"], ["http"], ["id1"]], "values")
    with tap.case("http.forwarded = false adds none"):
        server = Ptpd(lab, "-o", "http.forwarded=false")
        Ptp(lab, server, service)
        answer = get(server.port, "/f")
        tap.is_(values(answer, "Host"), ["id1"], "the head")
        tap.is_([values(answer, n) for n in FORWARDED], [[], [], []], "values")


def rewrite(port, local):
    text = ("GET /r HTTP/1.1\r\nA: 1\r\nhOSt: rw.example.com:7\r\nB: 2\r\n"
            "Cookie: a\r\nCookie: b\r\n\r\n")
    want = [f"Host: {local}", "A: 1", "B: 2", "Cookie: a", "Cookie: b"]

    def check(answer, what):
        got = [line.replace("hOSt", "Host") for line in seen(answer)[1:]
               if line and not line.lower().startswith("x-forwarded")]
        tap.is_(sorted(got), sorted(want), what)
        tap.is_(values(answer, "X-Forwarded-Host"), ["rw.example.com:7"],
                "the name the user used")

    with tap.case("rewrite_host: on every request of a keep-alive connection"):
        with connect(port) as wire:
            for number in range(5):
                wire.send(text)
                check(wire.response(), f"request {number}")
    with tap.case("rewrite_host: pipelined"):
        with connect(port) as wire:
            wire.send(text * 20)
            for number in range(20):
                check(wire.response(), f"request {number}")
    with tap.case("rewrite_host: at every split of the bytes"):
        with connect(port) as wire:
            for place in range(1, len(text)):
                wire.send_split(text, place)
                check(wire.response(), f"split at {place}")
    with tap.case("rewrite_host: at every split of two in one connection"):
        double = text + text
        with connect(port) as wire:
            for place in range(1, len(double), 3):
                wire.send_split(double, place)
                check(wire.response(), f"split at {place}")
                check(wire.response(), f"split at {place}")
    with tap.case("rewrite_host: behind a body that looks like a head"):
        with connect(port) as wire:
            for _ in range(3):
                wire.send(f"POST /r HTTP/1.1\r\nHost: rw\r\nContent-Length: "
                          f"{len(text)}\r\n\r\n{text}{text}")
                tap.ok(wire.response().body.endswith(text.encode()), "body")
                check(wire.response(), "the next head")
    with tap.case("rewrite_host = a string: that"):
        answer = get(port, "/r", host="rw2.example.com")
        tap.is_(values(answer, "Host"), ["inner.example:81"], "Host")


def services(lab, server, site, other, unix):
    with tap.case("several names, several services, full names, unix:"):
        for host, want in (
                ("n1.example.com", b"one "), ("n2.example.com", b"one "),
                ("n2", b"one "), ("www.domain.com", b"two "),
                ("WWW.Domain.Com:80", b"two "), ("sock.example", b"unix ")):
            answer = get(server.port, "/who", host=host)
            tap.is_(answer.status, 200, host)
            tap.ok(answer.body.startswith(want), f"{host}: {answer.body}")
    with tap.case("a full name is not found by its first label"):
        tap.is_(get(server.port, host="www.example.com").status, 404, "www")
        tap.is_(get(server.port, host="domain.com").status, 404, "domain.com")
    with tap.case("https: as a local service, unverified on loopback"):
        secure = Nginx(lab, "tls", tls=self_signed(lab))
        Ptp(lab, server, f"{secure.url},name=tls", user="id2:secret2")
        answer = get(server.port, "/who", host="tls.example.com")
        tap.ok(answer.body.startswith(b"tls "), answer.start)
        secure.file("big", BIG)
        tap.is_(get(server.port, "/big", host="tls.example.com").body, BIG,
                "a big file")
    with tap.case("a service that never answers: 504 after its timeout"):
        silent = lab.keep(Origin(lambda wire, _: wire.ending()))
        server3 = Ptpd(lab)
        Ptp(lab, server3, f"{silent.url},timeout=1s")
        tap.is_(get(server3.port).status, 504, "status")


@tap.main
def run():
    with Lab() as lab:
        table = lab.keep(Origin(paths(TABLE, origin.echo)))
        server = Ptpd(lab, "-u", "id2:secret2")
        one, two = Nginx(lab, "one"), Nginx(lab, "two")
        unix = Nginx(lab, "unix", unix=True)
        refuser = lab.keep(Origin(lambda wire, _: (
            wire.head(), wire.send(reply("no", "417 Expectation Failed")),
            wire.shut(), wire.ending())))
        Ptp(lab, server, table.url,
            f"{table.url},name=rw,rewrite_host=true",
            f"{table.url},name=rw2,rewrite_host=inner.example:81",
            f"{one.url},name=n1,name=n2", f"{two.url},name=www.domain.com",
            f"{unix.url},name=sock", f"{refuser.url},name=refuse")
        port = server.port
        with tap.case("curl gets nginx's page"):
            done = lab.run(["curl", "-sS", "-H", "Host: n1.example.com",
                            f"http://127.0.0.1:{port}/"])
            tap.is_(done.stdout, page(), done.stderr)
        framing(port)
        expect(port)
        streaming(port)
        names(port)
        bounds(lab, port, one)
        mux_header(lab, table.url)
        forwarded(lab, port, table.url)
        rewrite(port, f"127.0.0.1:{table.port}")
        services(lab, server, one, two, unix)
        with tap.case("the test's own services had no trouble"):
            tap.is_((table.errors, refuser.errors), ([], []), "errors")
