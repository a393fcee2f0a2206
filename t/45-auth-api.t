#!/usr/bin/python3
"""auth.url: an external check of logins, which fails closed."""

import json
import os

from lib import proc, tap
from lib.called import Called, answer
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, until
from lib.origin import Origin, paths, reply
from lib.web import Nginx, self_signed
from lib.wire import get

BIG = 70_000
SECRET = "correct horse battery staple"


def yes(*names):
    return json.dumps({"result": True, "appletTokens": list(names)})


class Api(Called):
    """The operator's service; what it answers depends on the id."""

    ANSWERS = {
        "e500": (500, yes("web")), "e404": (404, yes("web")),
        "string": (200, '{"result": "true"}'), "one": (200, '{"result": 1}'),
        "nothing": (200, "{}"), "nojson": (200, "<h1>fine</h1>"),
        "tokens": (200, '{"result": true, "appletTokens": "web"}'),
        "big": (200, yes("x" * BIG)), "redirect": (302, yes("web")),
        "no": (200, '{"result": false}'), "e403": (403, yes("web")),
    }

    def __init__(self, lab):
        self.asked, self.heads, self.elsewhere = [], [], 0
        super().__init__(lab)

    def got(self, request):
        self.elsewhere += 1
        super().got(request)

    def posted(self, request, body):
        body = json.loads(body)
        if request.path != "/check":
            self.elsewhere += 1
        self.asked.append(body)
        self.heads.append(dict(request.headers))
        status, text = self.ANSWERS.get(
            body["networkClientId"],
            (200, yes("web", "blog") if body["networkSecretKey"] == SECRET
             else '{"result": false}'))
        if body["networkClientId"] == "slow":
            self.gate.wait(120)
        fields = {}
        if status == 302:
            fields["Location"] = f"http://127.0.0.1:{self.port}/elsewhere"
        answer(request, status, text.encode(), **fields)


def server_with(lab, url, *options, **kw):
    return Ptpd(lab, "-v", "-o", f"auth.url={url}", *options, users=(), **kw)


def refused(lab, server, user, site, pattern):
    """A client that is not let in, and what the server logs about it."""
    mark = server.mark()
    client = Ptp(lab, server, site.url, user=user, wait=False)
    line = server.wait_line(f"login of client .* failed: .*{pattern}.*",
                            since=mark)
    tap.unlike(server.log(mark), "logged in", "let in")
    return client, line


