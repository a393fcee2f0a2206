#!/usr/bin/python3
"""The client daemon: its pool, its servers in order, its control socket."""

import json
import os
import time

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import DEADLINE, Lab, always, free_port, until
from lib.origin import Origin, paths, reply
from lib.wire import connect, eventually, get


def say(text):
    return paths({}, lambda wire, request: reply(text))


def tunnels(daemon):
    return len(daemon.show_json("tunnels"))


def pool(lab, one):
    server = Ptpd(lab)
    with tap.case("one tunnel when nothing flows"):
        client = Ptp(lab, server, one.url)
        tap.is_((tunnels(client), tunnels(server)), (1, 1), "tunnels")
        client.stop()
    with tap.case("tunnel.idle = 3: three, by tickets, and all serve"):
        client = Ptp(lab, server, one.url, options=["-o", "tunnel.idle=3"])
        until("three tunnels", lambda: tunnels(client) == 3)
        until("at the server", lambda: tunnels(server) == 3)
        tap.is_(get(server.port).body, b"one", "it serves")
        sessions = {r["session"] for r in client.show_json("tunnels")}
        tap.is_(len(sessions), 1, "one session")
        client.stop()
    with tap.case("limits.tunnels holds, and the client lives with it"):
        small = Ptpd(lab, "-o", "limits.tunnels=2")
        client = Ptp(lab, small, one.url, options=["-o", "tunnel.idle=3"])
        until("two tunnels", lambda: tunnels(client) == 2)
        always("never three", lambda: tunnels(client) == 2, 2.5)
        tap.is_(get(small.port).body, b"one", "it serves")
        client.stop()
    with tap.case("with many busy streams it grows, to tunnel.connections"):
        client = Ptp(lab, server, one.url)
        wires = []
        for _ in range(150):  # none waits for its turn to ask: timeouts.head
            wires.append(connect(server.port))
            tap.is_(wires[-1].get("/").status, 200, "status")
        until("more tunnels", lambda: tunnels(client) > 1)
        until("all answer", lambda: all(
            wire.get("/").status == 200 for wire in wires))
        tap.ok(tunnels(client) <= 3, "at most three")
        for wire in wires:
            wire.close()
        until("no stream is left", lambda: not client.show_json("streams"))
        client.stop()


def servers(lab, one):
    first, second = free_port(), Ptpd(lab)
    with tap.case("addresses are tried in order"):
        client = Ptp(lab, second, one.url, address="", options=[
            "-s", f"tcp://id1:secret1@127.0.0.1:{first}",
            "-s", f"tcp://id1:secret1@127.0.0.1:{second.port}"])
        tap.is_(get(second.port).body, b"one", "the second serves")
        tap.like(client.log(), rf"{first}: Connection refused", "log")
    with tap.case("the first is tried first again"):
        server = Ptpd(lab, "-o", f"host_key={second.host_key}", port=first)
        second.kill()
        until("the first serves",
              lambda: eventually(server.port, 200).status == 200)
        client.stop()
    with tap.case("addresses of one list are one server: another key is "
                  "refused"):
        third = Ptpd(lab)
        client = Ptp(lab, third, one.url, known=client.known, address="",
                     wait=False, options=[
                         "-s", f"tcp://id1:secret1@127.0.0.1:{third.port}",
                         "-s", f"tcp://id1:secret1@127.0.0.1:{first}"])
        tap.is_(client.wait_exit(), 3, client.log())
        tap.ok(third.key() in client.log(), "its key is named")
    with tap.case("a name that does not resolve is tried again"):
        client = Ptp(lab, server, one.url, wait=False,
                     address="tcp://id1:secret1@nowhere.invalid:1")
        # Up to the resolver, or after `timeout`, 45 s.
        client.wait_line("nowhere.invalid.*", deadline=2 * DEADLINE)
        client.wait_line("trying again")
        tap.ok(client.running(), "it goes on")
        client.stop()
    with tap.case("a server dialled by name, a service named by name"):
        client = Ptp(lab, server, f"http://localhost:{one.port}",
                     address=f"tcp://id1:secret1@localhost:{first}")
        tap.is_(client.out(), f"http://localhost:{one.port} is reachable at "
                f"http://id1.localhost:{first}\n", "its line")
        tap.is_(get(first).body, b"one", "it serves")
        client.stop()
    with tap.case("what is no ptp server is said to be none"):
        web = lab.keep(Origin(lambda wire, _: (
            wire.send("HTTP/1.1 400 What?\r\n\r\n"), wire.ending())))
        client = Ptp(lab, server, one.url, wait=False,
                     address=f"tcp://id1:secret1@127.0.0.1:{web.port}")
        client.wait_line("does not answer as a ptp server")
        client.stop()
    with tap.case("a server that says nothing: given up after `timeout`"):
        silent = lab.keep(Origin(lambda wire, _: wire.ending()))
        start = time.monotonic()
        client = Ptp(lab, server, one.url, wait=False,
                     options=["-o", "timeout=1s"],
                     address=f"tcp://id1:secret1@127.0.0.1:{silent.port}")
        client.wait_line("no answer in time")
        tap.ok(0.8 < time.monotonic() - start < 40, "not after 45 s")
        client.stop()


