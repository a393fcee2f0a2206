#!/usr/bin/python3
"""Users: who may log in, how often in vain, and what each may have."""

import base64
import os
import signal
import socket
import time

from lib import peer, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, always, until
from lib.origin import Origin, paths, raw_echo, reply, upgrade
from lib.wire import Truncated, Wire, connect, eventually, get


def status(server, name):
    return get(server.port, host=name).status


def login(server, secret="secret1", ident="id1", source="127.0.0.1", **more):
    """How a login ends: 0, or the code of the refusal."""
    wire = Wire(socket.create_connection(
        ("127.0.0.1", server.port), 60, (source, 0)), 60)
    with wire:
        try:
            peer.Client(server.port, ident, secret, wire=wire, **more)
        except peer.Refused as refused:
            return refused.args[0]
    return 0


def names_of(lab, site):
    with tap.case("hosts.number: a user's own beats the global one"):
        conf = lab.write("number.conf", """
            limits = { hosts = { number = 1; }; };
            users = ( { id = "few"; secret = "s"; },
                      { id = "many"; secret = "s"; hosts = { number = 3; }; },
                      { id = "all"; secret = "s"; hosts = { number = 0; }; } );
            """)
        server = Ptpd(lab, "-f", conf, users=())
        for user, most in (("few", 1), ("many", 3), ("all", 4)):
            names = [f"{user}{n}" for n in range(4)]
            client = Ptp(lab, server, *[f"{site.url},name={n}" for n in names],
                         user=user + ":s", wait=False)
            until(f"{most} of {user}", lambda: [
                status(server, n) for n in names]
                == [200] * most + [404] * (4 - most))
            client.stop()
    with tap.case("hosts.regex: a user's own beats the global ones"):
        conf = lab.write("regex.conf", """
            limits = { hosts = { regex = ["^g[0-9]$", "global"]; }; };
            users = ( { id = "plain"; secret = "s"; },
                      { id = "own"; secret = "s";
                        hosts = { regex = "^own-"; }; },
                      { id = "free"; secret = "s";
                        hosts = { regex = []; }; } );
            """)
        server = Ptpd(lab, "-f", conf, users=())
        for user, good, bad in (("plain", ("g1", "aglobal"), "own-1"),
                                ("own", ("own-1", "own-x"), "g1"),
                                ("free", ("own-1", "g12"), None)):
            client = Ptp(lab, server, *[f"{site.url},name={n}" for n in good],
                         user=user + ":s")
            client.stop()
            if bad:
                client = Ptp(lab, server, f"{site.url},name={bad}",
                             user=user + ":s", wait=False)
                tap.is_(client.wait_exit(), 3, client.log())
                tap.like(client.log(), f"{bad} is refused: against", "why")
    with tap.case("a rule that could take for ever is a fault"):
        for rule in r'"(a*)\\\\1"', '"("':
            done = lab.run([lab.program("ptpd"), "-n", "-o",
                            "listen.http=0", "-f", lab.write("bad.conf", (
                                "limits = { hosts = { regex = %s; }; };\n"
                                % rule).replace("\\\\\\\\", "\\\\"))])
            tap.is_(done.returncode, 1, rule)
            tap.like(done.stderr, r"bad\.conf:1: limits\.hosts\.regex: ",
                     rule)
    with tap.case("hosts.with_id: as a user has it"):
        conf = lab.write("with_id.conf", """
            users = ( { id = "a"; secret = "s"; hosts = { with_id = true; }; },
                      { id = "b"; secret = "s"; } );
            """)
        server = Ptpd(lab, "-f", conf, users=())
        Ptp(lab, server, f"{site.url},name=web", user="a:s")
        Ptp(lab, server, f"{site.url},name=web", user="b:s")
        tap.is_([status(server, n) for n in ("a-web", "web", "b-web")],
                [200, 200, 404], "names")


