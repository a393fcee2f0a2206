#!/usr/bin/python3
"""Who may use a service: basic, tokens, where users come from."""

import base64
import threading

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, until
from lib.origin import Origin, echo, paths, reply
from lib.web import Haproxy, Nginx
from lib.wire import connect, get

TOKEN, BASIC = "t0ken-of-mine", "ann:pass word:1"


def basic(text):
    return base64.b64encode(text.encode()).decode()



def curl(lab, port, host, *options):
    """Status and body of curl's request for /who there."""
    done = lab.run(["curl", "-s", "-w", "\n%{http_code}", "-m", "60",
                    "--resolve", f"{host}:{port}:127.0.0.1", *options,
                    f"http://{host}:{port}/who"])
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def credentials(lab, port):
    auth = "Authorization: "
    right = f"{auth}Basic {basic(BASIC)}\r\n"

    with tap.case("basic: curl -u with the right password, a wrong one, none"):
        tap.is_(curl(lab, port, "gated", "-u", BASIC)[0], 200, "right")
        tap.is_(curl(lab, port, "gated", "-u", BASIC + "x")[0], 401, "wrong")
        tap.is_(curl(lab, port, "gated", "-u", "ann:")[0], 401, "empty")
        tap.is_(curl(lab, port, "gated")[0], 401, "none")
        tap.is_(curl(lab, port, "gated", "--anyauth", "-u", BASIC)[0], 200,
                "after the challenge")
    with tap.case("basic: the challenge, a page, and the connection goes on"):
        with connect(port) as wire:
            answer = wire.get("/who", "gated")
            tap.is_(answer.status, 401, "status")
            tap.like(answer.get("WWW-Authenticate"), r'^Basic realm="',
                     "challenge")
            tap.ok(b"credentials" in answer.body, answer.body)
            tap.is_(wire.get("/who", "gated", right).status, 200, "then")
            tap.is_(wire.get("/who", "gated").status, 401, "each one")
    with tap.case("basic goes on to the service, which may want it as well"):
        lines = get(port, "/", "gated", right).body.decode()
        tap.ok(right.strip() in lines, lines)
    with tap.case("a token: bare, Bearer, password of Basic, X-Ptp-Token"):
        for line in (auth + TOKEN, f"{auth}Bearer {TOKEN}",
                     f"{auth}bearer   {TOKEN}",
                     f"{auth}Basic {basic('anyone:' + TOKEN)}",
                     f"{auth}Basic {basic(':' + TOKEN)}",
                     "X-Ptp-Token: " + TOKEN, "x-ptp-token: " + TOKEN):
            answer = get(port, "/", "priv", line + "\r\n")
            tap.is_(answer.status, 200, line)
            tap.unlike(answer.body.decode(),
                       f"authorization|ptp-token|{TOKEN}", "what goes on")
    with tap.case("no token, a wrong one, or one where none belongs: 401"):
        for line in ("", auth + TOKEN[:-1], f"{auth}{TOKEN}x",
                     f"{auth}Bearer", f"{auth}Digest {TOKEN}",
                     f"{auth}Basic {TOKEN}", f"{auth}Basic {basic(TOKEN)}",
                     f"{auth}Basic {basic(TOKEN + ':x')}",
                     f"X_Ptp_Token: {TOKEN}", f"X-Ptp_Token: {TOKEN}",
                     f"Proxy-Authorization: {TOKEN}",
                     f"Proxy-Authorization: Bearer {TOKEN}",
                     f"Cookie: {TOKEN}",
                     f"X-Ptp-Token: Bearer {TOKEN}", "X-Ptp-Token:",
                     # The one that is checked is not the one that is right.
                     f"X-Ptp-Token: no\r\n{auth}{TOKEN}"):
            answer = get(port, "/", "priv", line + "\r\n" if line else "")
            tap.is_(answer.status, 401, line)
            tap.like(answer.get("WWW-Authenticate"), "realm=", line)
    with tap.case("a credential that comes twice is refused, not chosen"):
        for name, host in (("Authorization", "priv"),
                           ("X-Ptp-Token", "priv"),
                           ("Authorization", "gated"),
                           ("X-Ptp-Token", "both")):
            for values in ((TOKEN, "x"), ("x", TOKEN), (TOKEN, TOKEN)):
                lines = "".join(f"{name}: {v}\r\n" for v in values)
                tap.is_(get(port, "/", host, lines).status, 400,
                        f"{host} {lines}")
    with tap.case("with X-Ptp-Token an Authorization is the service's own"):
        lines = get(port, "/", "priv", f"X-Ptp-Token: {TOKEN}\r\n"
                    f"{auth}Bearer its-own\r\n").body.decode()
        tap.ok("Authorization: Bearer its-own" in lines, lines)
        tap.unlike(lines, "ptp-token", "token")
    with tap.case("private and basic: the token in X-Ptp-Token only"):
        token = f"X-Ptp-Token: {TOKEN}\r\n"
        tap.is_(get(port, "/", "both", token + right).status, 200, "both")
        for lines in ("", token, right, f"{auth}{TOKEN}\r\n",
                      f"{auth}Bearer {TOKEN}\r\n",
                      f"{auth}Basic {basic('ann:' + TOKEN)}\r\n",
                      "X-Ptp-Token: no\r\n" + right):
            answer = get(port, "/", "both", lines)
            tap.is_(answer.status, 401, lines)
            want = "^Basic" if lines == token else "^X-Ptp-Token"
            tap.like(answer.get("WWW-Authenticate"), want, lines)
    with tap.case("what opens one service opens no other with other secrets"):
        tap.is_(get(port, "/", "priv2", f"{auth}{TOKEN}\r\n").status, 401,
                "its neighbour's")
        tap.is_(get(port, "/", "priv2", f"{auth}other\r\n").status, 200,
                "its own")
    with tap.case("tokens and proxies' credentials never reach a service that "
                  "asks for none"):
        lines = get(port, "/", "open", f"X-Ptp-Token: {TOKEN}\r\n"
                    f"Proxy-Authorization: Bearer {TOKEN}\r\n"
                    f"{auth}Bearer its-own\r\n").body.decode()
        tap.unlike(lines, f"{TOKEN}|proxy-auth|ptp-token", "token")
        tap.ok("Authorization: Bearer its-own" in lines, lines)
    with tap.case("a body is not read by who refuses it, and nothing of it is "
                  "taken for a request"):
        inner = "GET /evil HTTP/1.1\r\nHost: open\r\n\r\n"
        with connect(port) as wire:
            wire.send("POST / HTTP/1.1\r\nHost: gated\r\nContent-Length: "
                      f"{len(inner)}\r\n\r\n{inner}")
            tap.is_(wire.response().status, 401, "status")
            tap.is_(wire.rest(), b"", "after it")
    with tap.case("HEAD and JSON are answered as they ask"):
        with connect(port) as wire:
            answer = wire.get("/", "gated", method="HEAD")
            tap.is_(answer.status, 401, "HEAD")
            answer = wire.get("/", "gated", "Accept: application/json\r\n")
            tap.like(answer.body.decode(), r'^\{"status": 401', "JSON")


