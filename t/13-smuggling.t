#!/usr/bin/python3
"""A head that two parsers could read differently is refused: 400 or 502."""

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab
from lib.origin import Origin, paths, reply
from lib.wire import Truncated, connect, get

END = "\r\n\r\n"
# Each is a request that names id1; none may reach the service as it is.
REQUESTS = {
    "two equal Hosts": "GET / HTTP/1.1\r\nHost: id1\r\nHost: id1" + END,
    "two Hosts": "GET / HTTP/1.1\r\nHost: id1\r\nhost: id2" + END,
    "two lengths": "POST / HTTP/1.1\r\nHost: id1\r\nContent-Length: 1\r\n"
    "Content-Length: 2" + END + "ab",
    "two equal lengths": "POST / HTTP/1.1\r\nHost: id1\r\nContent-Length: 1"
    "\r\nContent-Length: 1" + END + "a",
    "a list of lengths": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Content-Length: 1, 1" + END + "a",
    "length and chunked": "POST / HTTP/1.1\r\nHost: id1\r\nContent-Length: 5"
    "\r\nTransfer-Encoding: chunked" + END + "0" + END,
    "chunked and length": "POST / HTTP/1.1\r\nHost: id1\r\nTransfer-Encoding:"
    " chunked\r\nContent-Length: 5" + END + "0" + END,
    "bare LF everywhere": "GET / HTTP/1.1\nHost: id1\n\n",
    "bare LF before it": "\nGET / HTTP/1.1\r\nHost: id1" + END,
    "a blank before it": " GET / HTTP/1.1\r\nHost: id1" + END,
    "bare LF after the request line": "GET / HTTP/1.1\nHost: id1" + END,
    "bare LF after a header": "GET / HTTP/1.1\r\nHost: id1\nA: b" + END,
    "bare LF at the end": "GET / HTTP/1.1\r\nHost: id1\r\n\n",
    "bare CR in a value": "GET / HTTP/1.1\r\nHost: id1\r\nA: b\rC: d" + END,
    "bare CR in the request line": "GET /\r HTTP/1.1\r\nHost: id1" + END,
    "CR CR LF": "GET / HTTP/1.1\r\nHost: id1\r\r\nA: b" + END,
    "obs-fold": "GET / HTTP/1.1\r\nHost: id1\r\nA: b\r\n c" + END,
    "obs-fold by tab": "GET / HTTP/1.1\r\nHost: id1\r\nA: b\r\n\tc" + END,
    "a fold first": "GET / HTTP/1.1\r\n Host: id1\r\nHost: id1" + END,
    "blank before colon": "GET / HTTP/1.1\r\nHost : id1" + END,
    "blank before colon elsewhere": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Content-Length : 5" + END + "hello",
    "tab before colon": "GET / HTTP/1.1\r\nHost: id1\r\nA\t: b" + END,
    "no colon": "GET / HTTP/1.1\r\nHost: id1\r\nnonsense" + END,
    "an empty name": "GET / HTTP/1.1\r\nHost: id1\r\n: b" + END,
    "a name with a blank": "GET / HTTP/1.1\r\nHost: id1\r\nA B: c" + END,
    "a name with a slash": "GET / HTTP/1.1\r\nHost: id1\r\nA/B: c" + END,
    "NUL in a value": "GET / HTTP/1.1\r\nHost: id1\r\nA: b\0c" + END,
    "NUL in a name": "GET / HTTP/1.1\r\nHost: id1\r\nA\0: b" + END,
    "NUL in the target": "GET /\0 HTTP/1.1\r\nHost: id1" + END,
    "NUL in Host": "GET / HTTP/1.1\r\nHost: id1\0.x" + END,
    "absolute-form against Host": "GET http://id2/ HTTP/1.1\r\nHost: id1"
    + END,
    "absolute-form with a user": "GET http://id1@id2/ HTTP/1.1\r\nHost: id1"
    + END,
    "absolute-form, another port": "GET http://id1:81/ HTTP/1.1\r\n"
    "Host: id1:82" + END,
    "no Host": "GET / HTTP/1.1\r\nA: b" + END,
    "Host with a user": "GET / HTTP/1.1\r\nHost: id1@id2" + END,
    "Host with a path": "GET / HTTP/1.1\r\nHost: id1/x" + END,
    "Host list": "GET / HTTP/1.1\r\nHost: id1, id2" + END,
    "Host with a blank": "GET / HTTP/1.1\r\nHost: id1 id2" + END,
    "Host with a bad port": "GET / HTTP/1.1\r\nHost: id1:8x" + END,
    "another transfer encoding": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Transfer-Encoding: gzip, chunked" + END + "0" + END,
    "chunked not last": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Transfer-Encoding: chunked, identity" + END + "0" + END,
    "chunked twice": "POST / HTTP/1.1\r\nHost: id1\r\nTransfer-Encoding: "
    "chunked\r\nTransfer-Encoding: chunked" + END + "0" + END,
    "chunked, chunked": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Transfer-Encoding: chunked, chunked" + END + "0" + END,
    "xchunked": "POST / HTTP/1.1\r\nHost: id1\r\nTransfer-Encoding: xchunked"
    + END + "0" + END,
    "chunked by vertical tab": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Transfer-Encoding: \x0bchunked" + END + "0" + END,
    "quoted chunked": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Transfer-Encoding: \"chunked\"" + END + "0" + END,
    "chunked in HTTP/1.0": "POST / HTTP/1.0\r\nHost: id1\r\n"
    "Transfer-Encoding: chunked" + END + "0" + END,
    "empty transfer encoding": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Transfer-Encoding:\r\nContent-Length: 1" + END + "a",
    "a signed length": "POST / HTTP/1.1\r\nHost: id1\r\nContent-Length: +1"
    + END + "a",
    "a negative length": "POST / HTTP/1.1\r\nHost: id1\r\nContent-Length: -1"
    + END,
    "a hexadecimal length": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Content-Length: 0x1" + END + "a",
    "an empty length": "POST / HTTP/1.1\r\nHost: id1\r\nContent-Length:"
    + END,
    "a length of two words": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Content-Length: 1 2" + END + "a",
    "a length of 2^64": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Content-Length: 18446744073709551616" + END + "a",
    "a length of 2^63": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Content-Length: 9223372036854775808" + END + "a",
    "a length of 40 digits": "POST / HTTP/1.1\r\nHost: id1\r\n"
    "Content-Length: " + "1" * 40 + END + "a",
    "no version": "GET /\r\nHost: id1" + END,
    "a lower-case version": "GET / http/1.1\r\nHost: id1" + END,
    "version 1.10": "GET / HTTP/1.10\r\nHost: id1" + END,
    "version 2": "GET / HTTP/2.0\r\nHost: id1" + END,
    "two blanks": "GET  / HTTP/1.1\r\nHost: id1" + END,
    "a tab for a blank": "GET\t/ HTTP/1.1\r\nHost: id1" + END,
    "a blank in the target": "GET /a b HTTP/1.1\r\nHost: id1" + END,
    "a blank at the line's end": "GET / HTTP/1.1 \r\nHost: id1" + END,
    "a method of no token": "G@T / HTTP/1.1\r\nHost: id1" + END,
    "a control character": "GET / HTTP/1.1\r\nHost: id1\r\nA: \x01" + END,
}
POST = "POST / HTTP/1.1\r\nHost: id1\r\nTransfer-Encoding: chunked" + END
CHUNKS = {
    "no digit": "x\r\n", "an empty size": "\r\n", "a minus": "-1\r\n",
    "0x": "0x1\r\na\r\n", "a blank first": " 1\r\na\r\n",
    "17 digits": "1" * 17 + "\r\n", "2^64": "10000000000000000\r\n",
    "bare LF after the size": "1\na\r\n0\r\n\r\n",
    "bare CR in an extension": "1;a\rb\r\na\r\n0\r\n\r\n",
    "bare LF in an extension": "1;a\nb\r\na\r\n0\r\n\r\n",
    "no line end after the data": "1\r\nab\r\n0\r\n\r\n",
    "bare LF after the data": "1\r\na\n0\r\n\r\n",
    "a NUL in the size": "1\0\r\na\r\n0\r\n\r\n",
    "an endless extension": "1;" + "x" * 40000,
    "a bad trailer": "0\r\nA : b\r\n\r\n", "a folded trailer":
    "0\r\nA: b\r\n c\r\n\r\n", "an LF trailer": "0\r\nA: b\n\r\n",
    "a framing trailer": "0\r\nContent-Length: 5\r\n\r\n",
    "an endless trailer": "0\r\n" + "A: bbbbbbbb\r\n" * 4000,
}
OK = "HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "two lengths": OK + "Content-Length: 1\r\nContent-Length: 2" + END + "ab",
    "two equal lengths":
    OK + "Content-Length: 1\r\nContent-Length: 1" + END + "a",
    "a list of lengths": OK + "Content-Length: 1, 2" + END + "ab",
    "length and chunked":
    OK + "Content-Length: 5\r\nTransfer-Encoding: chunked" + END + "0" + END,
    "bare LF everywhere": "HTTP/1.1 200 OK\nContent-Length: 1\n\na",
    "bare LF after a header": OK + "A: b\nContent-Length: 1" + END + "a",
    "bare LF at the end": OK + "Content-Length: 1\r\n\na",
    "bare CR in a value": OK + "A: b\rC: d\r\nContent-Length: 1" + END + "a",
    "obs-fold": OK + "A: b\r\n c\r\nContent-Length: 1" + END + "a",
    "blank before colon": OK + "Content-Length : 1" + END + "a",
    "no colon": OK + "nonsense\r\nContent-Length: 1" + END + "a",
    "NUL in a value": OK + "A: b\0\r\nContent-Length: 1" + END + "a",
    "a bad length": OK + "Content-Length: 1x" + END + "a",
    "a negative length": OK + "Content-Length: -1" + END,
    "a length of 2^64": OK + "Content-Length: 18446744073709551616" + END,
    "xchunked": OK + "Transfer-Encoding: xchunked\r\nContent-Length: 1"
    + END + "a",
    "chunked not last": OK + "Transfer-Encoding: chunked, x" + END + "0" + END,
    "no status": "HTTP/1.1 OK\r\nContent-Length: 1" + END + "a",
    "a status of two digits": "HTTP/1.1 20 OK\r\nContent-Length: 1" + END,
    "a status of four digits": "HTTP/1.1 2000 OK\r\nContent-Length: 1" + END,
    "a status of 000": "HTTP/1.1 000 OK\r\nContent-Length: 0" + END,
    "another protocol": "HTTP/2.0 200 OK\r\nContent-Length: 1" + END + "a",
    "garbage": "\x15\x03\x01\x00\x02\x02\x50garbage" + END,
    "a banner": "SSH-2.0-OpenSSH_9.2\r\n" + "x" * 100 + END,
    "nothing": "",
    "half a head": OK + "Content-Length: 1",
    "a 101 that nobody asked for":
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\n"
    "Connection: upgrade" + END,
    "a head of 1 MiB": OK + ("A: " + "b" * 1021 + "\r\n") * 1024 + END,
    "1xx without end": "HTTP/1.1 100 Continue\r\n\r\n" * 100000,
}
MIDDLE = {
    "a bad chunk size": "x\r\n", "a chunk size of 2^64": "1" + "0" * 16
    + "\r\n", "no line end after a chunk": "1\r\nab\r\n", "bare LF after a "
    "chunk size": "1\na\r\n", "the end inside a chunk": "5\r\nab",
    "the end before the last chunk": "2\r\nab\r\n",
    "a bad trailer": "0\r\nA : b\r\n\r\n",
}


