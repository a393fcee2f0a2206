#!/usr/bin/python3
"""listen.api: the page, metrics, and the data path's own test."""

import json
import os
import re
import signal
import time

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, reply
from lib.tls import Authority, dial, fingerprint, seen
from lib.wire import Truncated, connect, get


class Server(Ptpd):
    """A server with an api on a port of its own."""

    def __init__(self, lab, *options, **kw):
        super().__init__(lab, "-o", "listen.api=127.0.0.1:0", *options, **kw)
        found = re.search(r"ready:.*\bapi 127\.0\.0\.1:(\d+)", self.log())
        self.api = int(found.group(1))

    def read(self, path):
        return get(self.api, path, host="x", timeout=60)

    def says(self, code, path="/metrics"):
        """It answers with this; not while a worker is missing."""
        try:
            return self.read(path).status == code
        except (OSError, Truncated):
            return False


def status(server):
    answer = server.read("/status")
    return answer.status, json.loads(answer.body)


def views(lab, server, site):
    with tap.case("/show/WHAT is what ptpctl -j shows"):
        for what in ("workers", "listeners", "routes", "users", "tunnels"):
            answer = server.read(f"/show/{what}")
            tap.is_(answer.status, 200, what)
            ours = json.loads(answer.body)
            theirs = server.show_json(what)
            for rows in (ours, theirs):
                for row in rows:
                    for ageing in ("seconds", "age", "rtt", "rtt_us", "idle",
                                   "heard"):
                        row.pop(ageing, None)
            tap.is_(ours, theirs, what)
    with tap.case("/metrics: promtool finds nothing to complain about"):
        answer = server.read("/metrics")
        tap.is_(answer.status, 200, "status")
        with open(lab.write("metrics", answer.body.decode())) as text:
            done = lab.run(["promtool", "check", "metrics"], stdin=text)
        tap.is_((done.returncode, done.stdout + done.stderr), (0, ""),
                "promtool")
    with tap.case("/metrics: no series stands there twice"):
        other = Ptp(lab, server, site.url, user="id2:secret2")
        series = [line.rsplit(" ", 1)[0] for line in
                  server.read("/metrics").body.decode().splitlines()
                  if not line.startswith("#")]
        tap.is_([s for s in series if series.count(s) > 1], [], "twice")
        other.stop()
    with tap.case("/metrics counts payload and requests, per client"):
        def metric(name):
            text = server.read("/metrics").body.decode()
            return int(re.search(rf"^{re.escape(name)} (\d+)$", text,
                                 re.M).group(1))

        before = metric('ptpd_client_requests_total{client="id1"}')
        down = metric('ptpd_client_down_bytes_total{client="id1"}')
        for _ in range(5):
            tap.is_(get(server.port, "/").status, 200, "a page")
        until("five requests are counted", lambda: metric(
            'ptpd_client_requests_total{client="id1"}') - before == 5)
        until("bytes are counted", lambda: metric(
            'ptpd_client_down_bytes_total{client="id1"}') - down > 5 * 4)
    with tap.case("the page has what there is, and no script"):
        body = server.read("/").body.decode()
        for word in ("id1", "relay", "127.0.0.1", "Clients"):
            tap.ok(word in body, word)
        tap.ok("<script" not in body, "no script")
    with tap.case("HEAD, other methods, other paths, garbage"):
        with connect(server.api) as wire:
            wire.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            tap.like(wire.rest().decode(), r"^HTTP/1.1 200 [\s\S]*\r\n\r\n$",
                     "HEAD")
        with connect(server.api) as wire:
            wire.send("POST / HTTP/1.1\r\nHost: x\r\n"
                      "Content-Length: 0\r\n\r\n")
            tap.like(wire.rest().decode(), "^HTTP/1.1 405 [\\s\\S]*\nAllow: ",
                     "POST")
        tap.is_(server.read("/nope").status, 404, "unknown")
        tap.like(server.read("/show/hats").body.decode(), "/metrics",
                 "what there is")
        tap.is_(server.read("/show/").status, 404, "nothing")
        with connect(server.api) as wire:
            wire.send("\x00\x01garbage\r\n\r\n")
            tap.like(wire.rest().decode("latin-1"), "^(HTTP/1.1 400 |$)",
                     "garbage")
        with connect(server.api) as wire:
            wire.send("GET / HTTP/1.1\r\nX: " + "y" * 20000 + "\r\n\r\n")
            tap.ok(wire.ending() in ("end", "reset"), "too long")
        tap.is_(server.read("/metrics").status, 200, "still there")
    with tap.case("many at once that say nothing shut nobody out for good"):
        wires = [connect(server.api) for _ in range(100)]
        for wire in wires:
            wire.sock.close()
        until("it answers", lambda: server.says(200))


def go_on(stopped):
    """It may have been replaced, if it took long."""
    try:
        os.kill(stopped, signal.SIGCONT)
    except ProcessLookupError:
        pass