def browser(port):
    with tap.case("one connection, two services in turn, one of them gated"):
        right = f"Authorization: Basic {basic(BASIC)}\r\n"
        with connect(port) as wire:
            for number in range(30):
                tap.is_(wire.get("/who", "open").status, 200, "open")
                tap.is_(wire.get("/who", "gated").status, 401, "no password")
                tap.is_(wire.get("/who", "gated", right).body[:5], b"gated",
                        f"gated {number}")
    with tap.case("pipelined: each request has its own answer, in order"):
        right = f"Authorization: Basic {basic(BASIC)}\r\n"
        one = "GET /who HTTP/1.1\r\nHost: {}\r\n{}\r\n"
        asked = [("open", "", 200), ("gated", "", 401), ("gated", right, 200),
                 ("priv", "", 401), ("open", "", 200), ("away", "", 401),
                 ("away", right, 200), ("gated", "", 401)]
        with connect(port) as wire:
            wire.send("".join(one.format(h, a) for h, a, _ in asked))
            for host, _, status in asked:
                tap.is_(wire.response().status, status, host)


def elsewhere(port):
    """Services of a client whose tunnels another relay has."""
    with tap.case("requests that another relay forwards: its own checks them"):
        right = f"Authorization: Basic {basic(BASIC)}\r\n"
        with connect(port) as wire:
            for _ in range(10):
                tap.is_(wire.get("/who", "open").status, 200, "open")
                tap.is_(wire.get("/who", "away").status, 401, "none")
                answer = wire.get("/who", "away", right)
                tap.is_(answer.body[:4], b"away", "right")
                tap.is_(wire.get("/who", "far").status, 403, "deny_from")