# Not understood rather than malformed: these have an answer of their own.
OTHER = {"another transfer encoding": 501, "xchunked": 501, "version 2": 505}


def requests(table, since=0):
    """The targets of the whole requests that the service has had."""
    return [r.target for r in table.seen[since:] if not isinstance(r, str)]


def first_and_later(port, table):
    """Each shape as first request of a connection and behind a good one."""
    for name, text in REQUESTS.items():
        status = OTHER.get(name, 400)
        with tap.case(f"request: {name}: {status}"):
            before = len(table.seen)
            with connect(port) as wire:
                wire.send(text)
                tap.is_(wire.response().status, status, "first")
                tap.ok(wire.ending() in ("end", "reset"), "closed")
            with connect(port) as wire:
                wire.get("/good")
                wire.send(text)
                tap.is_(wire.response().status, status, "second")
                tap.ok(wire.ending() in ("end", "reset"), "closed")
            tap.is_(requests(table, before), ["/good"], "at the service")


def pieces(port):
    with tap.case("request: the same at every split of the bytes"):
        for name in ("two Hosts", "length and chunked", "obs-fold",
                     "bare LF after a header", "bare CR in a value"):
            text = REQUESTS[name]
            for place in range(1, len(text), 2):
                with connect(port) as wire:
                    wire.send_split(text[:place])
                    try:
                        wire.send(text[place:])
                    except ConnectionError:
                        pass
                    tap.is_(wire.response().status, 400,
                            f"{name} at {place}")
    with tap.case("request: nothing behind a refused one is answered"):
        good = "GET /good HTTP/1.1\r\nHost: id1\r\n\r\n"
        with connect(port) as wire:
            wire.send(REQUESTS["length and chunked"] + good)
            tap.is_(wire.response().status, 400, "status")
            tap.ok(wire.ending() in ("end", "reset"), "closed")
            tap.is_(wire.buffer, b"", "bytes behind the answer")
    with tap.case("request: the good ones before it are answered"):
        with connect(port) as wire:
            wire.send(good * 3 + REQUESTS["two lengths"])
            for _ in range(3):
                tap.is_(wire.response().status, 200, "good")
            tap.is_(wire.response().status, 400, "bad")