def many_services(lab, site):
    with tap.case("two clients with four services each, from a file and "
                  "added, prefixes with their ids"):
        server = Ptpd(lab, "-o", "limits.hosts.with_id=true", "-u", "id2:s2")
        for user in ("id1:secret1", "id2:s2"):
            conf = lab.write(user[:3] + ".conf", """
                services = ( { local = "%s"; name = "f1"; },
                             { local = "%s"; name = "f2"; } );
                """ % (site.url, site.url))
            client = Ptp(lab, server, user=user, options=["-f", conf])
            client.wait_line("-f2", "stdout")
            for service in site.url, f"{site.url},name=c1":
                done = client.ctl("add", service)
                tap.is_(done.returncode, 0, done.stderr)
        names = [i + n for i in ("id1", "id2") for n in ("", "-c1", "-f1",
                                                         "-f2")]
        until("all eight", lambda: [status(server, n) for n in names]
              == [200] * 8)
    with tap.case("two clients want the same prefix: one has it, the other "
                  "is told"):
        server = Ptpd(lab, "-u", "id2:s2")
        first = Ptp(lab, server, f"{site.url},name=same", wait=False)
        second = Ptp(lab, server, f"{site.url},name=same", user="id2:s2",
                     wait=False)
        until("one has it", lambda: ("reachable" in first.out())
              != ("reachable" in second.out()))
        loser = second if "reachable" in first.out() else first
        loser.wait_line("same is taken")
        always("it stays so", lambda: "reachable" not in loser.out(), 1)


def tunnels(lab, site):
    with tap.case("limits.tunnels: three are in, two refused, users do not "
                  "notice"):
        server = Ptpd(lab, "-o", "limits.tunnels=3")
        Ptp(lab, server, site.url, options=["-o", "tunnel.connections=1"])
        others, codes = [], []
        for _ in range(4):
            try:
                others.append(peer.Client(server.port))
                codes.append(0)
            except peer.Refused as refused:
                codes.append(refused.args[0])
            for _ in range(50):
                tap.is_(get(server.port).status, 200, "a request meanwhile")
        tap.is_(codes, [0, 0, peer.LIMIT, peer.LIMIT], "logins")
        others[0].wire.close()
        until("one more is in", lambda: login(server) == 0)


def lockout(lab):
    with tap.case("unknown ids and wrong secrets are refused, and counted"):
        server = Ptpd(lab, "-o", "lockout.tries=2", "-o", "lockout.time=0")
        tap.is_([login(server, ident="nobody"), login(server, "wrong")],
                [peer.UNKNOWN_ID, peer.WRONG_SECRET], "codes")
    with tap.case("a success clears the count"):
        tap.is_([login(server, s) for s in (
            "secret1", "x", "x", "secret1", "x", "x")],
                [0, 2, 2, 0, 2, 2], "codes")
    with tap.case("one more locks the address out, and no other"):
        tap.is_([login(server, s) for s in ("x", "x", "secret1")],
                [peer.WRONG_SECRET, peer.LOCKED, peer.LOCKED], "codes")
        tap.is_(login(server, source="127.0.0.2"), 0, "another address")
        server.wait_line(r"127\.0\.0\.1 is locked out")
    with tap.case("a restart forgives nobody"):
        tap.is_(login(server, "x", source="127.0.0.3"), 2, "a failure")
        tap.is_(server.ctl("restart").returncode, 0, "restart")
        tap.is_([login(server, source=s) for s in ("127.0.0.1", "127.0.0.2")],
                [peer.LOCKED, 0], "logins")
        tap.is_([login(server, "x", source="127.0.0.3") for _ in range(3)],
                [2, 2, peer.LOCKED], "the count")
    with tap.case("lockout.time 0: until reload, also with users connected"):
        with connect(server.port) as wire:
            tap.is_(wire.get("/").status, 503, "a user of that address")
            always("locked", lambda: login(server) == peer.LOCKED, 0.5)
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            tap.is_(login(server), 0, "after it")
    with tap.case("tries 0: each failure locks; the ban ends by itself"):
        server = Ptpd(lab, "-o", "lockout.tries=0", "-o", "lockout.time=1s")
        for _ in range(3):
            start = time.monotonic()
            tap.is_(login(server, "x"), peer.WRONG_SECRET, "a failure")
            until("it is over", lambda: login(server, "x") == 2)
            tap.ok(time.monotonic() - start > 0.9, "not before")
            until("it is over again", lambda: login(server) == 0)
    with tap.case("who logs in by key is not locked out with others"):
        pair = peer.key_pair()
        text = base64.urlsafe_b64encode(pair.public.data).decode().rstrip("=")
        conf = lab.write("key.conf", """
            lockout = { tries = 0; time = "0"; };
            users = ( { id = "key"; key = "%s"; },
                      { id = "id1"; secret = "secret1"; } );
            """ % text)
        server = Ptpd(lab, "-f", conf, users=())
        tap.is_([login(server, "x"), login(server)],
                [peer.WRONG_SECRET, peer.LOCKED], "locked")
        tap.is_(login(server, ident="key", method=peer.BY_KEY,
                      key=pair.private.data), 0, "by key")
    with tap.case("a live session gets its further tunnels all the same"):
        server = Ptpd(lab, "-o", "lockout.tries=0", "-o", "lockout.time=0",
                      "-o", "limits.streams=0")
        client = Ptp(lab, server, "80", options=[
            "-o", "tunnel.connections=3", "-o", "tunnel.idle=3"])
        until("three", lambda: len(server.show_json("tunnels")) == 3)
        login(server, "x")
        tap.is_(login(server), peer.LOCKED, "locked")
        with connect(server.port):
            pass
        tap.ok(client.running(), "the client")


