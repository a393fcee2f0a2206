#!/usr/bin/python3
"""Public ports outlive what may happen to clients and workers, and no more.

It runs in a network of its own, so that ports can be asked for by number.
"""

import os
import resource
import signal
import socket
import threading
import time

from lib import namespace, proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import port_answers, until
from lib.raw import greeter
from lib.wire import Truncated, connect

RULES = ("-o", 'limits.tcp=({range="9000-9009";number=4;})')


def freeze(process, number):
    for pid in proc.family(process.pid):
        os.kill(pid, number)


def greeting(port, count=3, timeout=60):
    """What a new user of the port is told first, or how it fails."""
    try:
        with connect(port, timeout) as user:
            return user.take(count)
    except (OSError, Truncated) as error:
        return repr(error)


def lose(server, client):
    mark = server.mark()
    client.kill()
    server.wait_line("lost its last tunnel", since=mark)


def away(lab, one, two):
    server = Ptpd(lab, *RULES, "-o", "timeouts.park=60s")
    with tap.case("killed by force: users wait, and the next one serves them"):
        client = Ptp(lab, server, f"{one.url},port=9000")
        lose(server, client)
        with connect(9000, 60) as user:
            user.send("early")
            client = Ptp(lab, server, f"{two.url},port=9000")
            tap.is_(user.take(8), b"twoearly", "greeting and echo")
    client.stop()
    server.stop()
    with tap.case("timeouts.park passes: who waits is reset, the port closed"):
        server = Ptpd(lab, *RULES, "-o", "timeouts.park=9s")
        lose(server, Ptp(lab, server, f"{one.url},port=9000"))
        start = time.monotonic()
        with connect(9000, 60) as user:
            tap.is_(user.ending(), "reset", "ending")
        until("the port is closed", lambda: not port_answers(9000))
        took = time.monotonic() - start
        tap.ok(6 <= took <= 9 + 30, f"after {took:.1f} s")
        tap.is_([r for r in server.show_json("listeners")
                 if r["listener"] == "tcp"], [], "listeners")
    with tap.case("another client may have it then"):
        server = Ptpd(lab, *RULES, "-o", "timeouts.park=1s",
                      users=("id1:secret1", "id2:secret2"))
        client = Ptp(lab, server, f"{one.url},port=9000")
        lose(server, client)
        other = Ptp(lab, server, f"{two.url},port=9000", user="id2:secret2")
        tap.is_(greeting(9000), b"two", "greeting")
        other.stop()


def taken_over(lab, one, two):
    server = Ptpd(lab, *RULES)
    with tap.case("half-open (stopped): the next has the port in two seconds"):
        times = []
        for _ in range(3):
            first = Ptp(lab, server, f"{one.url},port=9001")
            tap.is_(greeting(9001), b"one", "greeting")
            freeze(first, signal.SIGSTOP)
            start = time.monotonic()
            second = Ptp(lab, server, f"{two.url},port=9001")
            tap.is_(greeting(9001), b"two", "greeting")
            times.append(time.monotonic() - start)
            freeze(first, signal.SIGCONT)
            first.stop()
            tap.is_(greeting(9001), b"two", "the first's end changes nothing")
            if len(times) < 3:
                second.stop()
        # The quickest counts: the machine may have been slow at others.
        tap.at_most(min(times), 2.5, f"seconds, of {times}")
    with tap.case("a live one keeps it; the second waits for it"):
        third = Ptp(lab, server, f"{one.url},port=9001", wait=False)
        third.wait_line("9001: the port is in use")
        tap.is_(greeting(9001), b"two", "greeting")
        second.stop()
        third.wait_up()
        tap.is_(greeting(9001), b"one", "greeting")
        third.stop()
    with tap.case("kick closes at once; the client may come back"):
        client = Ptp(lab, server, f"{one.url},port=9002")
        freeze(client, signal.SIGSTOP)  # or it may be back too soon to see
        server.ctl("kick", "id1")
        tap.ok(not port_answers(9002), "closed")
        freeze(client, signal.SIGCONT)
        until("open again", lambda: greeting(9002) == b"one")
        client.stop()


def relay_dies(lab, one):
    server = Ptpd(lab, *RULES, "-o", "timeouts.park=60s")
    client = Ptp(lab, server, f"{one.url},port=9002")
    with tap.case("a relay dies: its users are reset, the port stays"):
        with connect(9002) as user:
            tap.is_(user.take(3), b"one", "greeting")
            mark = server.mark()
            for pid in server.pids("relay"):
                os.kill(pid, signal.SIGKILL)
            tap.is_(user.ending(), "reset", "ending")
            server.wait_line("lost its last tunnel", since=mark)
        tap.is_(greeting(9002), b"one", "a new user waits and is served")
    client.stop()
    with tap.case("and a random port is the same afterwards"):
        with socket.create_server(("127.0.0.1", 9000)):
            client = Ptp(lab, server, one.url)
        tap.is_(greeting(9001), b"one", "the lowest that was free")
        mark = server.mark()
        for pid in server.pids("relay"):
            os.kill(pid, signal.SIGKILL)
        server.wait_line("id1 logged in", since=mark)
        tap.is_(greeting(9001), b"one", "also when a lower one is free")
        tap.ok(not port_answers(9000), "which is not open")
    client.stop()


