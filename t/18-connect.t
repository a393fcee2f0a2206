#!/usr/bin/python3
"""CONNECT: bytes to the services of clients, by name, and to nothing else."""

import base64
import hashlib
import os
import socket

from lib import origin, tap, websocket
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, until
from lib.origin import Origin, paths, reply
from lib.web import Nginx, self_signed
from lib.wire import connect, get

TOKEN, BASIC = "t0ken-of-mine", "ann:password1"
BIG = os.urandom(1 << 20) * 8


def speak_first(wire, _origin):
    """Says its name like ssh, then gives everything back, then a FIN."""
    wire.send("HELLO\r\n")
    while wire.fill():
        data, wire.buffer = wire.buffer, b""
        wire.send(data)
    wire.send("BYE")
    wire.shut()


def gulp(wire, _origin):
    """Answers with a digest of all that came before the FIN, then BIG."""
    digest = hashlib.sha256()
    while wire.fill():
        digest.update(wire.buffer)
        wire.buffer = b""
    wire.send(digest.digest() + BIG)
    wire.shut()


def ask(port, target, headers="", version="1.1", behind=b""):
    """Sends a CONNECT; returns the wire and the head of the answer."""
    wire = connect(port)
    host = f"Host: {target}\r\n" if version == "1.1" else ""
    wire.send(f"CONNECT {target} HTTP/{version}\r\n{host}{headers}\r\n"
              .encode() + behind)
    return wire, wire.head()


def status(port, target, headers="", version="1.1", behind=b""):
    wire, answer = ask(port, target, headers, version, behind)
    with wire:
        if answer.status != 200:
            wire.take(int(answer.get("Content-Length")))
            tap.is_(wire.ending(), "end", "after a refusal")
    return answer.status


def hello(wire, what):
    tap.is_(wire.upto(b"\n"), b"HELLO\r\n", what)


class Sshd:
    """dropbear, with a home of its own, and what it says of itself."""

    def __init__(self, lab, name):
        self.name, self.port = name, free_port()
        home = lab.path(name)
        os.makedirs(os.path.join(home, ".ssh"), 0o700)
        os.chmod(home, 0o700)
        with open(lab.path("id.pub"), encoding="ascii") as pub, \
                open(os.path.join(home, ".ssh/authorized_keys"), "w",
                     encoding="ascii") as keys:
            keys.write(pub.read())
        os.chmod(keys.name, 0o600)
        with open(os.path.join(home, "name"), "w", encoding="ascii") as file:
            file.write(name)
        done = lab.run(["dropbearkey", "-t", "ed25519", "-f",
                        os.path.join(home, "host_key")])
        key = next(line for line in done.stdout.splitlines()
                   if line.startswith("ssh-ed25519"))
        with open(lab.path("known_hosts"), "a", encoding="ascii") as known:
            known.write(f"{name} {' '.join(key.split()[:2])}\n")
        # In a chroot / is no mount point and cannot be made private: then what
        # is mounted has to be undone as well.
        lab.start(name, ["unshare", "-m", "--propagation", "unchanged", "sh",
                         "-c", "mount --make-rprivate / 2>/dev/null; "
                         f"mount --bind {home} /root && {{ "
                         f"dropbear -F -E -s -p 127.0.0.1:{self.port} "
                         f"-P {home}/pid -r /root/host_key & pid=$!; "
                         "trap 'kill $pid; umount -l /root' TERM; wait; }"])
        until(f"{name} answers", self._answers)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port)) as s:
                return s.recv(4) == b"SSH-"
        except OSError:
            return False