CONF = """
users = ( { id = "id1"; secret = "secret1"; }%s );
%s
"""


def hot(lab, site, raw):
    conf = lab.write("hot.conf", "")

    def change(users="", more=""):
        lab.write("hot.conf", CONF % (users, more))
        if server:
            done = server.ctl("reload")
            tap.is_(done.returncode, 0, done.stderr)

    server = None
    change(', { id = "u"; secret = "s"; }')
    server = Ptpd(lab, "-f", conf, users=())
    keep = Ptp(lab, server, site.url)
    with tap.case("a user is removed: its tunnels and users are closed, it is "
                  "told, others do not notice"):
        client = Ptp(lab, server, f"{raw.url},name=u", user="u:s")
        with connect(server.port) as wire, connect(server.port) as other:
            upgrade(wire, "u")
            other.get("/")
            change()
            client.wait_line("user (was|is) removed|does not exist")
            tap.ok(wire.ending() in ("end", "reset"), "its user")
            tap.is_(other.get("/").status, 200, "another's")
        tap.is_(status(server, "u"), 404, "its name")
        until("gone", lambda: "u" not in [
            r["id"] for r in server.show_json("clients")])
        client.stop()
    with tap.case("a changed secret or method holds for new logins"):
        change(', { id = "v"; secret = "s"; }')
        client = Ptp(lab, server, f"{site.url},name=v", user="v:s")
        change(', { id = "v"; secret = "t"; }')
        tap.is_(status(server, "v"), 200, "the session stays")
        tap.is_(login(server, "s", "v"), peer.WRONG_SECRET, "the old one")
        tap.is_(login(server, "t", "v"), 0, "the new one")
        change(', { id = "v"; key = "%s"; }' % ("B" * 42 + "A"))
        tap.is_(status(server, "v"), 200, "the session stays")
        tap.is_(login(server, "t", "v"), peer.NEED_KEY, "the method")
        client.stop()
    with tap.case("a name that is allowed no more is taken back, and given "
                  "again"):
        change()
        client = Ptp(lab, server, f"{site.url},name=one",
                     f"{site.url},name=two")
        change(more='limits = { hosts = { regex = "^one"; }; };')
        eventually(server.port, 404, host="two")
        client.wait_line("two is refused: against the rules")
        tap.is_(status(server, "one"), 200, "the other")
        change()
        eventually(server.port, 200, host="two")
        client.stop()
    with tap.case("limits.streams of a user, lowered and raised"):
        change(', { id = "w"; secret = "s"; }')
        client = Ptp(lab, server, f"{raw.url},name=w", user="w:s")
        with connect(server.port) as wire:
            upgrade(wire, "w")
            change(', { id = "w"; secret = "s"; streams = 1; }')
            tap.is_(status(server, "w"), 503, "one more")
            wire.send("here")
            tap.is_(wire.take(4), b"here", "the one")
            change(', { id = "w"; secret = "s"; streams = 2; }')
            with connect(server.port) as more:
                tap.is_(upgrade(more, "w").status, 101, "one more")
        client.stop()
    with tap.case("limits.tunnels, lowered: surplus ones end with their users"):
        change(', { id = "x"; secret = "s"; }')
        client = Ptp(lab, server, f"{raw.url},name=x", user="x:s", options=[
            "-o", "tunnel.connections=3", "-o", "tunnel.idle=3"])

        def count():
            return len([t for t in server.show_json("tunnels")
                        if t["client"] == "x"])

        until("three", lambda: count() == 3)
        wires = [connect(server.port) for _ in range(8)]
        for wire in wires:
            upgrade(wire, "x")
        change(', { id = "x"; secret = "s"; tunnels = 1; }')
        for wire in wires:
            wire.send("here")
            tap.is_(wire.take(4), b"here", "a user of before")
            wire.close()
        until("one", lambda: count() == 1)
        with connect(server.port) as wire:
            tap.is_(upgrade(wire, "x").status, 101, "a user of after")
        tap.unlike(client.log(), "session has ended", "its log")
        client.stop()
    keep.stop()