@tap.limit(900)
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        api = Api(lab)
        url = f"http://127.0.0.1:{api.port}/check"
        server = server_with(lab, url, "-o", "lockout.tries=100",
                             "-o", "auth.timeout=2s")

        with tap.case("a right secret is let in, with the names it may have"):
            client = Ptp(lab, server, f"{site.url},name=web,name=id7",
                         user=f"id7:{SECRET}")
            for name in ("web", "id7"):
                tap.is_(get(server.port, host=name).body, b"fine", name)
            tap.is_(api.asked[-1],
                    {"networkClientId": "id7", "networkSecretKey": SECRET,
                     "appletTokens": ["web", "id7"]}, "asked")
            head = {k.lower(): v for k, v in api.heads[-1].items()}
            tap.like(head["request-id"], "^[0-9a-f]{32}$", "Request-Id")
            tap.is_(head["content-type"], "application/json", "type")
        with tap.case("one question for all tunnels of a session"):
            tap.is_(len(api.asked), 1, "asked")
        with tap.case("the secret stays in no process of the server"):
            for pid in proc.family(server.pid):
                tap.is_(proc.holds(pid, [SECRET.encode()]), set(),
                        proc.name(pid))
        with tap.case("a restart keeps it and its names"):
            tap.is_(server.ctl("restart").returncode, 0, "restart")
            tap.is_(get(server.port, host="web").body, b"fine", "web")
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            tap.is_(get(server.port, host="web").body, b"fine", "web")
            until("one", lambda: [r["state"] for r in server.workers("fetch")]
                  .count("ready") == 1)
            client.stop()
        with tap.case("a name that it may not have: all are refused"):
            other = Ptp(lab, server, f"{site.url},name=web,name=other",
                        user=f"id8:{SECRET}", wait=False)
            tap.is_(other.wait_exit(), 3, "exit status")
            tap.like(other.log(), "web is refused.*rules", "web")
            tap.like(other.log(), "other is refused.*rules", "other")
            tap.is_(get(server.port, host="web").status // 100 > 3, True,
                    "nobody serves web")
        with tap.case("no is no: the client ends"):
            for user in ("id9:wrong", "no:x", "e403:x"):
                client, _ = refused(lab, server, user, site, "wrong secret")
                tap.is_(client.wait_exit(), 3, user)
        for user, why in (
                ("e500", "answer 500"), ("e404", "answer 404"),
                ("redirect", "answer 302"), ("string", "neither true nor"),
                ("one", "neither true nor"), ("nothing", "neither true nor"),
                ("nojson", "no JSON"), ("tokens", "no list of strings"),
                ("big", "too long"), ("slow", "time")):
            with tap.case(f"{user}: not let in, tries again, the log says "
                          "why"):
                mark = server.mark()
                client, _ = refused(lab, server, user + ":x", site, "busy")
                server.wait_line(f"auth.url: .*{why}", since=mark)
                client.wait_line("trying again")
                client.stop()
        with tap.case("redirects were not followed"):
            tap.is_(api.elsewhere, 0, "elsewhere")
        with tap.case("while one is asked for, others log in: not from the "
                      "same address, which is told to come back"):
            api.gate.clear()
            asked = len(api.asked)
            # It asks once, so that the other has its turn after that.
            slow = Ptp(lab, server, site.url, user="slow:x", wait=False,
                       options=["-o", "reconnect=1m"])
            until("it is asked for", lambda: len(api.asked) > asked)
            tap.is_(server.ctl("status").returncode, 0, "status")
            fast = Ptp(lab, server, site.url, user=f"id10:{SECRET}",
                       wait=False)
            fast.wait_up()
            slow.stop()
            fast.stop()
        with tap.case("fetch dies: who waits tries again and gets in"):
            api.gate.set()
            os.kill(server.pids("fetch")[0], 9)
            client = Ptp(lab, server, site.url, user=f"id11:{SECRET}",
                         wait=False)
            client.wait_up()
            client.stop()
        with tap.case("fetch: own uid, no files, no capability, no listener"):
            pid = server.pids("fetch")[0]
            status = proc.status(pid)
            tap.is_(status["CapEff"], "0" * 16, "capabilities")
            tap.is_(status["Seccomp"], "2", "seccomp")
            if os.getuid() == 0:
                uids = [proc.status(p)["Uid"][0]
                        for role in ("http", "relay", "keys", "auth", "fetch")
                        for p in server.pids(role)[:1]]
                tap.is_(len(set(uids)), 4, f"uids {uids}")
        server.stop()

        with tap.case("too many wrong secrets lock out"):
            locked = server_with(lab, url, "-o", "lockout.tries=1")
            for _ in range(2):
                refused(lab, locked, "no:x", site, "wrong secret")
            refused(lab, locked, f"id12:{SECRET}", site, "too many")
            locked.stop()
        with tap.case("what counts against nobody: a check that is down"):
            down = server_with(lab, f"http://127.0.0.1:{free_port()}/",
                               "-o", "lockout.tries=1")
            for _ in range(4):
                client, _ = refused(lab, down, f"id1:{SECRET}", site, "busy")
                client.stop()
            down.stop()
        with tap.case("a host that does not exist"):
            lost = server_with(lab, "http://nothing.invalid/")
            client, _ = refused(lab, lost, f"id1:{SECRET}", site, "busy")
            lost.wait_line("auth.url: its name")
            lost.wait_line("auth.url: secrets.* in the clear")
            client.stop()
            lost.stop()
        with tap.case("users that are configured are not asked for"):
            asked = len(api.asked)
            mixed = Ptpd(lab, "-o", f"auth.url={url}")
            client = Ptp(lab, mixed, site.url)
            tap.is_(get(mixed.port, host="id1").body, b"fine", "id1")
            tap.is_(len(api.asked), asked, "asked")
            with tap.case("without it such a one would be unknown"):
                mark = mixed.mark()
                Ptp(lab, mixed, site.url, user="no:x", wait=False).wait_exit()
                mixed.wait_line("wrong secret", since=mark)
            mixed.stop()

        cert, key = self_signed(lab, "api", "DNS:localhost")
        proxy = f"location = /check {{ proxy_pass {url}; }}"
        front = Nginx(lab, locations=proxy, tls=(cert, key))
        https = f"https://localhost:{front.port}/check"
        with tap.case("https: verified by auth.ca"):
            good = server_with(lab, https, "-o", f"auth.ca={cert}")
            client = Ptp(lab, good, site.url, user=f"id13:{SECRET}")
            tap.is_(get(good.port, host="id13").body, b"fine", "id13")
            tap.unlike(good.log(), "in the clear", "warning")
            good.stop()
        for what, options, address in (
                ("an unknown authority", [], https),
                ("another name", ["-o", f"auth.ca={cert}"],
                 https.replace("localhost", "127.0.0.1"))):
            with tap.case(f"https: {what} is not believed"):
                bad = server_with(lab, address, *options)
                asked = len(api.asked)
                client, _ = refused(lab, bad, f"id13:{SECRET}", site, "busy")
                tap.is_(len(api.asked), asked, "asked")
                bad.wait_line("auth.url: .*(certificate|SSL|subject)")
                client.stop()
                bad.stop()
        with tap.case("without auth.url there is no fetch"):
            plain = Ptpd(lab)
            tap.is_(plain.pids("fetch"), [], "fetch")
        with tap.case("a wrong URL is a fault of the configuration"):
            for wrong in ("ftp://x/", "http://", "https:///x", "x",
                          "http://a b"):
                done = lab.run([lab.program("ptpd"), "-n", "-o",
                                "listen.http=0", "-o", f"auth.url={wrong}"])
                tap.is_(done.returncode, 1, wrong)
                tap.like(done.stderr, "auth.url", wrong)
