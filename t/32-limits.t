#!/usr/bin/python3
"""Slow, many and greedy peers: each has a bound, and others do not notice."""

import os
import resource
import threading
import time

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths
from lib.web import Nginx
from lib.wire import Truncated, connect, eventually, get, still

MIB = 1 << 20
HEAD = 2  # timeouts.head of the slow ones, seconds
LATE = 7.5  # seconds: when it is done, less than the default of a deadline
SLOW = 300  # connections that send a byte now and then
READERS = 10_000  # visitors who do not read, if there are descriptors
CLIENT_BOUND = 64  # MiB that one client may make us hold
WINDOW = 4  # MiB that one stream may have under way
DEAF = 50  # uploads to a service that does not read
NOTICED = 0.1  # seconds: what "others do not notice" allows
ENOUGH = 20  # requests of another, to say something of them
WRK = ["wrk", "-t1", "--timeout", "60s", "-H", "Host: id1"]


class Ordinary(threading.Thread):
    """Somebody who asks for a page again and again: how long it takes.

    As often he asks the service itself: what is slow there too is the
    machine's doing.
    """

    def __init__(self, port, host, service):
        super().__init__(daemon=True)
        self.ports, self.host = (port, service), host
        self.times, self.wrong, self.end = ([], []), [], False
        self.start()

    def run(self):
        while not self.end:
            for times, port in zip(self.times, self.ports):
                start = time.monotonic()
                try:
                    status = get(port, host=self.host).status
                    if status != 200:
                        self.wrong.append(status)
                except (OSError, Truncated) as error:
                    self.wrong.append(error)
                times.append(time.monotonic() - start)
            still(0.005)

    def stop(self):
        """Nothing failed, and the 99th percentile is in bounds."""
        until("there are enough", lambda: len(self.times[1]) >= ENOUGH)
        self.end = True
        self.join()
        tap.is_(self.wrong, [], "failures of another")
        count = len(self.times[0])
        # But for two at least, which the machine may have been slow at.
        place = min(int(count * 0.99), count - 3)
        ours, direct = (sorted(t)[place] for t in self.times)
        tap.diag(f"p99 of another: {ours * 1000:.1f} ms, direct "
                 f"{direct * 1000:.1f} ms, of {count}")
        # Two wait for each other's turn there, and a dozen times with us.
        tap.at_most(ours, NOTICED + 12 * direct, "p99 of another, seconds")


def dripping(wire, _request):
    """An answer of eight seconds, some bytes at a time."""
    wire.send("HTTP/1.1 200 OK\r\n\r\n")
    try:
        for _ in range(80):
            wire.send("drip")
            still(0.1)
    except OSError:
        pass
    return False