def seeds(lab, site):
    """What the systems that we follow got wrong."""
    other = lab.keep(Origin(paths({}, lambda w, r: reply("two"))))
    with tap.case("an id of 63 bytes is one, and of 64 a fault on both sides"):
        longest = "i" * 63
        server = Ptpd(lab, users=(longest + ":s",))
        client = Ptp(lab, server, site.url, user=longest + ":s")
        tap.is_(status(server, longest), 200, "served")
        client.stop()
        done = lab.run([lab.program("ptpd"), "-n", "-o", "listen.http=0", "-u",
                        longest + "i:s"])
        tap.is_(done.returncode, 1, done.stderr)
        done = lab.run([lab.program("ptp"), "-n", "-s",
                        f"tcp://{longest}i:s@127.0.0.1:1", "80"])
        tap.is_(done.returncode, 1, done.stderr)
    with tap.case("a client without a secret is let in nowhere where there "
                  "are users, with one nowhere where it is another"):
        server = Ptpd(lab)
        for user in "id1", "id1:", "id1:s":
            client = Ptp(lab, server, site.url, user=user, wait=False)
            tap.ok(client.wait_exit() in (1, 3), client.log())
        tap.is_(status(server, "id1"), 503, "nobody is there")
    with tap.case("a service that is changed, not only added or removed, is "
                  "taken over by reload"):
        conf = lab.write("changed.conf", '')

        def write(local):
            lab.write("changed.conf", f"""
                server = "tcp://id1:secret1@127.0.0.1:{server.port}";
                services = ( {{ local = "{local}"; name = "c"; }} );
                """)

        write(site.url)
        client = Ptp(lab, server, options=["-f", conf], address="")
        until("up", lambda: status(server, "c") == 200)
        write(other.url)
        tap.is_(client.ctl("reload").returncode, 0, "reload")
        until("the other", lambda: get(server.port, host="c").body == b"two")
    with tap.case("an unknown name is 404, whatever it looks like"):
        for name in ("nobody", "nobody.example.com", "1.2.3.4", "1.2.3.4:80",
                     "[::1]:80", "a_b", "1.2.3", "x" * 63 + ".org"):
            tap.is_(status(server, name), 404, name)


def held(lab, site):
    with tap.case("an id that its first secret holds becomes a user's, and "
                  "goes with the user"):
        conf = lab.write("held.conf", "allow_any_client = true;\n")
        server = Ptpd(lab, "-f", conf, users=())
        client = Ptp(lab, server, site.url, user="h:first")
        lab.write("held.conf", """
            allow_any_client = true;
            users = ( { id = "h"; secret = "second"; } );
            """)
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        tap.is_(status(server, "h"), 200, "the session stays")
        tap.is_([r["method"] for r in server.show_json("users")], ["secret"],
                "method")
        tap.is_(login(server, "second", "h"), 0, "the configured secret")
        lab.write("held.conf", "allow_any_client = true;\n")
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        client.wait_line("user (was|is) removed|does not exist")


