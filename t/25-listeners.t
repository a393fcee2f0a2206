#!/usr/bin/python3
"""Who may come to a listener, as whom, and where the redirect leads."""

import json
import socket
import ssl

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, raw_echo, reply, upgrade
from lib.web import Haproxy, self_signed
from lib.wire import Wire, get

V2 = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: id1\r\nConnection: close\r\n\r\n"


def dial(port, source="127.0.0.1"):
    """A connection from that address of the loopback network."""
    return Wire(socket.create_connection(
        ("127.0.0.1", port), 10, source_address=(source, 0)))


def ask(port, source="127.0.0.1", head=b"", request=REQUEST):
    """The answer to a request."""
    with dial(port, source) as wire:
        wire.send(head + request)
        return wire.response()


def turned_away(port, source, data):
    """Whether the connection just ends, without a byte."""
    with dial(port, source) as wire:
        wire.send(data)
        return wire.ending() in ("end", "reset")


def forwarded(wire, request):
    return reply(request.get("X-Forwarded-For", "none"))


def redirects(lab, site):
    server = Ptpd(lab, "-o", "listen.http_redirect=127.0.0.1:0")
    Ptp(lab, server, site.url)
    port = server.port_of("http_redirect")
    for target, host, want in (
            ("/a/b?c=d&e", "id1.example.com", "id1.example.com/a/b?c=d&e"),
            ("/", "Id1.Example.com:8080", "id1.example.com/"),
            ("http://x.test/p?q", "x.test", "x.test/p?q"),
            ("http://x.test", "x.test", "x.test/"),
            ("/", "[::1]:80", "[::1]/")):
        with tap.case(f"308 for {target} of {host}"):
            answer = get(port, target, host=host)
            tap.is_((answer.status, answer.get("Location")),
                    (308, "https://" + want), "answer")
    with tap.case("a long path stays whole"):
        path = "/" + "x" * 15000
        tap.is_(get(port, path, host="a").get("Location"),
                "https://a" + path, "Location")
    with tap.case("HEAD, POST and OPTIONS * too"):
        for line in ("HEAD /x", "POST /x", "OPTIONS *"):
            answer = ask(port, request=f"{line} HTTP/1.1\r\nHost: a\r\n"
                         "Content-Length: 0\r\n\r\n".encode())
            tap.is_(answer.get("Location"), "https://a" +
                    ("/x" if "/x" in line else "/"), line)
    with tap.case("no Host: 400; no tunnels there"):
        tap.is_(ask(port, request=b"GET / HTTP/1.0\r\n\r\n").status, 400,
                "status")
        client = Ptp(lab, server, site.url, wait=False, address="tcp://"
                     f"id1:secret1@127.0.0.1:{port}")
        client.wait_line("reset by peer|closed")
        client.kill()
    with tap.case("with a port where https has another than 443"):
        other = Ptpd(lab, "-o", "listen.http_redirect=127.0.0.1:0",
                     "-o", "listen.sni=127.0.0.1:0")
        answer = get(other.port_of("http_redirect"), "/x", host="a")
        tap.is_(answer.get("Location"),
                f"https://a:{other.port_of('sni')}/x", "Location")
        tap.is_(other.ctl("check").returncode, 0, "check")
        other.stop()
    with tap.case("show listeners names them, check asks each"):
        kinds = [row["listener"] for row in server.show_json("listeners")]
        tap.is_(sorted(kinds), ["http", "http_redirect"], "kinds")
        done = server.ctl("-j", "check")
        tap.is_((done.returncode, [row["status"] for row in
                                   json.loads(done.stdout)]),
                (0, [404, 308, 200]), done.stderr)
    server.stop()