def chunks(port, table):
    for name, text in CHUNKS.items():
        with tap.case(f"chunked request: {name}: 400"):
            for head in (POST, POST + "3\r\nabc\r\n"):
                before = len(table.seen)
                with connect(port) as wire:
                    try:
                        wire.send(head + text)
                    except ConnectionError:
                        pass
                    tap.is_(wire.response().status, 400, "status")
                    tap.ok(wire.ending() in ("end", "reset"), "closed")
                tap.is_(requests(table, before), [],
                        "whole requests at the service")


def answers(port, switch):
    for name, text in ANSWERS.items():
        with tap.case(f"answer: {name}: 502"):
            switch["answer"] = text.encode("latin-1")
            answer = get(port, host="bad")
            tap.is_(answer.status, 502, "status")
            tap.unlike(answer.body.decode(), "SSH|garbage", "page")
    for name, text in MIDDLE.items():
        with tap.case(f"answer: {name}: never a whole answer"):
            switch["answer"] = (OK + "Transfer-Encoding: chunked" + END
                                + "3\r\nabc\r\n" + text).encode()
            with connect(port) as wire:
                wire.send("GET / HTTP/1.1\r\nHost: bad\r\n\r\n")
                try:
                    tap.ok(wire.response() is None, "whole")
                except (Truncated, ConnectionError, ValueError):
                    pass
    with tap.case("answer: a length that is not kept: never a clean end"):
        switch["answer"] = (OK + "Content-Length: 10" + END + "abc").encode()
        with connect(port) as wire:
            try:
                wire.get("/", host="bad")
                tap.ok(False, "a whole answer")
            except (Truncated, ConnectionError):
                pass
    with tap.case("answer: more than its length is not the next answer"):
        switch["answer"] = (OK + "Content-Length: 1" + END + "a"
                            + OK + "Content-Length: 4" + END + "evil").encode()
        with connect(port) as wire:
            tap.is_(wire.get("/", host="bad").body, b"a", "first")
            try:
                tap.ok(wire.get("/", host="bad").body != b"evil", "evil")
            except (Truncated, ConnectionError):
                pass
    with tap.case("answer: what came before the question is not the answer"):
        switch["answer"] = b""
        switch["early"] = (OK + "Content-Length: 4" + END + "evil").encode()
        with connect(port) as wire:
            try:
                tap.ok(wire.get("/", host="bad").status in (200, 502), "one")
                answer = wire.get("/", host="bad")
                tap.ok(answer.status == 502, f"two: {answer.start}")
            except (Truncated, ConnectionError):
                pass
        switch["early"] = b""