def slow_heads(lab, site):
    with tap.case(f"{SLOW} heads of a byte at a time: gone by the deadline, "
                  "others are served"):
        server = Ptpd(lab, "-o", f"timeouts.head={HEAD}s")
        Ptp(lab, server, site.url)
        other = Ordinary(server.port, "id1", site.port)
        start = time.monotonic()
        wires = [connect(server.port) for _ in range(SLOW)]
        text = "GET / HTTP/1.1\r\nHost: id1\r\nX-Slow: " + "y" * 1000
        open_, number = list(wires), 0
        for wire in wires:
            wire.sock.settimeout(0)
        while open_ and time.monotonic() - start < HEAD + LATE:
            for wire in list(open_):
                try:
                    wire.sock.send(text[number % len(text)].encode())
                    if wire.sock.recv(1000) is not None:
                        open_.remove(wire)
                except BlockingIOError:
                    pass
                except OSError:
                    open_.remove(wire)
            number += 1
            still(0.1)
        tap.is_(len(open_), 0, "still open")
        tap.at_most(time.monotonic() - start, HEAD + LATE, "seconds")
        other.stop()
    with tap.case("the same for a later head of a kept-alive connection"):
        with connect(server.port) as wire:
            wire.get("/")
            wire.send("GET / HTTP/1.1\r\n")
            start = time.monotonic()
            tap.ok(wire.ending() in ("end", "reset"), "closed")
            tap.at_most(time.monotonic() - start, HEAD + LATE, "seconds")
    with tap.case("an idle keep-alive connection is no slow head"):
        with connect(server.port) as wire:
            wire.get("/")
            still(HEAD + 1)
            tap.is_(wire.get("/").status, 200, "status")
    with tap.case("silent connections are gone by the deadline"):
        wires = [connect(server.port) for _ in range(50)]
        start = time.monotonic()
        for wire in wires:
            tap.ok(wire.ending() in ("end", "reset"), "closed")
        tap.at_most(time.monotonic() - start, HEAD + LATE, "seconds")
    with tap.case("timeouts.idle ends idle connections, and those alone"):
        server = Ptpd(lab, "-o", "timeouts.idle=4s")
        Ptp(lab, server, site.url)
        with connect(server.port) as idle, connect(server.port) as busy:
            busy.get("/")
            idle.get("/")

            def idle_has_ended():
                tap.is_(busy.get("/").status, 200, "the busy one")
                return idle.ending() in ("end", "reset")

            idle.sock.settimeout(0.1)
            until("the idle one ends", idle_has_ended)
            tap.is_(busy.get("/").status, 200, "the busy one")
    with tap.case("timeout_unidirectional: that the answer goes on does not "
                  "help a user who is silent"):
        drip = lab.keep(Origin(paths({}, dripping)))
        wires = {}
        for one_way in ("false", "true"):
            server = Ptpd(lab, "-o", "timeouts.idle=3s", "-o",
                          f"timeout_unidirectional={one_way}")
            Ptp(lab, server, drip.url)
            wires[one_way] = connect(server.port)
        for wire in wires.values():
            wire.send("GET / HTTP/1.1\r\nHost: id1\r\n\r\n")
        for one_way, end in (("true", "reset"), ("false", "end")):
            with wires[one_way] as wire:
                wire.head()
                tap.is_(wire.ending(), end, f"{one_way}: its end")
    with tap.case("silent handshakes are gone by theirs"):
        server = Ptpd(lab, "-o", "timeouts.handshake=1s")
        with connect(server.port) as wire:
            wire.send(b"\x8eptp\x01\x01\x01\x00")
            start = time.monotonic()
            tap.ok(wire.ending() in ("end", "reset"), "closed")
            tap.at_most(time.monotonic() - start, 1 + LATE, "seconds")
    with tap.case("half-open handshakes by the thousand: others log in"):
        wires = []
        for _ in range(1500):
            wire = connect(server.port)
            wire.send(b"\x8eptp\x01\x01\x01\x00\x00\x20" + os.urandom(32))
            wires.append(wire)
        client = Ptp(lab, server, site.url)
        tap.is_(get(server.port).status, 200, "status")
        for wire in wires:
            wire.close()
        client.stop()