def control(lab, one, two):
    server = Ptpd(lab)
    conf = lab.write("ptp.conf", f'services = ( {{ local = "{one.url}"; '
                     'name = "one"; } );\n')
    client = Ptp(lab, server, options=["-f", conf])
    client.wait_line("is reachable", "stdout")
    port = server.port

    def ok(*command):
        done = client.ctl(*command)
        tap.is_(done.returncode, 0, f"{command}: {done.stderr}")
        return done.stdout

    def refused(*command):
        done = client.ctl(*command)
        tap.is_(done.returncode, 1, f"{command}: {done.stdout}")
        tap.ok(done.stderr, "a reason")
        return done.stderr

    with tap.case("status"):
        status = json.loads(ok("-j", "status"))
        tap.is_((status["state"], status["id"], status["pid"]),
                ("up", "id1", client.pid), "fields")
    with tap.case("show services: where they are"):
        rows = client.show_json("services")
        tap.is_([(r["local"], r["name"], r["state"]) for r in rows],
                [(one.url, "one", "granted")], "rows")
        tap.like(rows[0]["url"], r"Host: one", "url")
    with tap.case("show streams, show tunnels"):
        with connect(port) as wire:
            wire.get("/", host="one")
            rows = client.show_json("streams")
            tap.is_([(r["service"], r["state"]) for r in rows],
                    [(one.url, "up")], "streams")
            until("bytes", lambda: [
                r for r in client.show_json("streams")
                if r["up"] > 0 and r["down"] > 0])
            tap.is_([r["streams"] for r in client.show_json("tunnels")], [1],
                    "tunnels")
    with tap.case("add: at once, and said"):
        ok("add", f"{two.url},name=two")
        client.wait_line(f"{two.url} is reachable", "stdout")
        tap.is_(get(port, host="two").body, b"two", "it serves")
        tap.is_(get(port, host="one").body, b"one", "the other too")
    with tap.case("add: what is wrong is refused with a reason"):
        for text in ("ftp://h:1", "http://h:99999", "http://h:1,hats=2",
                     f"{one.url},name=two"):
            refused("add", text)
        tap.is_(len(client.show_json("services")), 2, "nothing was added")
    with tap.case("remove: by name, by address; once"):
        ok("remove", "two")
        tap.is_(eventually(port, 404, host="two").status, 404, "gone")
        tap.is_(get(port, host="one").body, b"one", "the other stays")
        refused("remove", "two")
        ok("add", f"{two.url},name=two")
        ok("remove", two.url)
        refused("remove", "two")
    with tap.case("remove: a port alone is an address, too"):
        ok("add", "9,name=nine")
        ok("remove", "9")
        refused("remove", "nine")
    with tap.case("remove: as it was added; a reload leaves what was added"):
        ok("add", f"{two.url},name=two")
        eventually(port, 200, host="two")
        ok("reload")
        tap.is_(get(port, host="two").body, b"two", "after a reload")
        refused("remove", f"{two.url},name=three")
        ok("remove", f"{two.url},name=two")
        refused("remove", "two")
    with tap.case("reload: new ones come, old ones go, connections stay"):
        with connect(port) as wire:
            tap.is_(wire.get("/", host="one").body, b"one", "before")
            lab.write("ptp.conf", "services = (\n"
                      f' {{ local = "{one.url}"; name = "one"; }},\n'
                      f' {{ local = "{two.url}"; name = "three"; }} );\n')
            ok("reload")
            client.wait_line(r"Host: three", "stdout")
            tap.is_(wire.get("/", host="one").body, b"one", "after")
        tap.is_(get(port, host="three").body, b"two", "the new one")
        lab.write("ptp.conf", f'services = ( {{ local = "{two.url}"; '
                  'name = "three"; } );\n')
        ok("reload")
        tap.is_(eventually(port, 404, host="one").status, 404, "the old one")
    with tap.case("reload of a bad file: exit 1, FILE:LINE: KEY, no change"):
        lab.write("ptp.conf", 'services = ( { local = "http://h:1";\n'
                  'rewrite_hots = true; } );\n')
        tap.like(refused("reload"), r"ptp\.conf:2: services\[0\]\.rewrite_hots",
                 "reason")
        tap.is_(get(port, host="three").body, b"two", "as before")
    with tap.case("reload: log.level holds"):
        mark = client.mark()
        lab.write("ptp.conf", f'services = ( {{ local = "{two.url}"; '
                  'name = "three"; } );\nlog = { level = "warn"; };\n')
        ok("reload")
        ok("add", f"{one.url},name=quiet")
        until("granted", lambda: get(port, host="quiet").status == 200)
        ok("remove", "quiet")
        tap.unlike(client.log(mark), "info:.*quiet", "log")
    with tap.case("an unknown command says what there is"):
        tap.like(refused("kick", "id1"), "reload", "reason")
        refused("show", "hats")
    with tap.case("log LEVEL reaches the workers"):
        ok("log", "debug")
        refused("log", "loud")
    with tap.case("stop: exit 0, the socket is gone"):
        ok("stop")
        tap.is_(client.wait_exit(), 0, client.log())
        tap.ok(not os.path.exists(client.socket), "socket")