def machines(lab, server):
    """ssh to many machines over the one port, as ptp(1) has it."""
    lab.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
             lab.path("id")])
    for number in (1, 2):
        names = [f"machine-{letter}.test" for letter in "abcd"[number - 1::2]]
        client = Ptp(lab, server, *[
            f"tcp://127.0.0.1:{Sshd(lab, name).port},name={name}" +
            (f",private=true,token={TOKEN}" if name[8] == "d" else "")
            for name in names], user=f"id{number}:secret{number}")
        tap.like(client.out(), rf"reachable at {names[0]} \(CONNECT through "
                 rf"127\.0\.0\.1:{server.port}\)", "how to get there")
    nc = f"nc -X connect -x 127.0.0.1:{server.port} %h %p"
    soc = f"socat - PROXY:127.0.0.1:%h:%p,proxyport={server.port}"

    def ssh(name, proxy, *command):
        done = lab.run([
            "ssh", "-F", "none", "-i", lab.path("id"), "-o",
            f"ProxyCommand {proxy}", "-o", "UserKnownHostsFile " +
            lab.path("known_hosts"), "-o", "StrictHostKeyChecking yes", "-o",
            "BatchMode yes", f"root@{name}", *(command or ["cat name"])])
        return done.stdout or done.stderr

    with tap.case("ssh to machines behind two clients, by nc and by socat"):
        for proxy in (nc, soc):
            for letter in "abc":
                name = f"machine-{letter}.test"
                tap.is_(ssh(name, proxy), name, f"{name} by {proxy}")
    with tap.case("the same with a token: socat's proxyauth, and none"):
        name = "machine-d.test"
        tap.is_(ssh(name, f"{soc},proxyauth=any:{TOKEN}"), name, "right")
        tap.unlike(ssh(name, f"{soc},proxyauth=any:no"), f"^{name}$", "wrong")
        tap.unlike(ssh(name, soc), f"^{name}$", "none")
    with tap.case("a megabyte each way through ssh"):
        path = lab.write("big", BIG[:1 << 20])
        text = ssh("machine-a.test", nc, f"head -c 1048576 {path} | sha256sum")
        tap.is_(text.split()[0], hashlib.sha256(BIG[:1 << 20]).hexdigest(),
                "digest")


def through(port):
    for name, where in (("raw", "of this relay"), ("raw2", "of another")):
        with tap.case(f"a service that speaks first, {where}"):
            for version in ("1.0", "1.1"):
                wire, answer = ask(port, f"{name}:22", version=version)
                tap.is_(answer.start,
                        "HTTP/1.1 200 Connection Established", "answer")
                tap.is_(answer.headers, [], "fields")
                hello(wire, name)
                opaque = b"\0\xffGET / HTTP/1.1\r\nHost: open\r\n\r\n"
                wire.send(opaque)
                tap.is_(wire.take(len(opaque)), opaque, "echo")
                wire.shut()
                tap.is_(wire.rest(), b"BYE", "half-close")
        with tap.case(f"bytes right behind the head, cut anywhere, {where}"):
            text = f"CONNECT {name}:1 HTTP/1.0\r\n\r\nfirst"
            for place in (3, len(text) - 6, len(text) - 5, len(text) - 4):
                with connect(port) as wire:
                    wire.send_split(text, place)
                    tap.is_(wire.head().status, 200, "status")
                    hello(wire, name)
                    tap.is_(wire.take(5), b"first", "first")
            with connect(port) as wire:
                wire.send(text)
                wire.shut()
                tap.is_(wire.head().status, 200, "status, FIN behind")
                tap.is_(wire.rest(), b"HELLO\r\nfirstBYE", "all")
        with tap.case(f"a CONNECT behind requests of its connection, {where}"):
            with connect(port) as wire:
                for host in ("open", "away", "open"):
                    tap.is_(wire.get("/who", host).status, 200, host)
                wire.send("GET /who HTTP/1.1\r\nHost: open\r\n\r\n"
                          f"CONNECT {name}:22 HTTP/1.1\r\nHost: {name}:22"
                          "\r\n\r\nfirst")
                tap.is_(wire.response().body, b"open\n", "pipelined")
                tap.is_(wire.head().status, 200, "CONNECT")
                hello(wire, name)
                tap.is_(wire.take(5), b"first", "first")
    for name in ("gulp", "gulp2"):
        with tap.case(f"8 MiB each way, {name}"):
            wire, _ = ask(port, f"{name}:22", behind=BIG[:100000])
            with wire:
                wire.send(BIG[100000:])
                wire.shut()
                got = wire.rest()
            tap.is_(got[:32], hashlib.sha256(BIG).digest(), "up")
            tap.ok(got[32:] == BIG, f"down: {len(got)} bytes")
    with tap.case("a service that was just asked over HTTP, in the same "
                  "connection: it is another one of its connections"):
        with connect(port) as wire:
            tap.is_(wire.get("/who", "open").status, 200, "before")
            wire.send("CONNECT open:80 HTTP/1.1\r\nHost: open:80\r\n\r\n")
            tap.is_(wire.head().status, 200, "CONNECT")
            wire.send("GET /head HTTP/1.1\r\nHost: inner\r\n"
                      "X-Forwarded-For: 1.2.3.4\r\n\r\n")
            tap.is_(wire.response().body, b"GET /head HTTP/1.1\r\nHost: inner"
                    b"\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n", "as it was")
    with tap.case("WebSocket through CONNECT, within another relay too"):
        for name in ("open", "away"):
            wire, answer = ask(port, f"{name}:80")
            tap.is_(answer.status, 200, name)
            with wire:
                tap.is_(websocket.handshake(wire, name)[0].status, 101, name)
                wire.send(websocket.frame(
                    websocket.BINARY, BIG[:70000], masked=True))
                tap.ok(websocket.read_frame(wire)[1] == BIG[:70000], name)


