#!/usr/bin/python3
"""Names of every kind: virtual, wildcards, addresses; conflicts over them."""

import os
import socket
import threading

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, port_answers, until
from lib.origin import Origin, echo, paths, reply
from lib.web import Nginx, self_signed
from lib.wire import Wire, connect, get


USERS = """
users = ( { id = "id1"; secret = "secret1"; hosts = {}; },
          { id = "id2"; secret = "secret2"; } );
"""


def status(server, name):
    return get(server.port, host=name).status


def body(server, name):
    return get(server.port, host=name).body


class Docker(threading.Thread):
    """A service on a unix socket, as docker has one: /version."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.sock.listen()
        self.start()

    def run(self):
        while True:
            wire = Wire(self.sock.accept()[0])
            with wire:
                if wire.upto(b"\r\n\r\n").startswith(b"GET /version "):
                    wire.send(reply('{"Version": "1"}'))


def samples(lab, site):
    with tap.case("two names for one service, as a hosts file has them"):
        server = Ptpd(lab)
        client = Ptp(lab, server, f"{site.url},name=local-web.test,"
                     "name=www.domain.com,rewrite_host=true")
        for name in "local-web.test", "www.domain.com":
            done = lab.run(["curl", "-sS", "--resolve",
                            f"{name}:{server.port}:127.0.0.1",
                            f"http://{name}:{server.port}/echo"])
            tap.like(done.stdout, rf"Host: 127\.0\.0\.1:{site.port}\b", name)
            client.wait_line(rf"at http://{name}:{server.port}$", "stdout")
        tap.is_(status(server, "LOCAL-WEB.Test:1"), 200, "case and port")
        client.leave()
    with tap.case("a unix socket under a virtual name"):
        Docker(lab.path("docker.sock"))
        client = Ptp(lab, server, f"unix:{lab.path('docker.sock')},"
                     "name=local-unix.test")
        answer = get(server.port, "/version", "local-unix.test")
        tap.is_(answer.body, b'{"Version": "1"}', "version")
        client.stop()


def addresses(lab, site):
    with tap.case("a virtual address is a key with its port"):
        server = Ptpd(lab)
        client = Ptp(lab, server, f"{site.url},name=192.168.1.1:3000,"
                     "name=10.0.0.1:80,name=[FD00:0::1]:8080")
        tap.is_([status(server, n) for n in (
            "192.168.1.1:3000", "10.0.0.1:80", "10.0.0.1",
            "[fd00::1]:8080")], [200] * 4, "those")
        tap.is_([status(server, n) for n in (
            "192.168.1.1:3001", "192.168.1.1", "192.168.1.2:3000",
            "[fd00::1]", "10.0.0.1:81")], [404] * 5, "others")
        client.wait_line(r"\(Host: 192\.168\.1\.1:3000\)$", "stdout")
    with tap.case("a kept-alive connection goes from a name to an address"):
        Ptp(lab, server, f"{site.url}", user="id1:secret1", wait=False)
        with connect(server.port) as wire:
            tap.is_(wire.get("/", "192.168.1.1:3000").status, 200, "one")
            tap.is_(wire.get("/", "10.0.0.1").status, 200, "two")
            tap.is_(wire.get("/", "192.168.1.1:3001").status, 404, "none")
    with tap.case("by CONNECT it is reached as by Host"):
        proxy = f"http://127.0.0.1:{server.port}"
        for port, code in (3000, 0), (3001, 56):
            done = lab.run(["curl", "-sS", "-p", "-x", proxy,
                            f"http://192.168.1.1:{port}/"])
            tap.is_(done.returncode, code, done.stderr)
    with tap.case("by CONNECT names of every kind are reached also where "
                  "http.mux_header is another"):
        server = Ptpd(lab, "-o", "http.mux_header=X-Id")
        Ptp(lab, server, site.url, f"{site.url},name=192.168.1.1:3000,"
            "name=a.example,name=*.b.example")
        proxy = f"http://127.0.0.1:{server.port}"
        for name in "192.168.1.1:3000", "a.example", "x.b.example", "id1":
            done = lab.run(["curl", "-sS", "-p", "-x", proxy,
                            f"http://{name}/"])
            tap.is_(done.stdout, "one", name)
        with connect(server.port) as wire:
            tap.is_(wire.get("/", "x", "X-Id: id1\r\n").status, 200, "an id")
            tap.is_(wire.get("/", "x", "X-Id: a.example\r\n").status, 404,
                    "another name")
    with tap.case("what an address looks like, but is none, is no name"):
        for name in "192.168.1.1", "1.2.3.4:0", "*", "a.b:80":
            done = Ptp(lab, server, f"80,name={name}", wait=False)
            tap.is_(done.wait_exit(), 1, name)


def wildcards(lab, site, other):
    with tap.case("a wildcard: all below it; the longest wins, a full name "
                  "beats both"):
        server = Ptpd(lab, "-u", "id2:secret2")
        first = Ptp(lab, server, f"{site.url},name=*.example.org")
        second = Ptp(lab, server,
                     f"{other.url},name=*.b.example.org,name=x.example.org",
                     user="id2:secret2")
        tap.is_([body(server, n) for n in (
            "a.example.org", "a.c.example.org", "b.example.org",
            "a.b.example.org", "a.c.b.example.org", "X.example.org:81")],
                [b"one"] * 3 + [b"two"] * 3, "whose")
        tap.is_([status(server, n) for n in (
            "example.org", "xexample.org", "example.com")], [404] * 3,
                "others")
        tap.is_(sorted(r["kind"] for r in server.show_json("routes")),
                ["full", "wildcard", "wildcard"], "ptpctl show routes")
        second.stop()
        until("it waits for its owner",
              lambda: status(server, "a.b.example.org") == 503)
        tap.is_(body(server, "a.c.example.org"), b"one", "the wider one")
    with tap.case("it catches no other id's name, also while that is away"):
        tap.is_(status(server, "id2.example.org"), 503, "away")
        second = Ptp(lab, server, other.url, user="id2:secret2")
        tap.is_(body(server, "id2.example.org"), b"two", "here")
        second.stop()
        first.stop()
    with tap.case("it is no way around rules on prefixes"):
        server = Ptpd(lab, "-o", "domain=example.org", "-o",
                      'limits.hosts.regex=["^web"]')
        client = Ptp(lab, server, f"{site.url},name=*.example.org",
                     wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
        Ptp(lab, server, f"{site.url},name=*.example.com").stop()


def server_names(lab, site):
    with tap.case("by server name: the same kinds, in a table of their own"):
        server = Ptpd(lab, "-o", "listen.sni=127.0.0.1:0", "-u", "id2:secret2")
        port = server.port_of("sni")
        secure = Nginx(lab, "tls", tls=self_signed(lab))
        Ptp(lab, server, secure.url, f"{secure.url},name=*.b.example,"
            "name=local.test")
        Ptp(lab, server, f"{site.url},name=plain.test", user="id2:secret2")

        def ask(name):
            return lab.run(["curl", "-sSk", "--resolve",
                            f"{name}:{port}:127.0.0.1",
                            f"https://{name}:{port}/who"])

        for name in ("x.b.example", "y.x.b.example", "LOCAL.test",
                     "id1.example.com"):
            tap.like(ask(name).stdout, "^tls ", name)
        for name in "b.example", "plain.test", "id2.b.example":
            tap.is_(ask(name).returncode, 35, name)
        tap.is_(status(server, "plain.test"), 200, "by Host")
        tap.is_(status(server, "x.b.example"), 200, "by Host")
        tap.is_(sorted((r["table"], r["name"])
                       for r in server.show_json("routes")),
                [("http", "*.b.example"), ("http", "id1"),
                 ("http", "local.test"), ("http", "plain.test"),
                 ("sni", "*.b.example"), ("sni", "id1"),
                 ("sni", "local.test")], "routes")


def conflicts(lab, site, other):
    with tap.case("a name of another client: nothing of the list is granted, "
                  "and the client says which it is"):
        port = free_port()
        server = Ptpd(lab, "-u", "id2:secret2", "-o",
                      f'limits.tcp=({{ range = "{port}"; }})')
        first = Ptp(lab, server, f"{site.url},name=www.taken.com")
        second = Ptp(lab, server, f"{other.url},name=new.com",
                     f"{other.url},name=www.taken.com,name=newer.com",
                     f"tcp://127.0.0.1:{other.port},port={port}",
                     user="id2:secret2", wait=False)
        second.wait_line(r"www\.taken\.com is taken: held by")
        second.wait_line(r"newer\.com waits: ")
        tap.unlike(second.log(), r"new(er)?\.com is (taken|refused)", "why")
        tap.is_([status(server, n) for n in ("new.com", "newer.com")],
                [404, 404], "the others of the list")
        tap.is_(body(server, "www.taken.com"), b"one", "its owner")
        tap.ok(not port_answers(port), "its port")
    with tap.case("when it is free the whole list is granted"):
        first.stop()
        until("granted", lambda: [body(server, n) for n in (
            "new.com", "www.taken.com", "newer.com")] == [b"two"] * 3, 60)
        until("the port", lambda: port_answers(port))
    with tap.case("what was granted before stays in force"):
        first = Ptp(lab, server, f"{site.url},name=mine.com")
        done = second.ctl("add", f"{other.url},name=more.com,name=mine.com")
        tap.is_(done.returncode, 0, done.stderr)
        second.wait_line(r"mine\.com is taken")
        tap.is_([body(server, n) for n in (
            "new.com", "www.taken.com", "newer.com", "mine.com")],
                [b"two"] * 3 + [b"one"], "as before")
        tap.is_(status(server, "more.com"), 404, "of the same list")
        done = second.ctl("remove", "mine.com")
        if done.returncode:
            done = second.ctl("remove", "more.com")
        tap.is_(done.returncode, 0, done.stderr)
    with tap.case("a name in vain ends nothing else of the same client"):
        third = Ptp(lab, server, f"{site.url},name=new.com",
                    f"{site.url},name=own.com", user="id2:secret2",
                    wait=False)
        third.wait_line(r"new\.com is taken: held by")
        until("its own", lambda: status(server, "own.com") == 200)
        third.stop()


def away(lab, site, other):
    """Names of a client that was lost, for longer than timeouts.park."""
    conf = lab.write("away.conf", USERS)
    server = Ptpd(lab, "-f", conf, "-o", "timeouts.park=0", users=())
    names = "www.own.com", "*.own.org", "10.0.0.9:80", "pre"
    asked = "www.own.com", "x.own.org", "10.0.0.9", "pre"

    def lose(*names):
        client = Ptp(lab, server, *[f"{site.url},name={n}" for n in names])
        mark = server.mark()
        client.kill()
        server.wait_line("client id1 is gone", since=mark)

    def in_vain(name):
        client = Ptp(lab, server, f"{other.url},name={name},name=vain.com",
                     user="id2:secret2", wait=False)
        client.wait_line(r"is taken: kept for another client, which is away;")
        client.wait_line(r"vain\.com waits: ")
        client.stop()

    with tap.case("names of every kind stay those of a client that was lost, "
                  "through a reload and a restart"):
        lose(*names)
        in_vain("WWW.own.com")
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        tap.is_(server.ctl("restart").returncode, 0, "restart")
        for name in names:
            in_vain(name)
        tap.is_([status(server, n) for n in asked], [503] * 4, "users")
    with tap.case("it is back: it has what it asks for, the rest is free"):
        first = Ptp(lab, server, f"{site.url},name=www.own.com,name=new.com")
        tap.is_(body(server, "www.own.com"), b"one", "its own")
        second = Ptp(lab, server, f"{other.url},name=pre", user="id2:secret2")
        tap.is_(body(server, "pre"), b"two", "the rest")
        second.leave()
    with tap.case("one that ends leaves its names to others"):
        first.leave()
        second = Ptp(lab, server, f"{other.url},name=www.own.com",
                     user="id2:secret2")
        tap.is_(body(server, "www.own.com"), b"two", "free")
        second.leave()
    with tap.case("names that it may not have any more are free"):
        lose("a.com", "b-1")
        lab.write("away.conf", USERS.replace("hosts = {}", 'hosts = { '
                                             'regex = "^x"; }'))
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        in_vain("a.com")
        second = Ptp(lab, server, f"{other.url},name=b-1", user="id2:secret2")
        second.leave()
    with tap.case("and so are all of one who is no user any more"):
        lab.write("away.conf", USERS.replace('"id1"', '"id3"'))
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        second = Ptp(lab, server, f"{other.url},name=a.com",
                     user="id2:secret2")
        tap.is_(body(server, "a.com"), b"two", "free")


def restart(lab, site):
    with tap.case("names of every kind survive a restart"):
        server = Ptpd(lab)
        names = "a.com", "*.b.com", "10.1.1.1:80", "web"
        Ptp(lab, server, *[f"{site.url},name={n}" for n in names])
        done = server.ctl("restart")
        tap.is_(done.returncode, 0, done.stderr)
        for name in "a.com", "x.b.com", "10.1.1.1", "web":
            tap.is_(status(server, name), 200, name)


@tap.main
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({"/echo": echo},
                                     lambda w, r: reply("one"))))
        other = lab.keep(Origin(paths({}, lambda w, r: reply("two"))))
        samples(lab, site)
        addresses(lab, site)
        wildcards(lab, site, other)
        server_names(lab, site)
        conflicts(lab, site, other)
        away(lab, site, other)
        restart(lab, site)