def moves(lab, one):
    first, second = Ptpd(lab), Ptpd(lab, "-u", "id9:secret9")

    def write(user, server):
        return lab.write("move.conf", f'server = "tcp://{user}@127.0.0.1:'
                         f'{server.port}";\nservices = ( {{ local = '
                         f'"{one.url}"; }} );\n')

    client = Ptp(lab, first, address="", options=[
        "-f", write("id1:secret1", first)])
    client.wait_line("is reachable", "stdout")
    with tap.case("reload with another server: there first, then away"):
        write("id1:secret1", second)
        tap.is_(client.ctl("reload").returncode, 0, "reload")
        until("the new one serves", lambda: get(second.port).status == 200)
        tap.is_(eventually(first.port, 503).status, 503, "the old one")
    with tap.case("reload with another id: the name follows"):
        write("id9:secret9", second)
        tap.is_(client.ctl("reload").returncode, 0, "reload")
        until("id9 serves", lambda: get(
            second.port, host="id9").status == 200)
    with tap.case("reload with a wrong secret: told, and tried again"):
        mark = client.mark()
        write("id9:wrong", second)
        tap.is_(client.ctl("reload").returncode, 0, "reload")
        client.wait_line("wrong secret", since=mark)
        tap.is_(get(second.port, host="id9").status, 200, "still there")
        tap.ok(client.running(), "it runs")
    client.stop()


def names(lab, one, two):
    server = Ptpd(lab)
    with tap.case("several names of one service, several services"):
        client = Ptp(lab, server, f"{one.url},name=a,name=www.b.com", two.url)
        for name, body in (("a", b"one"), ("www.b.com", b"one"),
                           ("id1", b"two")):
            until(name, lambda n=name: get(server.port, host=n).status == 200)
            tap.is_(get(server.port, host=name).body, body, name)
        client.wait_line(r"http://www\.b\.com:\d+$", "stdout")
        client.stop()
    with tap.case("unix: as a local service"):
        path = lab.path("origin.sock")
        lab.keep(Origin(say("unix"), unix=path))
        client = Ptp(lab, server, f"unix:{path}")
        tap.is_(get(server.port).body, b"unix", "it serves")
        os.unlink(path)
        tap.is_(get(server.port).status, 502, "gone: 502")
        client.wait_line("No such file")
        client.stop()


@tap.main
def run():
    with Lab() as lab:
        one, two = lab.keep(Origin(say("one"))), lab.keep(Origin(say("two")))
        pool(lab, one)
        servers(lab, one)
        control(lab, one, two)
        moves(lab, one)
        names(lab, one, two)
