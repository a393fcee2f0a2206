#!/usr/bin/python3
"""One identity, one owner: taken over from the dead, not from the living."""

import os
import re
import signal
import socket
import threading
import time

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, always, until
from lib.origin import Origin, paths, reply
from lib.wire import Truncated, connect, eventually, get


def say(text):
    return paths({}, lambda wire, request: reply(text))


def freeze(process, number):
    for pid in proc.family(process.pid):
        os.kill(pid, number)


class Cable:
    """A TCP proxy that can be pulled: both ends stay open, nothing passes."""

    def __init__(self, port):
        self.target, self.pulled = port, False
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.kept = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.sock.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.kept += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(
                    target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                if self.pulled:
                    return
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
        except OSError:
            pass

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for s in self.kept:
            s.close()


def owner(port):
    try:
        return get(port, timeout=30).body
    except (OSError, Truncated):
        return None


def from_the_dead(lab, one, two):
    server = Ptpd(lab)

    def next_one(site, text):
        """Starts one more client; returns it, and how soon it answers."""
        start = time.monotonic()
        client = Ptp(lab, server, site.url)
        until("it answers", lambda: owner(server.port) == text)
        return client, time.monotonic() - start

    # The quickest of several counts: the machine may have been slow.
    with tap.case("killed by force: the next has the name within a second"):
        second, times = Ptp(lab, server, two.url), []
        for site, text in ((one, b"one"), (two, b"two")) * 2:
            second.kill()
            second, seconds = next_one(site, text)
            times.append(seconds)
        tap.at_most(min(times), 1.0, f"seconds, of {times}")
    with tap.case("half-open (stopped): the next has it at once"):
        freeze(second, signal.SIGSTOP)
        third, seconds = next_one(one, b"one")
        times = [seconds]
    with tap.case("the replaced one is told so, and does not fight"):
        mark = second.mark()
        freeze(second, signal.SIGCONT)
        second.wait_line("replaced", since=mark)
        always("the third keeps the name",
               lambda: owner(server.port) == b"one", 2.5)
        tap.ok(third.running(), "the third runs")
        second.stop()
    with tap.case("half-open three times over: no leak"):
        third.stop()
        counts = []

        def count():
            return sum(len(proc.descriptors(p))
                       for p in proc.family(server.pid))

        client, _ = next_one(one, b"one")
        for site, text in (two, b"two"), (one, b"one"), (two, b"two"):
            freeze(client, signal.SIGSTOP)
            counts.append(count())
            client, seconds = next_one(site, text)
            times.append(seconds)
        last = client
        tap.is_({r["client"] for r in server.show_json("tunnels")}, {"id1"},
                "clients")
        tap.at_most(len(server.show_json("tunnels")), 3, "tunnels")
        until(f"descriptors as before, {counts}",
              lambda: count() <= counts[0] + 6)
        last.stop()
    with tap.case("half-open: it took less than two seconds"):
        tap.at_most(min(times), 2.0, f"seconds, of {times}")
    with tap.case("a pulled cable: the same client is back by its timeout"):
        cable = lab.keep(Cable(server.port))
        client = Ptp(lab, server, one.url, options=["-o", "timeout=2s"],
                     address=f"tcp://id1:secret1@127.0.0.1:{cable.port}")
        tap.is_(owner(server.port), b"one", "owner")
        cable.pulled = True
        until("the client notices",
              lambda: len(cable.kept) > 2 or not client.running())
        cable.pulled = False
        until("it answers again", lambda: owner(server.port) == b"one")
        client.stop()


def from_the_living(lab, one, two):
    server = Ptpd(lab, "-u", "id2:secret2")
    first = Ptp(lab, server, one.url, f"{one.url},name=shared")
    with tap.case("two live ones do not fight: the second is told and waits"):
        second = Ptp(lab, server, two.url, f"{two.url},name=mine", wait=False)
        second.wait_line(r"held by a live session since|taken")
        until("the rest is granted",
              lambda: get(server.port, host="mine").status == 200)
        always("the first keeps its name",
               lambda: owner(server.port) == b"one", 2)
    with tap.case("the second has it when the first has gone"):
        first.stop()
        until("the second answers", lambda: owner(server.port) == b"two")
    second.stop()
    with tap.case("another identity's name is refused with a reason"):
        first = Ptp(lab, server, f"{one.url},name=shared")
        other = Ptp(lab, server, f"{two.url},name=shared",
                    user="id2:secret2", wait=False)
        other.wait_line(r"taken|held")
        tap.is_(get(server.port, host="shared").body, b"one", "owner")
        tap.ok(other.running(), "it tries again")
        other.stop()
    with tap.case("nobody takes another's id as a name"):
        other = Ptp(lab, server, f"{two.url},name=id1", user="id2:secret2",
                    wait=False)
        tap.is_(other.wait_exit(), 3, other.log())
        tap.like(other.log(), "id1", "the name is named")
        other = Ptp(lab, server, f"{two.url},name=id1.example.com",
                    user="id2:secret2", wait=False)
        tap.is_(other.wait_exit(), 3, other.log())
        first.stop()
        other = Ptp(lab, server, f"{two.url},name=ID1", user="id2:secret2",
                    wait=False)
        tap.is_(other.wait_exit(), 3, "also while it is away")


def parked(lab, one):
    def ask(port, results):
        start = time.monotonic()
        try:
            status = get(port, timeout=60).status
        except (OSError, Truncated) as error:
            status = repr(error)
        results.append((status, time.monotonic() - start))

    def ask_many(port, count):
        results = []
        threads = [threading.Thread(target=ask, args=(port, results))
                   for _ in range(count)]
        for thread in threads:
            thread.start()
        return results, threads

    def lose(server, client):
        mark = server.mark()
        client.kill()
        server.wait_line("lost its last tunnel", since=mark)

    with tap.case("visitors wait while a lost client comes back"):
        server = Ptpd(lab, "-o", "timeouts.park=60s")
        client = Ptp(lab, server, one.url)
        lose(server, client)
        results, threads = ask_many(server.port, 10)
        client = Ptp(lab, server, one.url)
        for thread in threads:
            thread.join()
        tap.is_({r[0] for r in results}, {200}, "statuses")
    with tap.case("at most 16 of one source, the rest 503 at once"):
        server = Ptpd(lab, "-o", "timeouts.park=12s")
        lose(server, Ptp(lab, server, one.url))
        results, threads = ask_many(server.port, 30)
        for thread in threads:
            thread.join()
        quick = [s for s in results if s[1] < 8]
        tap.is_((len(quick), {s[0] for s in results}), (14, {503}), "answers")
    with tap.case("timeouts.park: 503 when it has passed"):
        longest = max(s[1] for s in results)
        tap.ok(10 <= longest <= 12 + 30, f"after {longest:.1f} s")
    with tap.case("timeouts.park = 0: 503 at once"):
        server = Ptpd(lab, "-o", "timeouts.park=0")
        lose(server, Ptp(lab, server, one.url))
        eventually(server.port, 503)
        results, threads = ask_many(server.port, 1)
        threads[0].join()
        tap.ok(results[0][0] == 503 and results[0][1] < 4, f"{results}")


def server_goes(lab, one):
    with tap.case("the server dies and comes back: so does the client"):
        server = Ptpd(lab)
        client = Ptp(lab, server, one.url)
        server.kill()
        again = Ptpd(lab, "-o", f"host_key={server.host_key}",
                     port=server.port)
        until("it answers", lambda: owner(again.port) == b"one")
        tap.ok(client.running(), "the same client")
    with tap.case("a kept-alive user's connection survives the client's "
                  "re-attaching, or ends: never a wrong answer"):
        with connect(again.port) as wire:
            wire.get("/")
            client.kill()
            client = Ptp(lab, again, one.url)
            try:
                tap.ok(wire.get("/").status in (200, 502, 503), "status")
            except (OSError, Truncated):
                pass
    with tap.case("timeouts.tunnel: a silent client is noticed"):
        server = Ptpd(lab, "-o", "timeouts.tunnel=2s",
                      "-o", "timeouts.park=1s")
        silent = Ptp(lab, server, one.url)
        freeze(silent, signal.SIGSTOP)
        until("it has no tunnel", lambda: not server.show_json("tunnels"))
        freeze(silent, signal.SIGCONT)
        until("it answers again", lambda: owner(server.port) == b"one")
    with tap.case("retries: at once, then by doubled, jittered pauses"):
        users = [f"id{number}:secret" for number in range(5)]
        server = Ptpd(lab, users=users)
        clients = [Ptp(lab, server, one.url, user=user) for user in users]
        marks = [client.mark() for client in clients]
        server.kill()

        def pauses():
            return [[float(pause) for pause in re.findall(
                r"trying again in ([\d.]+) s", client.log(mark))][:3]
                for client, mark in zip(clients, marks)]

        until("three pauses of each",
              lambda: min(len(of_one) for of_one in pauses()) == 3)
        for of_one in pauses():
            for pause, least in zip(of_one, (1, 2, 4)):
                tap.ok(least * 0.5 <= pause <= least * 1.5, f"{pauses()}")
        # One alone may by chance have whole seconds.
        tap.ok(any(pause != round(pause) for of_one in pauses()
                   for pause in of_one), f"jittered {pauses()}")
    with tap.case("kick closes at once; the client may come back"):
        tap.is_(again.ctl("kick", "id1").returncode, 0, "kick")
        until("it answers", lambda: owner(again.port) == b"one")


@tap.limit(900)
def run():
    with Lab() as lab:
        one, two = lab.keep(Origin(say("one"))), lab.keep(Origin(say("two")))
        from_the_dead(lab, one, two)
        from_the_living(lab, one, two)
        parked(lab, one)
        server_goes(lab, one)