def kept(lab, site):
    """What auth forgets with its process, nobody else may use."""

    def by(server, secret):
        try:
            return login(server, secret, "h", method=peer.BY_PLAIN)
        except (OSError, Truncated):  # auth has ended meanwhile
            return None

    for what in "a restart", "the end of auth":
        with tap.case(f"any client: {what} gives its id to no other secret"):
            server = Ptpd(lab, "-o", "allow_any_client=true", "-o",
                          "timeouts.park=60s", users=())
            client = Ptp(lab, server, site.url, user="h:first")
            tap.is_(by(server, "second"), peer.WRONG_SECRET, "before")
            client.signal(signal.SIGSTOP)
            if what == "a restart":
                tap.is_(server.ctl("restart").returncode, 0, "restart")
            else:
                pid = server.pids("auth")[0]
                os.kill(pid, signal.SIGKILL)
                until("another auth", lambda: server.pids("auth") not in (
                    [], [pid]))
            until("it is refused", lambda: by(server, "second") == peer.BUSY)
            tap.is_(by(server, "third"), peer.BUSY, "nor another")
            since = client.mark()
            client.signal(signal.SIGCONT)
            if what != "a restart":
                for relay in server.pids("relay"):
                    os.kill(relay, signal.SIGKILL)
            client.wait_line("logged in as h", since=since)
            until("it serves", lambda: status(server, "h") == 200)
            tap.is_([by(server, "second"), by(server, "first")],
                    [peer.WRONG_SECRET, 0], "after")
            client.stop()
            server.stop()


def files(lab, site):
    with tap.case("users_file: read again, limits and all; the strongest "
                  "source of a user holds as a whole"):
        users = lab.write("users", 'users = ( { id = "u"; secret = "2"; '
                          'hosts = { regex = "^file"; }; } );\n')
        conf = lab.write("main.conf", f'users_file = "{users}";\n'
                         'users = ( { id = "u"; secret = "1"; streams = 1; '
                         '}, { id = "v"; secret = "1"; } );\n')
        server = Ptpd(lab, "-f", conf, users=("w:3",))
        tap.is_([login(server, s, i) for i, s in (
            ("u", "1"), ("u", "2"), ("v", "1"), ("w", "3"))], [2, 0, 0, 0],
                "logins")
        client = Ptp(lab, server, f"{site.url},name=file1", user="u:2")
        rows = {r["id"]: r for r in server.show_json("users")}
        tap.is_(rows["u"]["streams_most"], 0, "streams of u")
        tap.is_(rows["u"]["names"], 1, "names of u")
        lab.write("users", 'users = ( { id = "u"; secret = "2"; streams = 7; '
                  '}, { id = "n"; secret = "4"; } );\n')
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        tap.is_(login(server, "4", "n"), 0, "a new one")
        rows = {r["id"]: r for r in server.show_json("users")}
        tap.is_(rows["u"]["streams_most"], 7, "streams of u")
        client.stop()
    with tap.case("users_file is gone at reload: a warning, nobody of it is "
                  "let in, the rest is"):
        lab.run(["rm", users])
        mark = server.mark()
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        server.wait_line("warn.*users: .*no such file", since=mark)
        tap.is_([login(server, s, i) for i, s in (
            ("n", "4"), ("any", "x"), ("v", "1"), ("w", "3"))],
                [1, 1, 0, 0], "logins")
    with tap.case("it is back, from an editor of another system: so are they"):
        lab.write("users", '\ufeffusers = (\r\n{ id = "n"; secret = "4"; }\r\n'
                  ');\r\n')
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        tap.is_(login(server, "4", "n"), 0, "login")
    with tap.case("a fault in it is told with its place, and changes nothing"):
        lab.write("users", 'users = ( { id = "n"; } );\n')
        done = server.ctl("reload")
        tap.is_(done.returncode, 1, done.stderr)
        tap.like(done.stderr, r"users:1: users\[0\]: expected a secret",
                 "where")
        tap.is_(login(server, "4", "n"), 0, "login")


@tap.limit(900)
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({}, lambda w, r: reply("one"))))
        raw = lab.keep(Origin(paths({}, raw_echo)))
        names_of(lab, site)
        many_services(lab, site)
        tunnels(lab, site)
        lockout(lab)
        hot(lab, site, raw)
        held(lab, site)
        kept(lab, site)
        seeds(lab, site)
        files(lab, site)