def sources(lab, server):
    port = server.port
    with tap.case("deny_from and allow_from: 403 by the user's address"):
        for host, status in (("near", 200), ("far", 403), ("deny", 403),
                             ("most", 200), ("six", 403)):
            tap.is_(get(port, "/who", host).status, status, host)
    with tap.case("X-Forwarded-For of a stranger counts for nothing"):
        tap.is_(get(port, "/who", "far",
                    "X-Forwarded-For: 192.0.2.7\r\n").status, 403, "far")


def ports(lab):
    """Users who come without requests: by a port of the service."""
    server = Ptpd(lab, "-o", 'limits.tcp={range="1024-65535";number=9;}')
    service = Origin(lambda wire, _origin: wire.send("HELLO\r\n"))
    lab.keep(service)
    local = f"tcp://127.0.0.1:{service.port},random=true"

    def end(keys):
        """What a user of the port is told, and how it ends."""
        client = Ptp(lab, server, local + keys)
        port = int(client.wait_line(
            r"reachable at tcp://\S*:(\d+)", "stdout").group(1))
        said, how = b"", "reset"
        try:
            with connect(port) as wire:
                how = wire.ending()
                said = wire.buffer
        except ConnectionResetError:
            pass # before connect() was looked at
        client.stop()
        return said, how

    with tap.case("deny_from and allow_from at a port: a reset, and the "
                  "service sees nobody"):
        tap.is_(end(",deny_from=10.0.0.0/8"), (b"HELLO\r\n", "end"), "most")
        tap.is_(end(",allow_from=127.0.0.1"), (b"HELLO\r\n", "end"), "near")
        count = service.connections
        tap.is_(end(",deny_from=127.0.0.1"), (b"", "reset"), "denied")
        tap.is_(end(",allow_from=192.0.2.0/24"), (b"", "reset"), "not in")
        tap.is_(service.connections, count, "connections")


def proxied(lab, port):
    def curl(*more):
        done = lab.run(["curl", "-s", "-m", "60", "-o", lab.path("out"), "-x",
                        f"http://127.0.0.1:{port}", "-w", "%{http_code}",
                        *more])
        return done.stdout

    with tap.case("asked as a proxy without CONNECT: the same gates"):
        tap.is_(curl("http://open/who"), "200", "open")
        tap.is_(curl("http://gated/who"), "401", "none")
        tap.is_(curl("http://gated/who", "-u", BASIC), "200", "basic")
        tap.is_(curl("http://gated/who", "-U", BASIC), "401", "the proxy's")
        tap.is_(curl("http://priv/who", "-H", f"X-Ptp-Token: {TOKEN}"), "200",
                "token")
        tap.is_(curl("http://far/who"), "403", "deny_from")


def other_server(lab):
    """Who is another id at the second of its servers."""
    server = Ptpd(lab, users=("id8:secret8", "id9:secret9"))
    web = Nginx(lab, "two")
    config = 'server = ("tcp://id8:secret8@127.0.0.1:%d", ' \
        '"tcp://ID9:secret9@127.0.0.1:%d");\n' \
        'services = ( { local = "%s"; basic = "%s"; } );\n'
    dead = free_port()
    path = lab.write("two.conf", config % (dead, server.port, web.url, BASIC))
    client = Ptp(lab, server, options=("-f", path), address="")
    client.services = 1
    client.wait_up()
    right = f"Authorization: Basic {basic(BASIC)}\r\n"
    with tap.case("the id at that server is the one that counts"):
        tap.is_(get(server.port, "/who", "id9").status, 401, "none")
        tap.is_(get(server.port, "/who", "id9", right).status, 200, "right")
        lab.write("two.conf", config % (
            server.port, dead, web.url, BASIC))
        tap.is_(client.ctl("reload").returncode, 0, "reload")
        tap.is_(server.ctl("kick", "id9").returncode, 0, "kick")
        until("as id8", lambda: get(
            server.port, "/who", "id8", right).status == 200)
        tap.is_(get(server.port, "/who", "id8").status, 401, "none")