def descriptors():
    """All that we may have; and as many of READERS as that allows."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(READERS, hard - 500)


def memory(pids):
    return sum(proc.private_kib(p) for p in pids) / 1024


def slow_readers(lab, site, readers):
    server = Ptpd(lab, "-o", "workers=1", "-u", "id2:secret2")
    big = Ptp(lab, server, site.url)
    Ptp(lab, server, site.url, user="id2:secret2")
    watched = {"relay": server.pids("relay"),
               "ptp": proc.family(big.pid)}
    before = {name: memory(pids) for name, pids in watched.items()}
    with tap.case("one who does not read: his bound is held, then all arrives"):
        with connect(server.port, 60, rcvbuf=4096) as wire:
            wire.send("GET /huge HTTP/1.1\r\nHost: id1\r\n\r\n")
            wire.take(1000)
            still(1)
            for name, pids in watched.items():
                tap.at_most(memory(pids) - before[name], 10, f"MiB in {name}")
            total = len(wire.buffer) + 1000
            while total < 64 * MIB:
                data = wire.sock.recv(MIB)
                if not data:
                    break
                total += len(data)
            tap.ok(total >= 64 * MIB, f"{total} bytes")
    with tap.case(f"{readers} who do not read: bounds hold, another's p99 "
                  "does not change"):
        other = Ordinary(server.port, "id2", site.port)
        wires = []
        for number in range(readers):
            wire = connect(server.port, 60, rcvbuf=4096)
            wire.send("GET /huge HTTP/1.1\r\nHost: id1\r\n\r\n")
            wires.append(wire)
            if number % 100 == 99:  # not more at a time than are served
                wire.take(1)
        still(3)
        for name, pids in watched.items():
            tap.diag(f"{name}: {memory(pids) - before[name]:.1f} MiB for "
                     f"{readers} who do not read")
            tap.at_most(memory(pids) - before[name], CLIENT_BOUND + 16,
                        f"MiB in {name}")
        other.stop()
    with tap.case("a service that does not read: the relay holds nothing, "
                  "its client a window each"):
        for wire in wires:
            wire.reset()
        until("they are gone", lambda: len(server.show_json("streams")) < 5)
        held = threading.Event()
        deaf = lab.keep(Origin(lambda wire, _: (wire.head(), held.wait(250))))
        server2 = Ptpd(lab, "-o", "workers=1")
        client = Ptp(lab, server2, deaf.url)
        ends = {"the server": (proc.family(server2.pid), 16),
                "the client": (proc.family(client.pid), DEAF * WINDOW + 16)}
        low = {end: memory(pids) for end, (pids, _) in ends.items()}
        wires = []
        for _ in range(DEAF):
            wire = connect(server2.port)
            wire.send("POST / HTTP/1.1\r\nHost: id1\r\n"
                      f"Content-Length: {1 << 30}\r\n\r\n")
            wire.sock.settimeout(0.05)
            try:
                for _ in range(200):
                    wire.sock.send(bytes(65536))
            except TimeoutError:
                pass
            wires.append(wire)
        for end, (pids, bound) in ends.items():
            grown = memory(pids) - low[end]
            tap.diag(f"{end}: {grown:.1f} MiB for {DEAF} uploads")
            tap.at_most(grown, bound, f"MiB in {end}")
        held.set()
        for wire in wires:
            wire.reset()


def streams_limit(lab, site):
    with tap.case("limits.streams: one more is told 503, and a place that "
                  "comes free is used"):
        server = Ptpd(lab, "-o", "limits.streams=3")
        Ptp(lab, server, site.url)
        wires = [connect(server.port) for _ in range(3)]
        for wire in wires:
            tap.is_(wire.get("/").status, 200, "status")
        tap.is_(get(server.port).status, 503, "one more")
        wires[0].close()
        until("a free place", lambda: get(server.port).status == 200)
        for wire in wires:
            wire.close()
    with tap.case("limits.sources: the same for a source, whomever it visits; "
                  "the log says so"):
        server = Ptpd(lab, "-o", "limits.sources=3", "-u", "id2:secret2")
        Ptp(lab, server, site.url)
        Ptp(lab, server, site.url, user="id2:secret2")
        wires = [connect(server.port) for _ in range(3)]
        for wire, host in zip(wires, ("id1", "id1", "id2")):
            tap.is_(wire.get("/", host).status, 200, "status")
        tap.is_(get(server.port).status, 503, "one more")
        tap.is_(get(server.port, host="id2").status, 503, "one more of id2")
        server.wait_line(r"refused: .*limits\.sources")
        wires[0].close()
        until("a free place", lambda: get(server.port).status == 200)
        for wire in wires:
            wire.close()
        for number in range(20):
            until(f"not counted for ever: {number}",
                  lambda: get(server.port).status == 200)
    with tap.case("a trusted proxy brings many"):
        server = Ptpd(lab, "-o", "limits.sources=1",
                      "-o", "http.trusted=127.0.0.1")
        Ptp(lab, server, site.url)
        wires = [connect(server.port) for _ in range(3)]
        for wire in wires:
            tap.is_(wire.get("/").status, 200, "status")
        for wire in wires:
            wire.close()
    with tap.case("a user's own limits beat the global ones"):
        conf = lab.write("own.conf", 'users = ( { id = "id2"; secret = "s"; '
                         'streams = 1; } );\nlimits = { streams = 2; };\n')
        server = Ptpd(lab, "-f", conf)
        Ptp(lab, server, site.url)
        Ptp(lab, server, site.url, user="id2:s")
        for host, number in (("id1", 2), ("id2", 1)):
            wires = [connect(server.port) for _ in range(number)]
            for wire in wires:
                tap.is_(wire.get("/", host).status, 200, host)
            tap.is_(get(server.port, host=host).status, 503, host)
            for wire in wires:
                wire.close()
    with tap.case("ptpctl show limits: what is in use, and the most"):
        server = Ptpd(lab, "-o", "limits.sources=9", "-o", "limits.speed=3M",
                      "-o", "limits.streams=5", "-o", "limits.tunnels=2")
        Ptp(lab, server, site.url)
        with connect(server.port) as one, connect(server.port) as two:
            one.get("/")
            two.get("/")
            rows = {(r["client"], r["limit"]): (r["used"], r["most"])
                    for r in server.show_json("limits")}
            speeds = [r["speed"] for r in server.show_json("clients")]
        tap.is_(rows[None, "sources"], (2, 9), "sources")
        tap.is_(rows["id1", "streams"], (2, 5), "streams")
        tap.is_(rows["id1", "tunnels"], (1, 2), "tunnels")
        tap.is_(rows["id1", "speed"], (None, 3 << 20), "speed")
        tap.is_(speeds, [3 << 20], "speed of clients")
    with tap.case("tunnel.connections and limits.tunnels bound the pool"):
        server = Ptpd(lab, "-o", "limits.tunnels=2")
        Ptp(lab, server, site.url, options=["-o", "tunnel.connections=5",
                                            "-o", "tunnel.idle=5"])
        wires = [connect(server.port) for _ in range(200)]
        for wire in wires:
            wire.send("GET /huge HTTP/1.1\r\nHost: id1\r\n\r\n")
        still(1)
        tap.at_most(len(server.show_json("tunnels")), 2, "tunnels")
        for wire in wires:
            wire.reset()
    with tap.case("the pool: one at rest, more when it is busy, three at most"):
        server = Ptpd(lab)
        Ptp(lab, server, site.url)
        tap.is_(get(server.port).status, 200, "status")
        until("one at rest", lambda: len(server.show_json("tunnels")) == 1)
        done = lab.run(WRK + ["-c200", "-d2s",
                              f"http://127.0.0.1:{server.port}/big"])
        tap.unlike(done.stdout, "Non-2xx|Socket errors", "wrk")
        tap.at_most(len(server.show_json("tunnels")), 3, "tunnels")


def out_of_descriptors(lab, site):
    with tap.case("out of descriptors: no spinning, control works, then all "
                  "is well again"):
        limited = lab.write(
            "limited", "#!/bin/sh\nulimit -n 160\nexec "
            f"{lab.program('ptpd')} \"$@\"\n", 0o755)
        server = Ptpd(lab, "-o", "workers=1", program=limited)
        Ptp(lab, server, site.url)
        tap.is_(get(server.port).status, 200, "before")
        wires = []
        for _ in range(600):
            wire = connect(server.port)
            try:
                wire.send("GET / HTTP/1.1\r\nHost: id1\r\n\r\n")
            except OSError:
                pass
            wires.append(wire)
        server.wait_line("no descriptors left")
        still(1)
        pids = proc.family(server.pid)
        start = {p: proc.cpu_seconds(p) for p in pids}
        still(1.5)
        for pid in pids:
            spent = proc.cpu_seconds(pid) - start.get(pid, 0)
            tap.at_most(spent, 0.3, f"CPU seconds of {proc.name(pid)}")
        tap.is_(server.ctl("status").returncode, 0, "ptpctl")
        tap.ok(server.running(), "the master lives")
        tap.is_(sorted(pids), sorted(proc.family(server.pid)), "all live")
        for wire in wires:
            wire.close()
        tap.is_(eventually(server.port, 200).status, 200, "served")
        lines = [line for line in server.log().splitlines()
                 if "503 Service Unavailable" not in line  # of those told so
                 and "408 Request Timeout" not in line]
        tap.diag(f"{len(lines)} lines of log")
        tap.at_most(len(lines), 60, "lines of log")


def few_descriptors(lab, site):
    with tap.case("a limit of 64: out of descriptors, and well again"):
        limited = lab.write(
            "limited3", "#!/bin/sh\nulimit -n 64\nexec "
            f"{lab.program('ptpd')} \"$@\"\n", 0o755)
        server = Ptpd(lab, "-o", "workers=1", program=limited)
        Ptp(lab, server, site.url)
        wires = [connect(server.port) for _ in range(100)]
        for wire in wires:
            try:
                wire.send("GET / HTTP/1.1\r\n")
            except OSError:
                pass  # it is the one that was told
        server.wait_line("no descriptors left")
        for wire in wires:
            wire.close()
        tap.is_(eventually(server.port, 200).status, 200, "served")


def full_relay(lab, site):
    with tap.case("a relay at its descriptor reserve: users are told 503, "
                  "clients go to another, then all is well again"):
        limited = lab.write(
            "limited2", "#!/bin/sh\nulimit -n 200\nexec "
            f"{lab.program('ptpd')} \"$@\"\n", 0o755)
        ids = [f"id{number}" for number in range(1, 5)]
        server = Ptpd(lab, "-o", "workers=2", program=limited,
                      users=[f"{id}:secret" for id in ids])
        for id in ids[:2]:
            Ptp(lab, server, site.url, user=f"{id}:secret")
        where = {t["client"]: t["relay"] for t in server.show_json("tunnels")}
        tap.ok(where["id1"] != where["id2"], "two relays")
        wires, answers = [], []
        while answers.count(503) < 5 and len(wires) < 300:
            wires.append(connect(server.port))
            answers.append(wires[-1].get("/").status)
        served = answers.count(200)
        tap.diag(f"{served} users of 200 descriptors")
        tap.ok(200 - 80 <= served <= 200 - 32, f"{served} users are served")
        tap.is_(set(answers[served:]), {503}, "all others")
        server.wait_line("relay .* has no descriptors left")
        tap.is_(get(server.port, host="id2").status, 200, "another relay's")
        for id in ids[2:]:  # one each, were there room
            Ptp(lab, server, site.url, user=f"{id}:secret")
        found = {t["client"]: t["relay"] for t in server.show_json("tunnels")}
        tap.is_({found[id] for id in ids[1:]}, {where["id2"]}, "relays")
        for wire in wires[:100]:
            wire.close()
        tap.is_(eventually(server.port, 200).status, 200, "room")
        again = {wire.get("/").status for wire in wires[100:served]}
        tap.is_(again, {200}, "those of before")
        for wire in wires[100:]:
            wire.close()


def churn(lab, site):
    with tap.case("ten thousand connections later: descriptors and memory "
                  "are where they were"):
        server = Ptpd(lab, "-o", "workers=1")
        client = Ptp(lab, server, site.url)

        def load(seconds):
            done = lab.run(WRK + ["-c50", f"-d{seconds}s", "-H",
                                  "Connection: close",
                                  f"http://127.0.0.1:{server.port}/"])
            tap.unlike(done.stdout, "Non-2xx|Socket errors", "wrk")

        load(1)
        until("no streams", lambda: not server.show_json("streams"))
        pids = proc.family(server.pid) + proc.family(client.pid)
        files = {p: len(proc.descriptors(p)) for p in pids}
        before = {p: proc.private_kib(p) for p in pids}
        load(4)
        until("no streams", lambda: not server.show_json("streams"))
        until("descriptors are as before", lambda: all(
            len(proc.descriptors(p)) <= files[p] + 2 for p in pids))
        for pid in pids:
            tap.at_most(proc.private_kib(pid) - before[pid], 1024,
                        f"KiB more in {proc.name(pid)}")


@tap.limit(900)
def run():
    readers = descriptors()
    with Lab() as lab:
        # One descriptor for a file, however many ask for it.
        site = Nginx(lab, "one", "open_file_cache max=10;")
        with open(site.file("huge", b""), "wb") as f:
            f.truncate(128 * MIB)
        site.file("big", os.urandom(200_000))
        slow_heads(lab, site)
        slow_readers(lab, site, readers)
        streams_limit(lab, site)
        out_of_descriptors(lab, site)
        few_descriptors(lab, site)
        full_relay(lab, site)
        churn(lab, site)