def lists(lab, site):
    server = Ptpd(lab, "-o", 'access.http.deny=["127.0.0.2", "127.1.0.0/16"]',
                  "-o", 'access.http.allow=["127.0.0.0/9", "::1"]',
                  "-o", "listen.http_redirect=127.0.0.1:0",
                  "-o", "access.http_redirect.deny=127.0.0.2")
    Ptp(lab, server, site.url)
    for source, want in (("127.0.0.1", 200), ("127.0.0.2", 403),
                         ("127.0.0.3", 200), ("127.1.2.3", 403),
                         ("127.200.0.1", 403)):
        with tap.case(f"from {source}: {want}"):
            tap.is_(ask(server.port, source).status, want, "status")
    with tap.case("the redirect has lists of its own"):
        port = server.port_of("http_redirect")
        tap.is_([ask(port, a).status for a in ("127.0.0.1", "127.0.0.2")],
                [308, 403], "status")
    with tap.case("a tunnel from there is closed, the log says why"):
        tap.ok(turned_away(server.port, "127.0.0.2",
                           b"\x8eptp\1\1\1\0"), "closed")
        server.wait_line("127.0.0.2:.* not allowed by access.http")
    with tap.case("show listeners says which lists there are"):
        tap.is_([row["access"] for row in server.show_json("listeners")],
                ["allow, deny", "deny"], "access")
    server.stop()
    with tap.case("lists that a reload changes hold for the next request of "
                  "those who are there, and not for what is no request"):
        conf = lab.write("access.conf", "")
        server = Ptpd(lab, "-f", conf, "-o", "timeouts.park=60s")

        def change(text):
            lab.write("access.conf", text)
            tap.is_(server.ctl("reload").returncode, 0, "reload")

        raw = lab.keep(Origin(paths({"/raw": raw_echo}, forwarded)))
        client = Ptp(lab, server, raw.url)
        with dial(server.port, "127.0.0.1") as one, \
                dial(server.port, "127.0.0.1") as two, \
                dial(server.port, "127.0.0.3") as three, \
                dial(server.port, "127.0.0.1") as opaque:
            for wire in one, two, three:
                tap.is_(wire.get("/").status, 200, "before")
            upgrade(opaque)
            change('access = { http = { deny = "127.0.0.1"; }; };')
            tap.is_(one.get("/").status, 403, "denied")
            tap.is_(one.ending(), "end", "closed")
            tap.is_(three.get("/").status, 200, "another")
            opaque.send("here")
            tap.is_(opaque.take(4), b"here", "what has been let in")
            change("")
            tap.is_(two.get("/").status, 200, "again")
            change('access = { http = { allow = "127.0.0.1"; }; };')
            tap.is_(two.get("/").status, 200, "allowed")
            tap.is_(three.get("/").status, 403, "not among them")
        change("")
        client.kill()
        server.wait_line("lost its last tunnel")
        with dial(server.port, "127.0.0.1") as waits:
            waits.send(REQUEST)
            until("it waits for the client", lambda: server.show_json(
                "clients")[0]["parked"] == 1)
            change('access = { http = { deny = "127.0.0.1"; }; };')
            tap.is_(waits.response().status, 403, "one who waited")
        server.stop()
    with tap.case("IPv4 in IPv6 counts as IPv4"):
        server = Ptpd(lab, "-o", "access.http.deny=127.0.0.2", "-o",
                      'listen.http=["127.0.0.1:0", "0"]')
        Ptp(lab, server, site.url)
        port = [int(r["port"]) for r in server.show_json("listeners")][1]
        tap.is_([ask(port, a).status for a in ("127.0.0.1", "127.0.0.2")],
                [200, 403], "status")
        server.stop()


def headers(lab, site):
    server = Ptpd(lab, "-o", "access.http.proxy=127.0.0.9",
                  "-o", 'access.http.deny=["192.0.2.66", "2001:db8::/32"]')
    Ptp(lab, server, site.url)
    port, balancer = server.port, "127.0.0.9"
    v1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 5000 80\r\n"
    v2 = V2 + b"\x21\x11\0\x14" + bytes([192, 0, 2, 8, 1, 2, 3, 4]) + \
        b"\x10\0\0\x50" + b"\4\0\5tlvs!"
    with tap.case("version 1: its address is the user's"):
        tap.is_(ask(port, balancer, v1).body, b"192.0.2.7", "forwarded")
    with tap.case("version 2, with TLVs"):
        tap.is_(ask(port, balancer, v2).body, b"192.0.2.8", "forwarded")
    with tap.case("IPv6"):
        answer = ask(port, balancer,
                     b"PROXY TCP6 2001:db9::1 ::1 5000 80\r\n")
        tap.is_(answer.body, b"2001:db9::1", "forwarded")
    for head in (b"PROXY UNKNOWN\r\n", V2 + b"\x20\0\0\0"):
        with tap.case("a header without address leaves the balancer's"):
            tap.is_(ask(port, balancer, head).body, balancer.encode(),
                    "forwarded")
    with tap.case("byte by byte"):
        with dial(port, balancer) as wire:
            for byte in v1 + REQUEST:
                wire.send(bytes([byte]))
            tap.is_(wire.response().body, b"192.0.2.7", "forwarded")
    with tap.case("keep-alive: the header comes once, it holds for all"):
        with dial(port, balancer) as wire:
            wire.send(v1)
            for _ in range(3):
                tap.is_(wire.get("/").body, b"192.0.2.7", "forwarded")
    with tap.case("the address in it is the one that is denied"):
        for address in (b"TCP4 192.0.2.66 1.2.3.4", b"TCP6 2001:db8::1 ::1",
                        b"TCP6 ::ffff:192.0.2.66 ::1"):
            answer = ask(port, balancer, b"PROXY " + address + b" 1 2\r\n")
            tap.is_(answer.status, 403, str(address))
    with tap.case("unknown names are answered behind it"):
        answer = ask(port, balancer, v2, REQUEST.replace(b"id1", b"id9"))
        tap.is_(answer.status, 404, "status")
        tap.like(answer.body.decode(), "id9", "the page names it")
        server.wait_line("192.0.2.8:4096: 404 Not Found")
        server.wait_line("192.0.2.8:4096 asks for id9")
    with tap.case("without it a balancer is not served, and the log says so"):
        tap.ok(turned_away(port, balancer, REQUEST), "closed")
        server.wait_line(rf"{balancer}:\d+: no header of the PROXY protocol")
    for head in (V2 + b"\x21\x11\xff\xff", b"PROXY TCP4 1 2 3 4\r\n"):
        with tap.case("a broken one neither"):
            tap.ok(turned_away(port, balancer, head + REQUEST), "closed")
    with tap.case("nobody else may send one"):
        tap.is_(ask(port, "127.0.0.1", v1).status, 400, "status")
    with tap.case("show streams has the real peer"):
        with dial(port, balancer) as wire:
            wire.send(v1)
            wire.get("/")
            until("its row", lambda: any(
                "192.0.2.7" in str(row) for row in
                server.show_json("streams")))
    return server


