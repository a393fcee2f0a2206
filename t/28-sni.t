#!/usr/bin/python3
"""TLS by server name: passed through as it is, or answered by an alert."""

import os
import signal
import socket
import ssl
import struct
import threading

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, until
from lib.origin import Origin, paths, reply
from lib.web import Nginx, self_signed
from lib.wire import Wire, connect, get

# RFC 8446, section 6
UNEXPECTED, OVERFLOW, ILLEGAL, DENIED, DECODE = 10, 22, 47, 49, 50
INTERNAL, MISSING, UNRECOGNIZED = 80, 109, 112


def hello(name, maximum=None):
    """The ClientHello that Python's OpenSSL sends."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if maximum:
        context.maximum_version = maximum
    out = ssl.MemoryBIO()
    s = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    try:
        s.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def records(message, size):
    """A handshake message in records of that many bytes."""
    cuts = range(0, len(message), size)
    return b"".join(
        b"\x16\3\1" + struct.pack(">H", len(message[i:i + size])) +
        message[i:i + size] for i in cuts)


def grown(data, size, grease=0x1A1A):
    """A hello of one record made that large, by GREASE in front."""
    message = bytearray(data[5:])
    at = 4 + 2 + 32
    at += 1 + message[at]
    at += 2 + struct.unpack_from(">H", message, at)[0]
    at += 1 + message[at]
    more = size - len(message)
    length, = struct.unpack_from(">H", message, at)
    struct.pack_into(">H", message, at, length + more)
    message[at + 2:at + 2] = struct.pack(">HH", grease, more - 4) + \
        bytes(more - 4)
    message[1:4] = struct.pack(">I", len(message) - 4)[1:]
    return bytes(message)


def secure(port, name, cafile=None, source="127.0.0.1"):
    """A TLS connection to that name; verified by cafile."""
    context = ssl.create_default_context(cafile=cafile)
    if cafile is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    raw = socket.create_connection(("127.0.0.1", port), 60,
                                   source_address=(source, 0))
    return context.wrap_socket(raw, server_hostname=name)


def certificate(port, name):
    with secure(port, name) as s:
        return s.getpeercert(True)


def ask(s, host):
    """One request over a TLS connection; the body."""
    s.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n"
              "Connection: close\r\n\r\n".encode())
    data = b""
    while True:
        more = s.recv(65536)
        if not more:
            return data.partition(b"\r\n\r\n")[2]
        data += more


def alert(wire):
    """The alert that comes, and nothing but that, then the end."""
    data = wire.take(7)
    tap.is_(data[:6], b"\x15\3\3\0\2\2", "a fatal alert")
    tap.is_(wire.ending(), "end", "and the end, no reset")
    return data[6]


def answered(port, data):
    with connect(port) as wire:
        wire.send(data)
        return alert(wire)


def pem_to_der(path):
    with open(path, encoding="ascii") as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def passed_through(lab, server, client, certs, nginx):
    port, (cert, _) = server.port_of("sni"), certs
    with tap.case("the certificate is that of the service, its name verified"):
        tap.is_(certificate(port, "www.example.org"), pem_to_der(cert),
                "certificate")
        with secure(port, "www.example.org", cert) as s:
            tap.like(ask(s, "www.example.org").decode(), "<title>", "page")
    with tap.case("curl --resolve, many requests on one connection"):
        url = f"https://www.example.org:{port}/"
        done = lab.run(["curl", "-sS", "--cacert", cert, "--resolve",
                        f"www.example.org:{port}:127.0.0.1"] +
                       [url + "who"] * 20)
        tap.is_(done.stdout.count("nginx www.example.org"), 20, done.stderr)
    for option in ("-tls1_2", "-tls1_3"):
        with tap.case(f"openssl s_client {option}"):
            done = lab.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{port}",
                 "-servername", "www.example.org", "-CAfile", cert,
                 "-verify_return_error", option])
            tap.like(done.stdout, "Verify return code: 0", done.stderr)
    with tap.case("a large body both ways, byte for byte"):
        data = os.urandom(3 << 20)
        nginx.file("big", data)
        done = lab.run(["curl", "-sS", "-o", lab.path("got"), "--cacert",
                        cert, "--resolve",
                        f"www.example.org:{port}:127.0.0.1", url + "big"])
        with open(lab.path("got"), "rb") as f:
            tap.ok(f.read() == data, done.stderr)
    with tap.case("by its first label too, and an https:// service"):
        for name in ("id1.whatever.test", "ID1.example.com"):
            tap.is_(certificate(port, name), pem_to_der(cert), name)
        tap.is_(get(server.port, host="id1").status, 200, "by Host as well")
    with tap.case("ptpctl on both sides says how each is reached"):
        ways = {row["url"] for row in client.show_json("services")
                if row["name"] == "only.example.org"}
        tap.is_(ways, {f"https://only.example.org:{port}",
                       "CONNECT only.example.org"}, "client")
        tables = {row["table"] for row in server.show_json("routes")
                  if row["name"] == "only.example.org"}
        tap.is_(tables, {"http", "sni"}, "server")
    with tap.case("by CONNECT it is the service's own TLS as well"):
        done = lab.run(["curl", "-sSk", "--proxy",
                        f"http://127.0.0.1:{server.port}", "-w",
                        "%{certs}", "https://only.example.org/who"])
        tap.like(done.stdout, "nginx only.example.org", done.stderr)
        tap.like(done.stdout, "www.example.org", "its certificate")
    with tap.case("http and https of one name are two services"):
        tap.is_(get(server.port, host="www.example.org").body, b"plain",
                "by Host")


def hellos(port, certs):
    whole = hello("www.example.org")
    want = pem_to_der(certs[0])

    def served(data, pieces=None):
        """Whether a ServerHello comes back."""
        with connect(port) as wire:
            for piece in pieces or [data]:
                wire.send(piece)
            return wire.take(3) == b"\x16\3\3"

    tap.ok(want, "there is a certificate")
    with tap.case("byte by byte"):
        tap.ok(served(whole, [bytes([b]) for b in whole]), "served")
    for size in (1, 5, 37, 100):
        with tap.case(f"in records of {size} bytes"):
            tap.ok(served(records(whole[5:], size)), "served")
    with tap.case("in two parts, cut anywhere near the name"):
        at = whole.index(b"www.example.org")
        for cut in (1, 4, 5, 6, 9, at - 3, at, at + 5, at + 15,
                    len(whole) - 1):
            tap.ok(served(whole, [whole[:cut], whole[cut:]]), f"at {cut}")
    with tap.case("16 KiB with GREASE, in one record and in many"):
        large = grown(whole, 16384)
        tap.ok(served(records(large, 16384)), "one")
        tap.ok(served(records(large, 700)), "many")
    with tap.case("too large: decode_error"):
        tap.is_(answered(port, records(grown(whole, 30000), 16384)), DECODE,
                "alert")
    with tap.case("TLS 1.2 only"):
        tap.ok(served(hello("www.example.org", ssl.TLSVersion.TLSv1_2)),
               "served")


def alerts(lab, server):
    port = server.port_of("sni")
    for name, want, what in (
            ("nobody.example", UNRECOGNIZED, "an unknown name"),
            (None, MISSING, "no name"),
            ("id9.www.example.org", UNRECOGNIZED, "a name below")):
        with tap.case(f"{what}: the alert for it, then the end"):
            tap.is_(answered(port, hello(name)), want, "alert")
    with tap.case("openssl s_client says so in words"):
        base = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}"]
        done = lab.run(base + ["-servername", "nobody.example"])
        tap.like(done.stderr, "unrecognized name", "unknown")
        done = lab.run(base + ["-noservername"])
        tap.like(done.stderr, "missing extension|alert number 109", "none")
    for data, want in (
            (b"\x16\3\1\0\4\2\0\0\0", UNEXPECTED),
            (b"\x16\3\1\x40\1", OVERFLOW),
            (b"\x16\3\1\0\0", DECODE)):
        with tap.case(f"malformed: alert {want}"):
            tap.is_(answered(port, data + bytes(64)), want, "alert")
    with tap.case("half a hello, then the end of it: decode_error"):
        with connect(port) as wire:
            wire.send(hello("www.example.org")[:100])
            wire.shut()
            tap.is_(alert(wire), DECODE, "alert")
    with tap.case("HTTP to this port: a page that says so"):
        answer = get(port, host="www.example.org")
        tap.is_(answer.status, 400, "status")
        tap.like(answer.body.decode(), "HTTPS", "page")
    with tap.case("garbage: closed"):
        with connect(port) as wire:
            wire.send(b"\0\1\2\3")
            tap.ok(wire.ending() in ("end", "reset"), "closed")
    with tap.case("silence, and a hello that never ends: closed in time"):
        hasty = Ptpd(lab, "-o", "listen.sni=127.0.0.1:0",
                     "-o", "timeouts.head=3s")
        for data in (b"", hello("www.example.org")[:60]):
            with connect(hasty.port_of("sni")) as wire:
                wire.send(data)
                tap.ok(wire.ending() in ("end", "reset"), "closed")
        hasty.stop()
    with tap.case("access.sni.deny: access_denied"):
        with Wire(socket.create_connection(
                ("127.0.0.1", port), 10,
                source_address=("127.0.0.77", 0))) as wire:
            wire.send(hello("www.example.org"))
            tap.is_(alert(wire), DENIED, "alert")


def proxied(server, certs):
    port = server.port_of("sni")
    with tap.case("PROXY header in front of the hello"):
        for head in (b"PROXY TCP4 192.0.2.7 198.51.100.1 5000 443\r\n",
                     b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" +
                     bytes([192, 0, 2, 7, 1, 2, 3, 4]) + b"\x10\0\1\xbb"):
            with Wire(socket.create_connection(
                    ("127.0.0.1", port), 10,
                    source_address=("127.0.0.9", 0))) as wire:
                for byte in head + hello("www.example.org"):
                    wire.send(bytes([byte]))
                tap.is_(wire.take(3), b"\x16\3\3", "ServerHello")


def away(lab, server, nginx):
    port = server.port_of("sni")
    client = Ptp(lab, server, f"{nginx.url.replace('https', 'tls')},"
                 "name=away.example", user="id2:secret2")
    first = certificate(port, "away.example")
    with tap.case("its client is lost: visitors wait, and are served by the "
                  "next"):
        client.kill()
        got = []
        thread = threading.Thread(
            target=lambda: got.append(certificate(port, "away.example")))
        server.wait_line("client id2 lost its last tunnel")
        thread.start()
        until("one waits", lambda: any(
            row["parked"] for row in server.show_json("clients")))
        client = Ptp(lab, server, f"{nginx.url.replace('https', 'tls')},"
                     "name=away.example", user="id2:secret2")
        thread.join(60)
        tap.is_(got, [first], "certificate")
    with tap.case("it leaves: internal_error, as 503 is for HTTP"):
        client.leave()
        tap.is_(answered(port, hello("away.example")), INTERNAL, "alert")


def ends(lab, server):
    """Half-close and reset pass as they are."""
    port = server.port_of("sni")

    def talk(wire, origin):
        data = wire.rest()
        origin.seen.append(len(data))
        wire.send(b"\x15\3\3\0\2\1\0")
        wire.shut()

    site = lab.keep(Origin(talk))
    Ptp(lab, server, f"tls://127.0.0.1:{site.port},name=ends.example",
        user="id3:secret3")
    with tap.case("half-close is half-close"):
        data = hello("ends.example") + b"x" * 100000
        with connect(port) as wire:
            wire.send(data)
            wire.shut()
            tap.is_(wire.rest(), b"\x15\3\3\0\2\1\0", "the answer")
        tap.is_(site.seen, [len(data)], "all of it came")
    with tap.case("nobody listens there: a reset"):
        site.close()
        with connect(port) as wire:
            wire.send(hello("ends.example"))
            tap.is_(wire.ending(), "reset", "ending")


def tunnels(lab, server, nginx):
    with tap.case("a tunnel by the same port, with the addresses of its "
                  "services"):
        port = server.port_of("sni")
        client = Ptp(lab, server, f"{nginx.url},name=both.example",
                     user="id4:secret4", address="tcp://id4:secret4@"
                     f"127.0.0.1:{port}")
        until("both lines", lambda: client.out().count("reachable") == 2)
        tap.like(client.out(), rf"http://both\.example:{server.port}\b",
                 "by http")
        tap.like(client.out(), rf"https://both\.example:{port}\b", "by https")
        certificate(port, "both.example")
        client.stop()
    with tap.case("no listen.sni: refused, with the reason"):
        other = Ptpd(lab)
        client = Ptp(lab, other, "tls://127.0.0.1:1,name=x.test", wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
        tap.like(client.log(), "no listener", "log")
        other.stop()


def death(server, certs):
    with tap.case("the edge dies: what it had not judged is judged by the "
                  "next"):
        port = server.port_of("sni")
        whole = hello("www.example.org")
        with connect(port) as wire:
            wire.send(whole[:50])
            holder = until("it is held", lambda: [
                w for w in server.workers("sni") if w["connections"] > 0])
            os.kill(int(holder[0]["pid"]), signal.SIGKILL)
            wire.send(whole[50:])
            tap.is_(wire.take(3), b"\x16\3\3", "ServerHello")


def restarts(lab, certs, nginx):
    """What is half said, and what is open, stays over a restart."""
    def echo(wire, origin):
        while data := wire.sock.recv(65536):
            origin.seen.append(wire.buffer + data)
            wire.sock.sendall(data)

    open_one = lab.keep(Origin(echo))
    forwarded = lab.keep(Origin(paths({}, lambda w, r: reply(
        r.get("X-Forwarded-For", "none")))))
    server = Ptpd(lab, "-o", "listen.sni=127.0.0.1:0",
                  "-o", "access.http.proxy=127.0.0.9")
    Ptp(lab, server, f"{nginx.url.replace('https', 'tls')},"
        f"name=www.example.org",
        f"tls://127.0.0.1:{open_one.port},name=open.example", forwarded.url)
    port = server.port_of("sni")
    whole = hello("www.example.org")
    with connect(port) as half, connect(port) as up, Wire(
            socket.create_connection(
                ("127.0.0.1", server.port), 10,
                source_address=("127.0.0.9", 0))) as behind:
        first = hello("open.example")
        half.send(whole[:77])
        up.send(first)
        tap.is_(up.take(len(first)), first, "echo")
        behind.send(b"PROXY TCP4 192.0.2.7 1.2.3.4 5 6\r\nGET / HTTP/1.1\r\n")
        with tap.case("restart: half a hello, half a request behind a PROXY "
                      "header, an open connection"):
            done = server.ctl("restart")
            tap.is_(done.returncode, 0, done.stderr)
            half.send(whole[77:])
            tap.is_(half.take(3), b"\x16\3\3", "ServerHello")
            behind.send(b"Host: id1\r\n\r\n")
            tap.is_(behind.response().body, b"192.0.2.7", "forwarded")
            up.send(b"still here")
            tap.is_(up.take(10), b"still here", "the open one")
    server.stop()


def reloads(lab, certs, nginx):
    conf = 'users = ( { id = "id1"; secret = "secret1"; } );\n%s\n'
    path = lab.write("ptpd.conf", conf % "")
    server = Ptpd(lab, "-f", path, users=())
    client = Ptp(lab, server, nginx.url)
    sni = 'listen = { sni = "127.0.0.1:%d"; };' % free_port()

    def reload(more):
        lab.write("ptpd.conf", conf % more)
        done = server.ctl("reload")
        tap.is_(done.returncode, 0, done.stderr)

    with tap.case("reload: listen.sni appears, with its worker"):
        reload(sni)
        until("its worker", lambda: server.pids("sni"))
        until("its client is told", lambda: "https://" in
              client.out().replace(nginx.url, ""))
        port = server.port_of("sni")
        tap.is_(certificate(port, "id1.test"), pem_to_der(certs[0]),
                "certificate")
    with tap.case("access.sni.deny holds from the next connection on"):
        reload(sni + 'access = { sni = { deny = "127.0.0.1"; }; };')
        tap.is_(answered(port, hello("id1.test")), DENIED, "alert")
        tap.is_(get(server.port, host="id1").status, 200, "http")
    with tap.case("reload: and goes; what is open stays"):
        reload(sni)
        with secure(port, "id1.test") as s:
            reload("")
            until("its worker has ended", lambda: not server.pids("sni"))
            tap.like(ask(s, "id1").decode(), "<title>", "page")
        with tap.case("nobody listens there"):
            try:
                socket.create_connection(("127.0.0.1", port), 2).close()
                tap.ok(False, "connected")
            except ConnectionRefusedError:
                pass
    server.stop()


def alone(lab, certs, nginx):
    """A server that speaks nothing but TLS by server name."""
    with tap.case("only listen.sni: an https:// service by the id"):
        server = lab.start("ptpd", [
            lab.program("ptpd"), "-d", "-o", "listen.sni=127.0.0.1:0",
            "-o", f"socket={lab.path('alone.sock')}",
            "-o", f"host_key={lab.path('alone.key')}", "-u", "id1:secret1"])
        port = int(server.wait_line(
            r"ready: sni 127\.0\.0\.1:(\d+)").group(1))
        client = Ptp(lab, None, nginx.url, address="tcp://id1:secret1@"
                     f"127.0.0.1:{port}")
        tap.like(client.out(), rf"at https://127\.0\.0\.1:{port} \(server "
                 r"name: id1\)", "its line")
        tap.is_(certificate(port, "id1.example.com"), pem_to_der(certs[0]),
                "certificate")
        client.stop()
    with tap.case("only listen.sni: an http:// service is refused"):
        client = Ptp(lab, None, "http://127.0.0.1:1", wait=False, address=
                     f"tcp://id1:secret1@127.0.0.1:{port}")
        tap.is_(client.wait_exit(), 3, client.log())
        tap.like(client.log(), "no listener", "log")
        server.stop()


@tap.main
def run():
    with Lab() as lab:
        certs = self_signed(lab, "www.example.org")
        server = Ptpd(
            lab, "-o", "listen.sni=127.0.0.1:0",
            "-o", "access.sni.deny=127.0.0.77",
            "-o", "access.sni.proxy=127.0.0.9",
            "-o", "timeouts.park=60s",
            users=[f"id{i}:secret{i}" for i in range(1, 5)])
        plain = lab.keep(Origin(paths({}, lambda w, r: reply("plain"))))
        nginx = Nginx(lab, tls=certs)
        tls = nginx.url.replace("https", "tls")
        client = Ptp(lab, server, nginx.url, f"{tls},name=www.example.org",
                     f"{tls},name=only.example.org",
                     f"{plain.url},name=www.example.org")
        passed_through(lab, server, client, certs, nginx)
        hellos(server.port_of("sni"), certs)
        alerts(lab, server)
        proxied(server, certs)
        ends(lab, server)
        tunnels(lab, server, nginx)
        death(server, certs)
        away(lab, server, nginx)
        alone(lab, certs, nginx)
        restarts(lab, certs, nginx)
        reloads(lab, certs, nginx)