def refused(lab, port, dead):
    with tap.case("names that nobody has, and every other host: 404, and "
                  "nothing is connected to"):
        listener = socket.create_server(("127.0.0.1", 0))
        own = listener.getsockname()[1]
        for target in (f"127.0.0.1:{own}", f"localhost:{own}",
                       f"0.0.0.0:{own}", f"[::1]:{own}",
                       f"[::ffff:127.0.0.1]:{own}", f"127.1:{own}",
                       f"127.0.0.1:{port}", "nobody:22", "a.b.example:443"):
            tap.is_(status(port, target), 404, target)
        listener.setblocking(False)
        try:
            listener.accept()
            tap.ok(False, "somebody came")
        except BlockingIOError:
            pass
        listener.close()
    with tap.case("502 when the service refuses, before any 200"):
        tap.is_(status(port, "dead:22"), 502, "this relay")
        tap.is_(status(port, "dead2:22"), 502, "another")
        with connect(port) as wire:
            tap.is_(wire.get("/who", "open").status, 200, "before")
            wire.send("CONNECT dead:22 HTTP/1.1\r\nHost: dead:22\r\n\r\n")
            tap.is_(wire.response().status, 502, "as a later request")
    with tap.case("503 for a client that is away"):
        tap.is_(status(port, "id3:22"), 503, "id3")
    with tap.case("malformed: 400"):
        for text in ("CONNECT raw HTTP/1.1\r\nHost: raw\r\n\r\n",
                     "CONNECT raw:0 HTTP/1.1\r\nHost: raw:0\r\n\r\n",
                     "CONNECT raw:70000 HTTP/1.1\r\nHost: raw:70000\r\n\r\n",
                     "CONNECT /raw:22 HTTP/1.1\r\nHost: raw:22\r\n\r\n",
                     "CONNECT a@raw:22 HTTP/1.1\r\nHost: raw:22\r\n\r\n",
                     "CONNECT raw:22 HTTP/1.1\r\nHost: open:22\r\n\r\n",
                     "CONNECT raw:22 HTTP/1.1\r\n\r\n",
                     "connect raw:22 HTTP/1.1\r\nHost: raw:22\r\n\r\n",
                     "CONNECT raw:22 HTTP/1.1\r\nHost: raw:22\r\n"
                     "Content-Length: 5\r\n\r\nfirst",
                     "CONNECT raw:22 HTTP/1.1\r\nHost: raw:22\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            with connect(port) as wire:
                wire.send(text)
                tap.is_(wire.response().status, 400, text)
    with tap.case("what stands behind a refused CONNECT is never a request"):
        inner = "GET /who HTTP/1.1\r\nHost: open\r\n\r\n"
        for name in ("nobody", "dead", "gated", "priv", "far", "dead2"):
            for before in ("", inner):
                with connect(port) as wire:
                    wire.send(f"{before}CONNECT {name}:80 HTTP/1.1\r\nHost: "
                              f"{name}:80\r\n\r\n{inner}")
                    if before:
                        tap.is_(wire.response().status, 200, "before")
                    tap.ok(wire.response().status >= 400, name)
                    tap.is_(wire.rest(), b"", f"behind it, {name}")


def gates(lab, port):
    with tap.case("a service whose requests are checked or changed: 403"):
        right = base64.b64encode(BASIC.encode()).decode()
        for name in ("gated", "hosted", "less", "away-gated"):
            tap.is_(status(port, f"{name}:80"), 403, name)
            tap.is_(status(port, f"{name}:80",
                           f"Authorization: Basic {right}\r\n"), 403, name)
    with tap.case("allow_from and deny_from: 403"):
        tap.is_(status(port, "far:22"), 403, "far")
    basic = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    proxy = "Proxy-Authorization: "
    for name in ("priv", "away-priv"):
        with tap.case(f"{name}: the token in Proxy-Authorization or "
                      "X-Ptp-Token, else 407"):
            for line in (proxy + TOKEN, f"{proxy}Bearer {TOKEN}",
                         f"{proxy}Basic {basic}", f"X-Ptp-Token: {TOKEN}"):
                wire, answer = ask(port, f"{name}:22", line + "\r\n")
                with wire:
                    tap.is_(answer.status, 200, line)
                    hello(wire, line)
            for line in ("", proxy + "x", f"Authorization: {TOKEN}",
                         f"Authorization: Bearer {TOKEN}",
                         f"{proxy}Basic {basic[:-4]}",
                         f"Proxy_Authorization: {TOKEN}",
                         f"X-Ptp-Token: x\r\n{proxy}{TOKEN}"):
                wire, answer = ask(
                    port, f"{name}:22", line + "\r\n" if line else "")
                with wire:
                    tap.is_(answer.status, 407, line)
                    tap.like(answer.get("Proxy-Authenticate"),
                             '^Basic realm="', line)
            tap.is_(status(port, f"{name}:22", f"{proxy}{TOKEN}\r\n" * 2),
                    400, "twice")
    with tap.case("curl -p -x, with the token and without"):
        def curl(proxy, *more):
            done = lab.run(["curl", "-s", "-p", "-x", proxy, "-m", "60", "-w",
                            "%{http_code} %{http_connect}", *more])
            return done.stdout
        tap.is_(curl(f"http://127.0.0.1:{port}", "http://open:80/who"),
                "open\n200 200", "open")
        tap.is_(curl(f"http://any:{TOKEN}@127.0.0.1:{port}",
                     "http://web-priv/who"), "web-priv\n200 200", "token")
        tap.is_(curl(f"http://any:{TOKEN}@127.0.0.1:{port}", "--proxy-anyauth",
                     "http://web-priv/who"), "web-priv\n200 200", "asked for")
        tap.is_(curl(f"http://127.0.0.1:{port}", "http://web-priv/who"),
                "000 407", "none")
        tap.is_(curl(f"http://127.0.0.1:{port}", "http://gated/who"),
                "000 403", "basic")


def tls(lab, server):
    cert, key = self_signed(lab, "secure.example")
    web = Nginx(lab, "secure", tls=(cert, key))
    where = web.url.replace("https", "tls")
    Ptp(lab, server, f"{web.url},name=secure.example",
        f"{where},name=passed.example", user="id3:secret3")

    def curl(host, ca, *more):
        return lab.run([
            "curl", "-s", "-p", "-x", f"http://127.0.0.1:{server.port}",
            "--cacert", ca, "-m", "60", "-w", "%{http_code} %{http_connect}",
            *more, f"https://{host}/who"])

    with tap.case("TLS through CONNECT is that of the service: https:// and "
                  "tls://"):
        done = curl("secure.example", cert)
        tap.like(done.stdout, r"^secure secure\.example", done.stderr)
        tap.like(done.stdout, r"^200 200$", "status")
        tap.like(curl("passed.example", cert, "-k").stdout,
                 "^secure passed", "tls://")
        other, _ = self_signed(lab, "other.example")
        tap.is_(curl("secure.example", other).returncode, 60, "another ca")
    with tap.case("and by Host the same service is asked over TLS by us"):
        tap.is_(get(server.port, "/who", "secure.example").status, 200, "Host")


def inside_tls(lab):
    cert, key = self_signed(lab, "proxy.example")
    server = Ptpd(lab, "-o", "listen.tls=127.0.0.1:0", "-o", f"tls.cert={cert}",
                  "-o", f"tls.key={key}")
    port = server.wait_line(r"\btls\S* +127\.0\.0\.1:(\d+)").group(1)
    web, raw = Nginx(lab, "web"), Origin(speak_first)
    lab.keep(raw)
    Ptp(lab, server, f"{web.url},name=web,private=true,token={TOKEN}",
        f"{web.url},name=gated,basic={BASIC}", f"{raw.url},name=raw")

    def curl(url, *more):
        return lab.run([
            "curl", "-s", "--resolve", f"proxy.example:{port}:127.0.0.1",
            "--cacert", cert, "--proxy-cacert", cert, "-m", "60", "-w",
            "%{http_code} %{http_connect}", *more, url]).stdout

    with tap.case("CONNECT inside TLS, as to any https proxy"):
        proxy = f"https://any:%s@proxy.example:{port}"
        tap.like(curl("http://web/who", "-p", "-x", proxy % TOKEN),
                 "200 200$", "token")
        tap.is_(curl("http://web/who", "-p", "-x", proxy % "x"), "000 407",
                "wrong")
        done = lab.run(["socat", "-t60", "-", "OPENSSL:127.0.0.1:"
                        f"{port},verify=0"], input="CONNECT raw:22 HTTP/1.0"
                       "\r\n\r\n", stdin=None)
        tap.is_(done.stdout.replace("\r", ""), "HTTP/1.1 200 Connection "
                "Established\n\nHELLO\nBYE", "a service that speaks first")
    with tap.case("gates are the same over https"):
        url = f"https://proxy.example:{port}/who"
        tap.is_(curl(url, "-H", "Host: gated")[-7:], "401 000", "none")
        tap.is_(curl(url, "-H", "Host: gated", "-u", BASIC)[-7:], "200 000",
                "basic")


def lasting(server, port, raw):
    with tap.case("it lives through a restart of the server, and ends with "
                  "its service"):
        wires = [ask(port, f"{name}:22")[0] for name in ("raw", "raw2")]
        for wire in wires:
            hello(wire, "before")
        tap.is_(server.ctl("restart").returncode, 0, "restart")
        for wire in wires:
            wire.send("still there")
            tap.is_(wire.take(11), b"still there", "after")
        until("a new one", lambda: ask(port, "raw:22")[1].status == 200)
        for wire in wires:
            wire.shut()
            tap.is_(wire.rest(), b"BYE", "end")
    with tap.case("a reset of the user reaches the service, one of the "
                  "service the user"):
        # Those who asked for "a new one" have gone without reading.
        until("the connections before are over", lambda: not raw.open)
        count = raw.seen.count("ConnectionResetError")
        wire, _ = ask(port, "raw:22")
        hello(wire, "raw")
        wire.reset()
        until("a reset at the service", lambda: raw.seen.count(
            "ConnectionResetError") == count + 1)
        wire, _ = ask(port, "cut:22")
        hello(wire, "cut")
        wire.send("x")
        tap.is_(wire.ending(), "reset", "by the service")


def cut(wire, _origin):
    wire.send("HELLO\r\n")
    wire.take(1)
    wire.reset()


@tap.main
def run():
    with Lab() as lab:
        server = Ptpd(lab, "-o", "workers=2", "-o", "timeouts.park=0", "-o",
                      "listen.sni=127.0.0.1:0", users=(
            "id1:secret1", "id2:secret2", "id3:secret3"))
        port = server.port
        raw, big, cutter = Origin(speak_first), Origin(gulp), Origin(cut)
        web = Origin(paths({
            "/who": lambda _w, r: reply(r.get("Host") + "\n"),
            "/head": origin.echo, "/ws": websocket.echo_server}))
        dead = f"http://127.0.0.1:{free_port()}"
        for thing in (raw, big, web, cutter):
            lab.keep(thing)
        private = f"private=true,token={TOKEN}"
        Ptp(lab, server, f"{web.url},name=open", f"{raw.url},name=raw",
            f"{big.url},name=gulp", f"{dead},name=dead",
            f"{cutter.url},name=cut",
            f"{web.url},name=gated,basic={BASIC}",
            f"{web.url},name=hosted,rewrite_host=true",
            f"{web.url},name=less,remove_headers=Cookie",
            f"{web.url},name=far,allow_from=192.0.2.0/24",
            f"{raw.url},name=priv,{private}",
            f"{web.url},name=web-priv,{private}")
        Ptp(lab, server, f"{web.url},name=away", f"{raw.url},name=raw2",
            f"{big.url},name=gulp2", f"{dead},name=dead2",
            f"{web.url},name=away-gated,basic={BASIC}",
            f"{raw.url},name=away-priv,{private}", user="id2:secret2")
        through(port)
        refused(lab, port, dead)
        gates(lab, port)
        machines(lab, server)
        tls(lab, server)
        inside_tls(lab)
        lasting(server, port, raw)