def balancers(lab, server):
    for word in ("send-proxy", "send-proxy-v2"):
        with tap.case(f"haproxy: {word}, for users"):
            front = Haproxy(lab, f"127.0.0.1:{server.port} {word} "
                            "source 127.0.0.9", mode="tcp")
            tap.is_(ask(front.port, "127.0.0.5").body, b"127.0.0.5",
                    "forwarded")
        with tap.case(f"haproxy: {word}, for a client's tunnel"):
            site = lab.keep(Origin(paths({}, forwarded)))
            client = Ptp(lab, server, f"{site.url},name=behind",
                         user="id2:secret2", address="tcp://id2:secret2@"
                         f"127.0.0.1:{front.port}")
            tap.is_(get(server.port, host="behind").status, 200, "status")
            client.stop()


def over_tls(lab, site):
    """The same for listen.tls: the header comes before TLS."""
    cert, key = self_signed(lab)
    server = Ptpd(lab, "-o", "listen.tls=127.0.0.1:0", "-o",
                  f"tls.cert={cert}", "-o", f"tls.key={key}",
                  "-o", "access.tls.proxy=127.0.0.9",
                  "-o", 'access.tls.deny=["127.0.0.2", "192.0.2.66"]')
    Ptp(lab, server, site.url)
    port = server.port_of("tls")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def secure(source, head=b""):
        raw = socket.create_connection(("127.0.0.1", port), 10,
                                       source_address=(source, 0))
        raw.sendall(head)
        with Wire(context.wrap_socket(raw, server_hostname="id1")) as wire:
            return wire.get("/")

    with tap.case("listen.tls: the header comes before TLS"):
        for head in (b"PROXY TCP4 192.0.2.7 198.51.100.1 5000 443\r\n",
                     V2 + b"\x21\x11\0\x0c" +
                     bytes([192, 0, 2, 7, 1, 2, 3, 4]) + b"\x10\0\1\xbb"):
            tap.is_(secure("127.0.0.9", head).body, b"192.0.2.7", "forwarded")
    with tap.case("listen.tls: without a header from others"):
        tap.is_(secure("127.0.0.1").body, b"127.0.0.1", "forwarded")
    with tap.case("listen.tls: denied, by address and by the header's"):
        tap.is_(secure("127.0.0.2").status, 403, "by address")
        tap.is_(secure("127.0.0.9", b"PROXY TCP4 192.0.2.66 1.2.3.4 5 6\r\n")
                .status, 403, "by the header's")
    with tap.case("listen.tls: a balancer without a header is not served"):
        try:
            secure("127.0.0.9")
            tap.ok(False, "served")
        except OSError:
            pass
    for word in ("send-proxy", "send-proxy-v2"):
        with tap.case(f"listen.tls: haproxy {word}"):
            front = Haproxy(lab, f"127.0.0.1:{port} {word} source 127.0.0.9",
                            mode="tcp")
            done = lab.run(["curl", "-sk", "--interface", "127.0.0.5",
                            f"https://127.0.0.1:{front.port}/",
                            "-H", "Host: id1"])
            tap.is_(done.stdout, "127.0.0.5", done.stderr)
    with tap.case("the redirect leads to listen.tls"):
        other = Ptpd(lab, "-o", "listen.tls=127.0.0.1:0", "-o",
                     "listen.sni=127.0.0.1:0", "-o", f"tls.cert={cert}",
                     "-o", f"tls.key={key}",
                     "-o", "listen.http_redirect=127.0.0.1:0")
        tap.is_(get(other.port_of("http_redirect"), "/x", host="a")
                .get("Location"), f"https://a:{other.port_of('tls')}/x",
                "Location")
        other.stop()
    server.stop()


@tap.main
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({}, forwarded)))
        redirects(lab, site)
        lists(lab, site)
        server = headers(lab, site)
        server.stop()
        server = Ptpd(lab, "-o", "access.http.proxy=127.0.0.9",
                      "-u", "id2:secret2")
        Ptp(lab, server, site.url)
        balancers(lab, server)
        over_tls(lab, site)
