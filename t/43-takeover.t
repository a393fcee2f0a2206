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
        return get(port, timeout=3).body
    except (OSError, Truncated):
        return None


def from_the_dead(lab, one, two):
    server = Ptpd(lab)
    with tap.case("killed by force: the next has the name within a second"):
        first = Ptp(lab, server, one.url)
        tap.is_(owner(server.port), b"one", "owner")
        first.kill()
        start = time.monotonic()
        second = Ptp(lab, server, two.url)
        until("the second answers", lambda: owner(server.port) == b"two")
        tap.at_most(time.monotonic() - start, 1.0, "seconds")
    with tap.case("half-open (stopped): the next has it within two seconds"):
        freeze(second, signal.SIGSTOP)
        start = time.monotonic()
        third = Ptp(lab, server, one.url)
        until("the third answers", lambda: owner(server.port) == b"one")
        tap.at_most(time.monotonic() - start, 2.0, "seconds")
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
        for _ in range(3):
            client = Ptp(lab, server, one.url)
            until("it answers", lambda: owner(server.port) == b"one")
            freeze(client, signal.SIGSTOP)
            counts.append(sum(len(proc.descriptors(p))
                              for p in proc.family(server.pid)))
        last = Ptp(lab, server, two.url)
        until("the last answers", lambda: owner(server.port) == b"two")
        tap.is_({r["client"] for r in server.show_json("tunnels")}, {"id1"},
                "clients")
        tap.at_most(len(server.show_json("tunnels")), 3, "tunnels")
        tap.at_most(counts[-1], counts[0] + 6, f"descriptors {counts}")
        last.stop()
    with tap.case("a pulled cable: the same client is back by its timeout"):
        cable = lab.keep(Cable(server.port))
        client = Ptp(lab, server, one.url, options=["-o", "timeout=2s"],
                     address=f"tcp://id1:secret1@127.0.0.1:{cable.port}")
        tap.is_(owner(server.port), b"one", "owner")
        cable.pulled = True
        until("the client notices",
              lambda: len(cable.kept) > 2 or not client.running(), 10)
        cable.pulled = False
        until("it answers again", lambda: owner(server.port) == b"one", 10)
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
        until("the second answers", lambda: owner(server.port) == b"two", 8)
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
            status = get(port, timeout=15).status
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
        server = Ptpd(lab)
        client = Ptp(lab, server, one.url)
        lose(server, client)
        results, threads = ask_many(server.port, 10)
        client = Ptp(lab, server, one.url)
        for thread in threads:
            thread.join()
        tap.is_({r[0] for r in results}, {200}, "statuses")
    with tap.case("at most 16 of one source, the rest 503 at once"):
        lose(server, client)
        results, threads = ask_many(server.port, 30)
        for thread in threads:
            thread.join()
        quick = [s for s in results if s[1] < 3]
        tap.is_((len(quick), {s[0] for s in results}), (14, {503}), "answers")
    with tap.case("timeouts.park: 503 when it has passed"):
        server = Ptpd(lab, "-o", "timeouts.park=1s")
        lose(server, Ptp(lab, server, one.url))
        results, threads = ask_many(server.port, 1)
        threads[0].join()
        tap.is_(results[0][0], 503, "status")
        tap.ok(0.5 <= results[0][1] <= 2.5, f"after {results[0][1]:.1f} s")
    with tap.case("timeouts.park = 0: 503 at once"):
        server = Ptpd(lab, "-o", "timeouts.park=0")
        lose(server, Ptp(lab, server, one.url))
        eventually(server.port, 503)
        results, threads = ask_many(server.port, 1)
        threads[0].join()
        tap.ok(results[0][0] == 503 and results[0][1] < 0.5, f"{results}")


def server_goes(lab, one):
    with tap.case("the server dies and comes back: so does the client"):
        server = Ptpd(lab)
        client = Ptp(lab, server, one.url)
        server.kill()
        again = Ptpd(lab, "-o", f"host_key={server.host_key}",
                     port=server.port)
        until("it answers", lambda: owner(again.port) == b"one", 10)
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
        until("it has no tunnel", lambda: not server.show_json("tunnels"), 6)
        freeze(silent, signal.SIGCONT)
        until("it answers again", lambda: owner(server.port) == b"one", 10)
    with tap.case("retries: at once, then by doubled, jittered pauses"):
        mark = silent.mark()
        server.kill()
        pauses = []

        def grown():
            pauses[:] = [float(p) for p in re.findall(
                r"trying again in ([\d.]+) s", silent.log(mark))]
            return len(pauses) >= 3

        until("three pauses", grown, 12)
        for pause, least in zip(pauses, (1, 2, 4)):
            tap.ok(least * 0.5 <= pause <= least * 1.5, f"pauses {pauses}")
        tap.ok(any(p != round(p) for p in pauses), f"jittered {pauses}")
    with tap.case("kick closes at once; the client may come back"):
        tap.is_(again.ctl("kick", "id1").returncode, 0, "kick")
        until("it answers", lambda: owner(again.port) == b"one", 10)


@tap.main
def run():
    with Lab() as lab:
        one, two = lab.keep(Origin(say("one"))), lab.keep(Origin(say("two")))
        from_the_dead(lab, one, two)
        from_the_living(lab, one, two)
        parked(lab, one)
        server_goes(lab, one)