def trusted(lab):
    server = Ptpd(lab, "-o", "http.trusted=[\"127.0.0.0/8\"]")
    web = Nginx(lab, "trust")
    Ptp(lab, server, f"{web.url},name=far,allow_from=192.0.2.0/24",
        f"{web.url},name=deny,deny_from=192.0.2.0/24")

    def ask(host, *lines):
        text = "".join(f"X-Forwarded-For: {v}\r\n" for v in lines)
        return get(server.port, "/who", host, text).status

    with tap.case("behind a trusted proxy the last address counts that is not "
                  "one"):
        tap.is_(ask("far", "192.0.2.7"), 200, "one")
        tap.is_(ask("far", "192.0.2.7:1234"), 200, "with a port")
        tap.is_(ask("far", "192.0.2.7, 127.0.0.9"), 200, "over two proxies")
        tap.is_(ask("far", "192.0.2.7", "127.0.0.9, 127.0.0.8"), 200, "lines")
        tap.is_(ask("far", "192.0.2.7, 198.51.100.1"), 403, "made up")
        tap.is_(ask("far"), 403, "none")
        tap.is_(ask("deny", "192.0.2.7"), 403, "denied")
        tap.is_(ask("deny", "::ffff:192.0.2.7"), 403, "as IPv6")
        tap.is_(ask("deny", "192.0.2.7, 198.51.100.1"), 200, "another")
        tap.is_(ask("deny", "198.51.100.1, unknown"), 403, "no address")


def twins(port):
    """The traps that others fell into (header twins, Connection: ...)."""
    names = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
             "X-Real-IP", "Forwarded", "X-Forwarded-User")
    with tap.case("forged forwarded fields and their twins are removed"):
        for name in names:
            for twin in {name, name.replace("-", "_"), name.upper(),
                         name.replace("-", "_", 1), name.lower()}:
                lines = get(port, "/", "open", f"{twin}: forged\r\n"
                            ).body.decode()
                tap.ok("forged" not in lines, f"{twin}: {lines}")
    with tap.case("a Connection field that names one of them, Host, or a "
                  "framing field: 400"):
        for name in names[:5] + ("Host", "Content-Length", "host",
                                 "Transfer-Encoding", "X_Forwarded_For",
                                 "content_length"):
            for value in (name, f"close, {name}", f"{name},keep-alive"):
                answer = get(port, "/", "open", f"Connection: {value}\r\n")
                tap.is_(answer.status, 400, value)
    with tap.case("Connection cannot take the credential out of sight"):
        right = f"Authorization: Basic {basic(BASIC)}\r\n"
        answer = get(port, "/", "gated",
                     right + "Connection: close, Authorization\r\n")
        tap.ok(answer.status in (200, 400), answer.start)
        answer = get(port, "/", "gated",
                     "Connection: close, Authorization\r\n")
        tap.ok(answer.status in (400, 401), answer.start)
    with tap.case("remove_headers drops fields of users, twins, and ours"):
        lines = get(port, "/", "less", "X-Secret: 1\r\nx_secret: 2\r\n"
                    "Cookie: 3\r\nX-Other: 4\r\n").body.decode().lower()
        tap.unlike(lines, "secret|cookie|x-forwarded-for", "removed")
        tap.like(lines, "x-other: 4", "left")
        tap.like(lines, "x-forwarded-proto: http", "left")


def reload_and_restart(lab, server, port):
    web = Nginx(lab, "mine")
    config = "server = \"tcp://id3:secret3@127.0.0.1:%d\";\n" \
        "services = ( { local = \"%s\"; name = \"mine\"; %s } );\n"
    path = lab.write("ptp3.conf", config % (port, web.url, ""))
    client = Ptp(lab, server, options=("-f", path), address="")
    client.services = 1
    client.wait_up()
    with tap.case("a gate that a reload adds closes at the next request of a "
                  "connection that is open"):
        with connect(port) as wire:
            tap.is_(wire.get("/who", "mine").status, 200, "open")
            lab.write("ptp3.conf", config % (
                port, web.url, f'basic = "{BASIC}";'))
            tap.is_(client.ctl("reload").returncode, 0, "reload")
            until("401", lambda: get(port, "/who", "mine").status == 401)
            tap.is_(wire.get("/who", "mine").status, 401, "the old one")
            tap.is_(curl(lab, port, "mine", "-u", BASIC)[0], 200, "right")
    with tap.case("it stays closed while the server restarts"):
        wrong, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                try:
                    status = get(port, "/who", "mine").status
                except OSError:
                    continue
                if status not in (401, 503):
                    wrong.append(status)

        thread = threading.Thread(target=ask)
        thread.start()
        tap.is_(server.ctl("restart").returncode, 0, "restart")
        until("right password", lambda: curl(
            lab, port, "mine", "-u", BASIC)[0] == 200)
        stop.set()
        thread.join()
        tap.is_(wrong, [], "other answers than 401")
    with tap.case("and with another secret only that opens it"):
        lab.write("ptp3.conf", config % (
            port, web.url, 'private = true; token = "new";'))
        tap.is_(client.ctl("reload").returncode, 0, "reload")
        until("new token", lambda: get(
            port, "/who", "mine", "Authorization: new\r\n").status == 200)
        tap.is_(curl(lab, port, "mine", "-u", BASIC)[0], 401, "old")