def exhausted(lab, one):
    with tap.case("no descriptors: users are told or wait, and it goes on"):
        server = Ptpd(lab, *RULES)
        client = Ptp(lab, server, f"{one.url},port=9002")
        room = len(proc.descriptors(server.pid)) + 6
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (room, room))
        wires, ends = [], []
        for _ in range(100):
            try:
                wires.append(connect(9002))
            except ConnectionResetError:  # so early that connecting fails
                ends.append("reset")
        for wire in wires:
            try:
                ends.append(wire.take(3))
            except ConnectionResetError:
                ends.append("reset")
        tap.is_(set(ends) - {"reset"}, {b"one"}, "greetings")
        tap.ok(ends.count(b"one") > 50, f"{ends.count('reset')} were reset")
        server.wait_line("no descriptors left: users of ports have to wait")
        for wire in wires:
            wire.close()
        until("as before", lambda: greeting(9002) == b"one")
    client.stop()


class Users:
    """New users of a port, one after the other, until told to stop."""

    def __init__(self, port):
        self.port, self.served, self.failed = port, 0, []
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.done.is_set():
            try:
                with connect(self.port, 60) as user:
                    user.send("question")
                    user.shut()
                    text = user.rest()
                if text != b"onequestion":
                    self.failed.append(text)
            except OSError as error:
                self.failed.append(repr(error))
            self.served += 1

    def finish(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def restarted(lab, one):
    server = Ptpd(lab, *RULES)
    client = Ptp(lab, server, f"{one.url},port=9003", one.url)
    with tap.case("restart under load: no user is lost, none is turned away"):
        before = server.show_json("routes")
        with connect(9003) as kept:
            tap.is_(kept.take(3), b"one", "greeting")
            users = Users(9003)
            until("load runs", lambda: users.served > 20)
            done = server.ctl("restart")
            tap.is_(done.returncode, 0, done.stderr)
            count = users.served
            until("load goes on", lambda: users.served > count + 50)
            users.finish()
            tap.is_(users.failed, [], "failed")
            kept.send("still here")
            tap.is_(kept.take(10), b"still here", "one from before")
    with tap.case("the ports are the same, and their client's"):
        def same():
            rows = [(r["name"], r["client"], r["kind"], r["state"])
                    for r in server.show_json("routes")]
            return sorted(rows) == sorted(
                (r["name"], r["client"], r["kind"], "here") for r in before)

        until("as before", same)
        tap.is_(greeting(9000), b"one", "the random one")
    with tap.case("and are closed with it"):
        client.stop()
        until("closed", lambda: not port_answers(9003))


def reloaded(lab, one):
    conf = lab.path("ptpd.conf")

    def rules(text):
        lab.write("ptpd.conf", "limits = { tcp = ( %s ); };\n" % text)

    rules('{ range = "9004-9006"; number = 2; }')
    server = Ptpd(lab, "-f", conf)
    client = Ptp(lab, server, f"{one.url},port=9004", f"{one.url},port=9006")
    with tap.case("reload: a port that is not allowed any more is closed"):
        with connect(9004) as kept:
            tap.is_(kept.take(3), b"one", "greeting")
            rules('{ range = "9004-9005"; number = 2; }')
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            until("closed", lambda: not port_answers(9006))
            client.wait_line("tcp port 9006 is refused: this user may not")
            kept.send("hi")
            tap.is_(kept.take(2), b"hi", "users of the other port stay")
        tap.is_(greeting(9004), b"one", "the other port")
    with tap.case("reload: a smaller number closes the last of them"):
        rules('{ range = "9004-9006"; number = 1; }')
        server.ctl("reload")
        tap.is_((greeting(9004), port_answers(9006)), (b"one", False),
                "ports")
    with tap.case("reload: allowed again, it is open again"):
        rules('{ range = "9004-9006"; number = 2; }')
        server.ctl("reload")
        until("open", lambda: greeting(9006) == b"one")
    with tap.case("reload: a removed user's ports are closed"):
        client.stop()
        server.stop()
        lab.write("users.conf", 'users = ( { id = "id1"; secret = "secret1"; '
                  "} );\n")
        lab.write("ptpd.conf", f'users_file = "{lab.path("users.conf")}";\n'
                  'limits = { tcp = { range = "9004-9006"; }; };\n')
        server = Ptpd(lab, "-f", conf, users=())
        client = Ptp(lab, server, f"{one.url},port=9005")
        tap.is_(greeting(9005), b"one", "greeting")
        lab.write("users.conf", "users = ( );\n")
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        until("closed", lambda: not port_answers(9005))


def cases(lab):
    one, two = greeter(lab, "one"), greeter(lab, "two")
    away(lab, one, two)
    taken_over(lab, one, two)
    relay_dies(lab, one)
    exhausted(lab, one)
    restarted(lab, one)
    reloaded(lab, one)


namespace.main(__file__, cases)