def strangers(port, server):
    tls = bytes.fromhex("16030100c8010000c40303") + bytes(200)
    with tap.case("other protocols, garbage, silence and truncation: closed, "
                  "and the next user is served"):
        for data in (tls, b"SSH-2.0-x\r\n", b"\0" * 1000, b"\xff" * 1000,
                     b"\r\n\r\n", b" / HTTP/1.1\r\nHost: id1\r\n\r\n",
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"ptp1" + b"\xff" * 200, b"G", b"", b"GET / HT",
                     b"\n" * 20000):
            with connect(port) as wire:
                try:
                    wire.send(data)
                    wire.shut()
                except ConnectionError:
                    pass
                tap.ok(wire.ending() in ("end", "reset"), repr(data[:20]))
        tap.is_(get(port).status, 200, "the next user")
    with tap.case("workers have not died of any of it"):
        pids = {role: server.pids(role) for role in ("http", "relay")}
        tap.is_(pids, server.before, "pids")


@tap.main
def run():
    with Lab() as lab:
        switch = {"answer": b"", "early": b""}

        def bad(wire, _):
            wire.send(switch["early"])
            if wire.request() is None:
                return
            wire.send(switch["answer"])
            wire.shut()
            wire.ending()

        table = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        broken = lab.keep(Origin(bad))
        server = Ptpd(lab, "-u", "id2:secret2")
        Ptp(lab, server, table.url, f"{broken.url},name=bad")
        Ptp(lab, server, table.url, user="id2:secret2")
        server.before = {r: server.pids(r) for r in ("http", "relay")}
        first_and_later(server.port, table)
        pieces(server.port)
        chunks(server.port, table)
        answers(server.port, switch)
        strangers(server.port, server)
        with tap.case("the test's own services had no trouble"):
            tap.is_((table.errors, broken.errors), ([], []), "errors")
