#!/usr/bin/python3
"""Which names a client may have, and who owns one."""

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, reply
from lib.wire import connect, get


@tap.main
def run():
    with Lab() as lab:
        site = lab.keep(Origin(paths({}, lambda w, r: reply("one"))))
        other = lab.keep(Origin(paths({}, lambda w, r: reply("two"))))

        def refused(server, *names, user="id1:secret1"):
            client = Ptp(lab, server, *[f"{site.url},name={n}" for n in names],
                         user=user, wait=False)
            tap.is_(client.wait_exit(), 3, client.log())
            tap.ok(any(n.lower() in client.log() for n in names),
                   client.log())

        def granted(server, *names, user="id1:secret1"):
            client = Ptp(lab, server, *[f"{site.url},name={n}" for n in names],
                         user=user)
            for name in names:
                tap.is_(get(server.port, host=name).status, 200, name)
            return client

        with tap.case("limits.hosts.regex: a prefix must match a rule, "
                      "the id need not"):
            server = Ptpd(lab, "-o", 'limits.hosts.regex=["^web-[0-9]+$", '
                          '"^api$"]')
            granted(server, "web-1", "api").leave()
            refused(server, "web-x")
            refused(server, "xapi")
            Ptp(lab, server, site.url).stop()
        with tap.case("limits.hosts.number: so many beside the id"):
            server = Ptpd(lab, "-o", "limits.hosts.number=2")
            granted(server, "a", "b").leave()
            client = Ptp(lab, server, f"{site.url},name=a,name=b,name=c",
                         wait=False)
            client.wait_line("c is refused|refused.* c\\b")
            tap.is_([get(server.port, host=n).status for n in "abc"],
                    [200, 200, 404], "a, b, c")
            client.leave()
            Ptp(lab, server, site.url, f"{site.url},name=a,name=b").leave()
        with tap.case("so many also for one who is killed and comes back"):
            granted(server, "a", "b").kill()
            client = Ptp(lab, server, f"{site.url},name=b,name=c", wait=False)
            until("all it may have is granted", lambda: [
                get(server.port, host=n).status for n in "bc"] == [200, 200])
            client.stop()
        with tap.case("limits.hosts.with_id: a prefix becomes id-prefix"):
            server = Ptpd(lab, "-o", "limits.hosts.with_id=true")
            client = Ptp(lab, server, f"{site.url},name=web")
            tap.like(client.out(), r"\bid1-web\b", "its line")
            tap.is_(get(server.port, host="id1-web").status, 200, "id1-web")
            tap.is_(get(server.port, host="web").status, 404, "web")
            client.stop()
        with tap.case("with_id: a + b-c is refused where an id a-b exists"):
            server = Ptpd(lab, "-o", "limits.hosts.with_id=true",
                          "-u", "id1-b:s")
            refused(server, "b-c")
            refused(server, "b")
            Ptp(lab, server, f"{site.url},name=bb").stop()
        with tap.case("a full name whose first label is another's id: refused"):
            server = Ptpd(lab, "-u", "id2:secret2")
            refused(server, "id2.example.com")
            refused(server, "id2")
            refused(server, "ID2")
            granted(server, "www.example.com").stop()
        with tap.case("domain: it is in the printed address"):
            server = Ptpd(lab, "-o", "domain=Example.org", "-u", "id2:secret2")
            client = Ptp(lab, server, site.url, f"{site.url},name=web")
            tap.like(client.out(),
                     rf"at http://id1\.example\.org:{server.port}$", "id")
            tap.like(client.out(),
                     rf"at http://web\.example\.org:{server.port}$", "prefix")
            tap.is_(get(server.port, host="web.example.org").status, 200,
                    "status")
            refused(server, "id1.example.org", user="id2:secret2")
            client.stop()
        with tap.case("a full name beats a first label"):
            server = Ptpd(lab, "-u", "id2:secret2")
            Ptp(lab, server, site.url, f"{site.url},name=web")
            Ptp(lab, server, f"{other.url},name=web.example.com",
                user="id2:secret2")
            tap.is_(get(server.port, host="web.example.com").body, b"two",
                    "full name")
            tap.is_(get(server.port, host="web.example.org").body, b"one",
                    "first label")
        with tap.case("an id that logs in takes its name from a prefix"):
            server = Ptpd(lab, "-o", "allow_any_client=true", users=())
            first = Ptp(lab, server, f"{site.url},name=late", user="early:s")
            tap.is_(get(server.port, host="late").body, b"one", "the prefix")
            late = Ptp(lab, server, other.url, user="late:s")
            until("the id has it",
                  lambda: get(server.port, host="late").body == b"two")
            late.stop()
            first.stop()
        with tap.case("any client: the first secret holds the id"):
            client = Ptp(lab, server, site.url, user="held:s1")
            thief = Ptp(lab, server, other.url, user="held:s2", wait=False)
            tap.is_(thief.wait_exit(), 3, thief.log())
            tap.is_(get(server.port, host="held").body, b"one", "owner")
            client.stop()
        with tap.case("any client: its id is free when it has gone"):
            server = Ptpd(lab, "-o", "allow_any_client=true", "-o",
                          "timeouts.park=1s", "-o", "lockout.tries=1000",
                          users=())
            Ptp(lab, server, site.url, user="held:s1").stop()

            until("it is forgotten", lambda: not server.show_json("clients"))
            Ptp(lab, server, other.url, user="held:s2").stop()
        with tap.case("any client: at most 10 ids of one source"):
            server = Ptpd(lab, "-o", "allow_any_client=true", users=())
            clients = [Ptp(lab, server, site.url, user=f"n{n}:s")
                       for n in range(10)]
            client = Ptp(lab, server, site.url, user="n10:s", wait=False)
            client.wait_line("limit|many")
            tap.is_(get(server.port, host="n10").status, 404, "status")
            for client in clients:
                client.stop()
        with tap.case("any client: logs in as nobody where users exist"):
            server = Ptpd(lab)
            client = Ptp(lab, server, site.url, user="x:y", wait=False)
            tap.is_(client.wait_exit(), 3, client.log())
        with tap.case("a users_file beats users, -u beats both"):
            users = lab.write("users", 'users = ( { id = "u"; secret = "2"; }'
                              ', { id = "v"; secret = "2"; } );\n')
            conf = lab.write("main.conf", f'users_file = "{users}";\n'
                             'users = ( { id = "u"; secret = "1"; }, '
                             '{ id = "v"; secret = "1"; } );\n')
            server = Ptpd(lab, "-f", conf, users=("v:3",))
            for user, good in (("u:1", False), ("u:2", True), ("v:2", False),
                               ("v:3", True)):
                client = Ptp(lab, server, site.url, user=user, wait=good)
                if not good:
                    tap.is_(client.wait_exit(), 3, user)
                client.stop()
        with tap.case("an emptied users_file at reload lets nobody new in, "
                      "and warns"):
            lab.write("users", "")
            lab.write("main.conf", f'users_file = "{users}";\n')
            server = Ptpd(lab, "-f", conf, users=(), wait=False)
            server.wait_ready()
            mark = server.mark()
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            server.wait_line("warn", since=mark)
            client = Ptp(lab, server, site.url, user="any:s", wait=False)
            tap.is_(client.wait_exit(), 3, client.log())
        with tap.case("a client's file: services, names, server, secret"):
            server = Ptpd(lab)
            secret = lab.write("id1.secret", "secret1\n", 0o600)
            conf = lab.write("ptp.conf", f"""
                server = "tcp://127.0.0.1:{server.port}";
                id = "id1"; secret_file = "{secret}";
                services = (
                  {{ local = "{site.url}"; name = ("f1", "f2"); }},
                  {{ local = "{other.url}"; name = "f3.example.com"; }} );
                """)
            client = Ptp(lab, server, options=["-f", conf], address="")
            until("all are there", lambda: [
                get(server.port, host=n).status
                for n in ("f1", "f2", "f3.example.com")] == [200] * 3)
        with tap.case("a client's reload: one name goes, one comes, the rest "
                      "does not notice"):
            with connect(server.port) as wire:
                wire.get("/", "f1")
                with open(conf, encoding="ascii") as f:
                    text = f.read()
                lab.write("ptp.conf", text.replace('"f2"', '"f4"'))
                tap.is_(client.ctl("reload").returncode, 0, "reload")
                until("it is there",
                      lambda: get(server.port, host="f4").status == 200)
                until("it is gone",
                      lambda: get(server.port, host="f2").status == 404)
                tap.is_(wire.get("/", "f1").status, 200, "the connection")
        with tap.case("a client's bad reload: exit 1, where, no change"):
            lab.write("ptp.conf", text + "hats = 3;\n")
            done = client.ctl("reload")
            tap.is_(done.returncode, 1, done.stderr)
            tap.like(done.stderr, r"ptp\.conf:\d+: hats: ", "where")
            tap.is_(get(server.port, host="f4").status, 200, "status")
        with tap.case("one service's names end with it: ptpctl remove, add"):
            server = Ptpd(lab)
            client = Ptp(lab, server, site.url, f"{site.url},name=more")
            done = client.ctl("add", f"{other.url},name=added")
            tap.is_(done.returncode, 0, done.stderr)
            until("added", lambda: get(server.port, host="added").body
                  == b"two")
            done = client.ctl("remove", "added")
            tap.is_(done.returncode, 0, done.stderr)
            until("gone", lambda: get(server.port, host="added").status == 404)
            tap.is_(get(server.port, host="more").status, 200, "the others")