def faults(lab, web):
    def check(*keys):
        return lab.run([lab.program("ptp"), "-n", "-s", "tcp://a:b@127.0.0.1",
                        ",".join((web.url,) + keys)])

    with tap.case("a gate that would not close is an error at start"):
        for keys in (("private=true",), ("token=x",),
                     ("private=false", "token=x"), ("basic=user",),
                     ("basic=:x",), ("basic=x:",), ("allow_from=nowhere",),
                     ("deny_from=1.2.3.4/33",), ("private=true", "token=a b"),
                     ("private=true", "token=@/does/not/exist")):
            done = check(*keys)
            tap.is_(done.returncode, 1, str(keys))
            tap.like(done.stderr, r"services\[0\]\.\w+: ", str(keys))
        done = check("private=true", "token=x", "basic=a:b",
                     "allow_from=10.0.0.0/8", "allow_from=::1")
        tap.is_(done.returncode, 0, done.stderr)
    with tap.case("what nobody could check: a token at a port, basic without "
                  "requests"):
        for local in ("tcp://127.0.0.1:1,port=2", "tcp://127.0.0.1:1",
                      "unix:/x,port=2", "tcp://127.0.0.1:1,random=true"):
            done = lab.run([
                lab.program("ptp"), "-n", "-s", "tcp://a:b@127.0.0.1",
                local + ",private=true,token=x"])
            tap.is_(done.returncode, 1, local)
            tap.like(done.stderr, r"private: expected a name", local)
        done = lab.run([
            lab.program("ptp"), "-n", "-s", "tcp://a:b@127.0.0.1",
            "tcp://127.0.0.1:1,name=x,basic=a:b"])
        tap.like(done.stderr, r"basic: expected a local of http", "basic")
    with tap.case("secrets may be in files, and are in no log and no ps"):
        path = lab.write("token", TOKEN + "\n", 0o600)
        tap.is_(check("private=true", f"token=@{path}").returncode, 0, path)


@tap.main
def run():
    with Lab() as lab:
        server = Ptpd(lab, "-o", "workers=2", users=(
            "id1:secret1", "id2:secret2", "id3:secret3"))
        port = server.port
        web = Origin(paths({"/": echo, "/who": lambda _w, r: reply(
            r.get("Host") + "\n")}))
        lab.keep(web)
        private = "private=true,token="
        token = lab.write("the-token", TOKEN + "\n", 0o600)
        client = Ptp(
            lab, server, f"{web.url},name=open", f"{web.url},name=gated,"
            f"basic={BASIC}", f"{web.url},name=priv,{private}@{token}",
            f"{web.url},name=priv2,{private}other",
            f"{web.url},name=both,basic={BASIC},{private}{TOKEN}",
            f"{web.url},name=near,allow_from=127.0.0.0/8",
            f"{web.url},name=far,allow_from=192.0.2.0/24",
            f"{web.url},name=deny,deny_from=127.0.0.1",
            f"{web.url},name=most,deny_from=10.0.0.0/8,deny_from=::1",
            f"{web.url},name=six,allow_from=::1",
            f"{web.url},name=less,remove_headers=x-secret,"
            "remove_headers=Cookie,remove_headers=x-forwarded-for")
        Ptp(lab, server, f"{web.url},name=away,basic={BASIC}",
            user="id2:secret2")
        credentials(lab, port)
        browser(port)
        elsewhere(port)
        sources(lab, server)
        twins(port)
        proxied(lab, port)
        other_server(lab)
        trusted(lab)
        ports(lab)
        faults(lab, web)
        with tap.case("ptpctl shows the gates at both ends"):
            for rows in (client.show_json("services"),
                         server.show_json("routes")):
                found = {r["name"]: r["gates"] for r in rows}
                for name, gates in (("open", None), ("gated", "basic"),
                                    ("both", "private basic"),
                                    ("far", "allow_from"),
                                    ("deny", "deny_from")):
                    tap.is_(found[name], gates, name)
        with tap.case("no secret is in a log or in ps"):
            shown = client.log() + server.log() + open(
                f"/proc/{client.pid}/cmdline").read()
            for secret in (TOKEN, BASIC, "other"):
                tap.ok(secret not in shown, secret)
        reload_and_restart(lab, server, port)