def data_path(lab, server, client):
    with tap.case("/status: a client of its own comes through, with the id of "
                  "nobody"):
        mark = server.mark()
        tap.is_(status(server)[0], 200, "status")
        server.wait_line(r"client status-\w+ logged in", since=mark)
        code, answer = status(server)
        tap.is_((code, answer["status"]), (200, "ok"), "answer")
        tap.ok(answer["version"], "a version")
    with tap.case("a good answer is good for a while: no second client"):
        mark = server.mark()
        for _ in range(5):
            tap.is_(status(server)[0], 200, "status")
        tap.ok("logged in" not in server.log(mark), server.log(mark))
    with tap.case("nothing of it is left"):
        def names():
            for pid in proc.family(server.pid):
                try:
                    yield proc.name(pid)
                except proc.GONE:
                    pass

        until("no process", lambda: "ptpd-probe" not in names())
        until("it has gone", lambda: not [
            r for r in server.show_json("clients")
            if r["id"].startswith("status-")])
    with tap.case("the same with a domain and another header"):
        for option in ("domain=example.net", "http.mux_header=X-Id"):
            other = Server(lab, "-o", option)
            tap.is_(status(other)[0], 200, option)
            other.stop()
    with tap.case("nothing to go through: 503 and why"):
        other = Ptpd(lab, "-o", "listen.api=127.0.0.1:0", "-o",
                     "listen.sni=127.0.0.1:0", "-o", "listen.http=[]",
                     wait=False)
        other.wait_line("ready:")
        answer = get(other.port_of("api"), "/status", host="x")
        tap.is_(answer.status, 503, "status")
        tap.like(answer.body.decode(), "no listen.http", "why")
        other.stop()
    with tap.case("broken: 503 and why; it recovers"):
        broken = Server(lab, "-o", "workers=1")
        victim, = broken.pids("relay")
        os.kill(victim, signal.SIGSTOP)
        start = time.monotonic()
        code, answer = status(broken)
        tap.is_((code, answer["status"]), (503, "failed"), "answer")
        tap.ok(answer["reason"], "a reason")
        tap.at_most(time.monotonic() - start, 40, "seconds")
        go_on(victim)
        until("it is well", lambda: broken.says(200, "/status"))
        broken.stop()
    with tap.case("many ask what takes long: each is told, ptpctl has room"):
        busy = Server(lab, "-o", "workers=1")
        victim, = busy.pids("relay")
        os.kill(victim, signal.SIGSTOP)
        wires = [connect(busy.api, 60) for _ in range(40)]
        for number, wire in enumerate(wires):
            path = ("/status", "/show/streams")[number % 2]
            wire.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
        tap.is_(busy.ctl("status").returncode, 0, "ptpctl")
        for wire in wires:
            tap.ok(wire.response().status in (200, 503), "answered")
        go_on(victim)
        until("all is well", lambda: busy.says(200, "/status"))
        busy.stop()
    with tap.case("its worker dies: another serves"):
        victim, = server.pids("api")
        os.kill(victim, signal.SIGKILL)
        until("another", lambda: server.pids("api") not in ([], [victim]))
        until("it answers", lambda: server.says(200))
        tap.is_(get(server.port).status, 200, "nobody else noticed")


def secure(lab, site):
    trust = Authority(lab)
    api = trust.issue("api.example.net")
    web = trust.issue("id1.example.net")
    keys = "".join(f'{name} = {{ cert = "{cert}"; key = "{key}"; }};\n'
                   for name, (cert, key) in (("api", api), ("tls", web)))
    listen = ('listen = { api = "127.0.0.1:0"; tls = "127.0.0.1:0"; };\n'
              'domain = "example.net";\n')
    conf = lab.write("secure.conf", listen + keys)
    server = Ptpd(lab, "-f", conf)
    client = Ptp(lab, server, site.url)
    port = server.port_of("api")
    with tap.case("api.cert: HTTPS, by that certificate whatever the name"):
        for name in ("api.example.net", "id1.example.net"):
            with dial(port, name) as wire:
                tap.is_(seen(wire), fingerprint(api[0]), name)
                tap.is_(wire.get("/metrics", name).status, 200, name)
        for name, cert in (("id1.example.net", web), (None, web)):
            with dial(server.port_of("tls"), name) as wire:
                tap.is_(seen(wire), fingerprint(cert[0]), f"user: {name}")
        tap.is_(get(port, host="x").status, 400, "HTTP is told so")
    with tap.case("/status and ptpctl check go through it"):
        with dial(port, timeout=60) as wire:
            tap.is_(wire.get("/status", "x").status, 200, "/status")
        done = server.ctl("check")
        tap.is_((done.returncode, done.stderr), (0, ""), "check")
    with tap.case("a reload takes the certificate away, and brings it"):
        lab.write("secure.conf", listen + keys.split("\n")[1])
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        until("HTTP", lambda: get(port, host="x").status == 200)
        lab.write("secure.conf", listen + keys)
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        until("HTTPS", lambda: get(port, host="x").status == 400)
    client.stop()
    server.stop()


@tap.limit(900)
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        server = Server(lab, users=("id1:secret1", "id2:secret2"))
        client = Ptp(lab, server, site.url)
        views(lab, server, site)
        data_path(lab, server, client)
        with tap.case("access.api.deny: closed"):
            shut = Server(lab, "-o", "access.api.deny=127.0.0.0/8")
            tap.ok(not shut.says(200), "no answer")
            shut.stop()
        secure(lab, site)
        with tap.case("without listen.api there is no such process"):
            tap.is_(Ptpd(lab).pids("api"), [], "none")
        with tap.case("reload brings and takes it away"):
            conf = lab.write("api.conf", 'listen = { api = "127.0.0.1:0"; };')
            server = Ptpd(lab, "-f", conf)
            tap.is_(len(server.pids("api")), 1, "it is there")
            lab.write("api.conf", "")
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            until("gone", lambda: not server.pids("api"))
            tap.is_([r["listener"] for r in server.show_json("listeners")],
                    ["http"], "listeners")
