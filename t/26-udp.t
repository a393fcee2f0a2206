#!/usr/bin/python3
"""UDP ports: datagrams, flows, and what happens to them."""

import glob
import json
import os
import re
import select
import signal
import socket
import struct
import threading
import time

from lib import peer, proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, until
from lib.peer import DGRAM, PART, Datagrams
from lib.tls import Authority
from lib.wire import still

PORTS = "limits.udp=( { range = \"1024-65535\"; number = 20; } )"
SIZES = (0, 1, 1200, 1472, 9000, 16360, 16361, 32720, 65507)
SO_RCVBUFFORCE = 33
QUIET = 0.3  # seconds in which an answer would have come
PATIENCE = 30  # seconds until what has to come is given up


def udp(address="127.0.0.1", port=0, timeout=PATIENCE):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((address, port))
    s.settimeout(timeout)
    return s


class Service:
    """A UDP service of the test's own on 127.0.0.1."""

    def __init__(self, port=0):
        self.sock = udp(port=port)
        self.port = self.sock.getsockname()[1]

    def take(self):
        return self.sock.recvfrom(70000)

    def answer(self):
        """Sends the next datagram back; returns it."""
        data, who = self.take()
        self.sock.sendto(data, who)
        return data

    def close(self):
        self.sock.close()


def ask(user, service, data, port, address="127.0.0.1"):
    """One datagram there and back; returns the answer and whence it came."""
    user.sendto(data, (address, port))
    service.answer()
    return user.recvfrom(70000)


def name_of(user):
    return "%s:%d" % user.getsockname()[:2]


def new_user(seen):
    """One whose port none of those seen has had."""
    while True:
        user = udp()
        if name_of(user) not in seen:
            return user
        user.close()


def silent(sock):
    sock.settimeout(QUIET)
    try:
        return sock.recvfrom(70000)
    except TimeoutError:
        return None
    finally:
        sock.settimeout(PATIENCE)


def served(user, service, port):
    """Whether a datagram gets there and back; they may be lost."""
    user.settimeout(0.2)
    service.sock.settimeout(0.2)
    token = os.urandom(8)
    try:
        user.sendto(token, ("127.0.0.1", port))
        while service.answer() != token:
            pass
        while user.recvfrom(99)[0] != token:
            pass
        return True
    except (TimeoutError, ConnectionError):
        return False
    finally:
        user.settimeout(PATIENCE)
        service.sock.settimeout(PATIENCE)


def flows(server):
    return [r for r in server.show_json("streams") if int(r["conn"]) == 0]


def memory(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


class Pair:
    """A server and a client with one UDP service on a public port."""

    def __init__(self, lab, *options, keys="", client=(), port=None):
        self.lab, self.client_options = lab, client
        self.service = lab.keep(Service())
        self.port = port or free_port()
        self.server = Ptpd(lab, "-o", PORTS, *options)
        self.keys = keys
        self.client = self.attach()

    def attach(self):
        return Ptp(self.lab, self.server,
                   f"udp://127.0.0.1:{self.service.port},port={self.port}"
                   f"{self.keys}", options=self.client_options)

    def ask(self, user, data, address="127.0.0.1"):
        return ask(user, self.service, data, self.port, address)

    def stop(self):
        self.client.stop()
        self.server.stop()


def datagrams(lab):
    pair = Pair(lab)
    for size in SIZES:
        with tap.case(f"a datagram of {size} bytes, there and back"):
            with udp() as user:
                data = os.urandom(size)
                answer, whence = pair.ask(user, data)
                tap.ok(answer == data, f"{len(answer)} bytes came back")
                tap.is_(whence, ("127.0.0.1", pair.port), "whence")

    with tap.case("the answer comes from the address that was asked"):
        for address in ("127.0.0.1", "127.0.0.2", "127.99.1.1"):
            with udp("127.0.0.1") as user:
                answer, whence = pair.ask(user, b"where", address)
                tap.is_(whence, (address, pair.port), "whence")
        with udp("::1") as user:
            answer, whence = pair.ask(user, b"where", "::1")
            tap.is_(whence[:2], ("::1", pair.port), "whence")

    with tap.case("order and borders are kept, both ways"):
        with udp() as user:
            for start in range(0, 2000, 20):
                sent = [struct.pack(">I", i) * (1 + i % 300)
                        for i in range(start, start + 20)]
                for data in sent:
                    user.sendto(data, ("127.0.0.1", pair.port))
                for data in sent:
                    tap.ok(pair.service.answer() == data, "at the service")
                for data in sent:
                    tap.ok(user.recvfrom(70000)[0] == data, "at the user")

    with tap.case("300 users: each is a port of its own, and gets its answer"):
        users = [udp() for _ in range(300)]
        whence = {}
        for i, user in enumerate(users):
            user.sendto(b"%d" % i, ("127.0.0.1", pair.port))
            data, who = pair.service.take()
            whence[data] = who
        tap.is_(len(set(whence.values())), 300, "ports at the service")
        for data, who in whence.items():
            pair.service.sock.sendto(b"for " + data, who)
        for i, user in enumerate(users):
            tap.is_(user.recvfrom(99)[0], b"for %d" % i, "answer")
        tap.ok(len(flows(pair.server)) >= 300, "show streams has them")
        for user in users:
            user.close()

    with tap.case("what a user of another address sends is not a flow's"):
        with udp() as user, udp() as other:
            user.sendto(b"x", ("127.0.0.1", pair.port))
            _, who = pair.service.take()
            other.sendto(b"intruder", who)
            tap.is_(silent(user), None, "answer from elsewhere")

    with tap.case("ptpctl shows flows at both ends, and the port"):
        seen = {r["peer"] for r in flows(pair.server)}
        with new_user(seen) as user:
            pair.ask(user, b"12345")
            me = name_of(user)
            row, = [r for r in flows(pair.server) if r["peer"] == me]
            tap.is_((row["client"], int(row["up"]), int(row["down"]),
                     int(row["dropped"]), row["name"]),
                    ("id1", 5, 5, 0, f"127.0.0.1:{pair.port}"), "row")
            tap.ok(any(int(r["up"]) == 5 and r["service"].startswith("udp://")
                       for r in pair.client.show_json("streams")), "client")
            row, = [r for r in pair.server.show_json("listeners")
                    if r["listener"] == "udp"]
            tap.is_(int(row["port"]), pair.port, "listener")
            row, = pair.server.show_json("clients")
            tap.is_(int(row["users"]), len(flows(pair.server)), "users")
            row, = [r for r in pair.server.show_json("limits")
                    if r["limit"] == "streams"]
            tap.is_(int(row["used"]), len(flows(pair.server)), "streams")
    pair.stop()


def ages(lab):
    users = [udp() for _ in range(4)]
    with tap.case("no more flows at a time than limits.streams"):
        pair = Pair(lab, "-o", "limits.streams=3")
        for user in users[:3]:
            pair.ask(user, b"one")
        users[3].sendto(b"one too many", ("127.0.0.1", pair.port))
        tap.is_(silent(pair.service.sock), None, "over the limit")
        pair.stop()

    log = lab.path("flows.log")
    pair = Pair(lab, "-o", "limits.streams=3", "-o", f"log.file={log}",
                keys=",timeout=1s")
    with tap.case("an idle flow ends, and its place is free again"):
        for _ in range(3):
            for user in users:
                until("served again",
                      lambda u=user: served(u, pair.service, pair.port))
            until("flows end", lambda: not flows(pair.server))
        until("and at the client",
              lambda: not pair.client.show_json("streams"))

    with tap.case("the access log has a line for each flow"):
        def line():
            text = ""
            for path in glob.glob(log + "*"):  # midnight begins a new file
                with open(path, encoding="utf-8") as f:
                    text += f.read()
            return re.search(
                r"access: peer 127\.0\.0\.1:\d+ scheme udp name "
                rf"127\.0\.0\.1:{pair.port} client id1 status 0 "
                r"up 8 down 8 ", text)
        until("a line", line)
    for user in users:
        user.close()
    pair.stop()

    with tap.case("traffic either way keeps it alive, with one local port"):
        pair = Pair(lab, keys=",timeout=4s")
        with udp() as user:
            user.sendto(b"hello", ("127.0.0.1", pair.port))
            _, who = pair.service.take()
            end = time.monotonic() + 6
            while time.monotonic() < end:
                pair.service.sock.sendto(b"tick", who)
                tap.is_(user.recvfrom(99)[0], b"tick", "from the service")
                still(0.1)
            user.sendto(b"again", ("127.0.0.1", pair.port))
            tap.is_(pair.service.take(), (b"again", who), "the same flow")
        pair.stop()


def rules(lab):
    with tap.case("deny_from holds for datagrams"):
        pair = Pair(lab, keys=",deny_from=127.0.0.3/32")
        with udp("127.0.0.3") as bad, udp() as good:
            bad.sendto(b"bad", ("127.0.0.1", pair.port))
            tap.is_(pair.ask(good, b"good")[0], b"good", "answer")
            row, = [r for r in flows(pair.server)
                    if r["peer"].startswith("127.0.0.3:")]
            tap.is_(int(row["dropped"]), 1, "dropped")
        pair.stop()

    with tap.case("limits.sources holds for datagrams, and is changed by "
                  "reload"):
        conf = lab.write("sources.conf", "limits = { sources = 2; };")
        pair = Pair(lab, "-f", conf)
        with udp() as a, udp() as b, udp() as c, udp("127.0.0.3") as other:
            for user in (a, b, other, a):
                pair.ask(user, b"one of two")
            c.sendto(b"one more", ("127.0.0.1", pair.port))
            pair.ask(other, b"behind it")
            tap.is_(len(flows(pair.server)), 3, "flows")
            until("counted", lambda: any(
                r["listener"] == "udp" and int(r["dropped"]) == 1
                for r in pair.server.show_json("listeners")))
            pair.server.wait_line(r"127\.0\.0\.1:\d+ is refused at UDP "
                                  r"ports: .*limits\.sources")
            lab.write("sources.conf", "limits = { sources = 2; };\n"
                      'http = { trusted = "127.0.0.1"; };')
            tap.is_(pair.server.ctl("reload").returncode, 0, "reload")
            until("served", lambda: served(c, pair.service, pair.port))
        pair.stop()

    with tap.case("limits.speed holds for datagrams: the rest is dropped"):
        pair = Pair(lab, "-o", "limits.speed=10000")
        with udp() as user:
            until("served", lambda: served(user, pair.service, pair.port))
            for _ in range(100):
                user.sendto(bytes(1000), ("127.0.0.1", pair.port))
            until("drops are counted", lambda: any(
                int(r["dropped"]) >= 50 for r in flows(pair.server)))
        pair.stop()

    with tap.case("a port against the rules is refused, and says which"):
        server = Ptpd(lab, "-o", 'limits.udp={range="4000-4001";}')
        client = Ptp(lab, server, "udp://127.0.0.1:9,port=5000", wait=False)
        tap.is_(client.wait_exit(), 3, "exit status")
        tap.like(client.log(), r"udp port 5000.*may not open", "client")
        server.stop()

    with tap.case("a service without a port gets any; a range maps ports"):
        server = Ptpd(lab, "-o", PORTS)
        first = free_port(2)
        while True:
            locals_ = [Service()]
            try:
                locals_.append(Service(locals_[0].port + 1))
                break
            except (OSError, OverflowError):
                locals_[0].close()
        client = Ptp(lab, server, f"udp://127.0.0.1:{locals_[0].port}",
                     f"udp://127.0.0.1:{locals_[0].port},port={first}-"
                     f"{first + 1}")
        port = int(re.search(r"at udp://127.0.0.1:(\d+)",
                             client.out()).group(1))
        with udp() as user:
            tap.is_(ask(user, locals_[0], b"any", port)[0], b"any", "any")
            for i in range(2):
                tap.is_(ask(user, locals_[i], b"%d" % i, first + i),
                        (b"%d" % i, ("127.0.0.1", first + i)), "range")
        client.stop()
        server.stop()
        for service in locals_:
            service.close()


def troubles(lab):
    pair = Pair(lab, "-o", "timeouts.park=5s")
    user = lab.keep(udp())
    until("served", lambda: served(user, pair.service, pair.port))

    with tap.case("the udp worker dies: ports serve again at once"):
        os.kill(pair.server.pids("udp")[0], signal.SIGKILL)
        start = time.monotonic()
        until("served", lambda: served(user, pair.service, pair.port))
        took = time.monotonic() - start
        tap.diag(f"after {took:.2f} s")
        tap.at_most(took, 8, "seconds, on a busy machine")

    with tap.case("the relay dies: ports serve again when the client is back"):
        row, = [r for r in pair.server.workers("relay")
                if int(r["clients"]) == 1]
        os.kill(int(row["pid"]), signal.SIGKILL)
        until("served", lambda: served(user, pair.service, pair.port), 60)

    with tap.case("a restart keeps the port"):
        mark = pair.server.mark()
        done = pair.server.ctl("restart")
        tap.is_(done.returncode, 0, done.stderr)
        pair.server.wait_ready(since=mark)
        until("served", lambda: served(user, pair.service, pair.port))

    with tap.case("a service that is not there: told once, and tried again"):
        port = pair.service.port
        pair.service.close()
        for _ in range(20):
            user.sendto(b"anybody?", ("127.0.0.1", pair.port))
            still(0.02)
        until("logged", lambda: "refused" in pair.client.log())
        tap.is_(len(re.findall("udp://.*refused", pair.client.log())), 1,
                "lines")
        pair.service = lab.keep(Service(port))
        until("served", lambda: served(user, pair.service, pair.port))

    with tap.case("a client that ends takes its port along"):
        pair.client.stop()

        def refused():
            with udp() as s:
                s.connect(("127.0.0.1", pair.port))
                s.send(b"x")
                s.settimeout(0.2)
                try:
                    s.recv(9)
                except ConnectionRefusedError:
                    return True
                except TimeoutError:
                    return False
        until("closed", refused)

    with tap.case("one that is lost leaves it open for timeouts.park"):
        pair.client = pair.attach()
        until("served", lambda: served(user, pair.service, pair.port))
        pair.client.kill()
        tap.ok(not refused(), "open")
        until("closed", refused, 60)
        pair.client = pair.attach()
        until("served", lambda: served(user, pair.service, pair.port))
    pair.stop()


def flood(lab):
    pair = Pair(lab, keys=",timeout=30s")
    with tap.case("forged sources: memory, flows and log stay bounded"):
        honest = lab.keep(udp())
        for _ in range(3):
            until("served", lambda: served(honest, pair.service, pair.port))
        relay, = [int(r["pid"]) for r in pair.server.workers("relay")
                  if int(r["clients"]) == 1]
        worker, = pair.server.pids("udp")
        before = memory(worker) + memory(relay)
        lines = len(pair.server.log().splitlines())
        for i in range(18000):
            address = f"127.{1 + i // 60000}.{i // 250 % 240}.{1 + i % 250}"
            with udp(address) as s:
                s.sendto(b"flood", ("127.0.0.1", pair.port))
        until("served", lambda: served(honest, pair.service, pair.port))
        count = len(flows(pair.server))
        tap.ok(count <= 16384, f"{count} flows")
        me = name_of(honest)
        tap.ok(any(r["peer"] == me for r in flows(pair.server)),
               "who was there is there")
        grown = memory(worker) + memory(relay) - before
        tap.ok(grown < 16384, f"{grown} KiB more")
        tap.ok(len(pair.server.log().splitlines()) - lines < 20, "log")
    pair.stop()


def unread(port):
    """Bytes that wait in the sockets of that UDP port."""
    waiting = 0
    for name in "udp", "udp6":
        with open(f"/proc/net/{name}", encoding="ascii") as f:
            for row in [line.split() for line in f][1:]:
                if int(row[1].rpartition(":")[2], 16) == port:
                    waiting += int(row[4].partition(":")[2], 16)
    return waiting


def engine_of(client):
    """The pid of the process that has the client's tunnels."""
    return next(p for p in proc.family(client.pid)
                if "engine" in proc.name(p))


def queues(lab):
    pair = Pair(lab)
    for option in (socket.SO_RCVBUF, SO_RCVBUFFORCE):
        try:
            pair.service.sock.setsockopt(socket.SOL_SOCKET, option, 64 << 20)
        except PermissionError:
            pass
    user = lab.keep(udp())
    until("served", lambda: served(user, pair.service, pair.port))

    def dropped():
        return sum(int(r["dropped"]) for r in flows(pair.server)
                   + [r for r in pair.server.show_json("listeners")
                      if r["listener"] == "udp"])

    with tap.case("a thousand users at once: more than may be opened at a "
                  "time wait for their turn"):
        users = [udp() for _ in range(1000)]
        answers = threading.Thread(daemon=True, target=lambda: [
            pair.service.answer() for _ in users])
        answers.start()
        for i, one in enumerate(users):
            one.sendto(b"%d" % i, ("127.0.0.1", pair.port))
        answers.join(60)
        for i, one in enumerate(users):
            tap.is_(one.recvfrom(99)[0], b"%d" % i, "answer")
            one.close()
        tap.is_(dropped(), 0, "dropped")

    with tap.case("a client that does not read: the oldest are dropped and "
                  "counted, the latest arrive"):
        engine = engine_of(pair.client)
        os.kill(engine, signal.SIGSTOP)
        sent = 12000
        for i in range(sent):
            user.sendto(struct.pack(">I", i) + bytes(1196),
                        ("127.0.0.1", pair.port))
            if i % 500 == 499:  # no more than its socket has room for
                until("the udp worker has read them",
                      lambda: unread(pair.port) == 0)
        until("drops are counted", dropped)
        os.kill(engine, signal.SIGCONT)
        numbers = []
        while not numbers or numbers[-1] != sent - 1:
            data, _ = pair.service.take()
            if len(data) == 1200:
                numbers.append(struct.unpack(">I", data[:4])[0])
        tap.is_(numbers, sorted(numbers), "their order")
        until("every one arrived or is counted",
              lambda: len(numbers) + dropped() == sent)

    with tap.case("what the socket of a port has no room for is counted"):
        worker, = pair.server.pids("udp")
        os.kill(worker, signal.SIGSTOP)
        for _ in range(1200):
            user.sendto(bytes(60000), ("127.0.0.1", pair.port))
        os.kill(worker, signal.SIGCONT)
        until("counted", lambda: any(
            r["listener"] == "udp" and int(r["dropped"]) > 100
            for r in pair.server.show_json("listeners")))
    pair.stop()


def programs(lab):
    with tap.case("dig asks a real resolver through it"):
        port = free_port()
        config = lab.write("unbound.conf", f"""
server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: "{lab.dir}"
  pidfile: "{lab.path('unbound.pid')}"
  access-control: 127.0.0.0/8 allow
  local-zone: "lab.test." static
  local-data: "www.lab.test. IN A 192.0.2.80"
  local-data: 'long.lab.test. IN TXT "{'x' * 250}"'
remote-control:
  control-enable: no
""")
        lab.start("unbound", ["unbound", "-d", "-c", config])
        server = Ptpd(lab, "-o", PORTS)
        client = Ptp(lab, server, f"udp://127.0.0.1:{port}")
        public = re.search(r"at udp://127.0.0.1:(\d+)",
                           client.out()).group(1)

        def dig(*args):
            done = lab.run(["dig", "@127.0.0.1", "-p", public, "+short",
                            "+notcp", "+tries=3", "+time=5", *args])
            return done.stdout.strip()
        until("unbound answers", lambda: dig("www.lab.test") == "192.0.2.80")
        tap.is_(dig("long.lab.test", "TXT"), '"%s"' % ("x" * 250), "TXT")
        for _ in range(20):
            tap.is_(dig("www.lab.test"), "192.0.2.80", "answer")
        client.stop()
        server.stop()

    with tap.case("HTTP/3 through it: 4 MB arrive whole, by one flow"):
        server = Ptpd(lab, "-o", PORTS)
        site = lab.path("site")
        os.mkdir(site)
        sent = os.urandom(4_000_000)
        lab.write("site/file", sent)
        cert, key = Authority(lab).issue("localhost")
        local = free_port()
        lab.start("gtlsserver", ["gtlsserver", "-q", "-d", site, "127.0.0.1",
                                 local, key, cert])
        client = Ptp(lab, server, f"udp://127.0.0.1:{local}")
        public = re.search(r"at udp://127.0.0.1:(\d+)", client.out()).group(1)

        def fetched():
            done = lab.run(["gtlsclient", "-q", "--timeout=3s",
                            "--exit-on-all-streams-close",
                            f"--download={lab.dir}", "127.0.0.1", public,
                            "https://localhost/file"])
            return done.returncode == 0 and os.path.exists(lab.path("file"))
        until("the server answers", fetched, 60)
        with open(lab.path("file"), "rb") as f:
            tap.ok(f.read() == sent, "the same bytes")
        until("all of it by one flow", lambda: max(
            int(r["down"]) for r in flows(server)) > len(sent))
        client.stop()
        server.stop()

    with tap.case("iperf3 -u, both ways, without loss"):
        local = free_port()
        public = free_port()
        server = Ptpd(lab, "-o", PORTS, "-o",
                      'limits.tcp=( { range = "1024-65535"; number = 1; } )')
        client = Ptp(lab, server, f"udp://127.0.0.1:{local},port={public}",
                     f"tcp://127.0.0.1:{local},port={public}")
        lab.start("iperf3", ["iperf3", "-s", "-B", "127.0.0.1", "-p", local])
        for way in ((), ("-R",)):
            def measure(way=way):
                # Large buffers: this machine may look elsewhere for a while.
                done = lab.run(["iperf3", "-c", "127.0.0.1", "-p", public,
                                "-u", "-b", "20M", "-l", "1200", "-t", "1",
                                "-w", "2M", "-J", *way])
                total = json.loads(done.stdout or "{}").get("end", {}).get(
                    "sum", {"packets": 0, "lost_packets": None})
                return (total["packets"] > 1000
                        and total["lost_packets"] == 0)
            until(f"nothing is lost {way}", measure, 60)
        client.stop()
        server.stop()


def protocol(lab):
    server = Ptpd(lab, "-o", PORTS)
    port = free_port()

    def login():
        until("who was here has gone", lambda: not any(
            r["tunnels"] for r in server.show_json("clients")))
        client = Datagrams(server.port, "id1", "secret1")
        client.offer(port)
        return client

    with tap.case("a flow in the protocol's own words"):
        client = login()
        with udp() as user:
            user.sendto(b"hello", ("127.0.0.1", port))
            stream, payload = client.expect(peer.OPEN)
            service, scheme = struct.unpack(">HB", payload[:3])
            tap.is_((service, scheme, payload[-4:]), (0, 6, bytes(4)), "OPEN")
            tap.is_(payload[3:4] + payload[20:22],
                    b"\x04" + struct.pack(">H", user.getsockname()[1]),
                    "peer")
            client.frame(stream, peer.OPENED)
            tap.is_(client.expect(DGRAM), (stream, b"hello"), "DGRAM")
            user.sendto(bytes(40000), ("127.0.0.1", port))
            sizes = [len(client.expect(kind)[1])
                     for kind in (PART, PART, DGRAM)]
            tap.is_(sizes, [16360, 16360, 7280], "pieces")
            client.frame(stream, DGRAM)
            tap.is_(user.recvfrom(99)[0], b"", "empty")
            big = os.urandom(65507)
            client.send(stream, big)
            tap.ok(user.recvfrom(70000)[0] == big, "large")
            client.frame(stream, PART, b"a" * 16360)
            client.frame(stream, PART, b"b")
            client.frame(stream, DGRAM, b"c")
            tap.is_(user.recvfrom(70000)[0], b"a" * 16360 + b"bc", "whole")
            client.frame(stream, peer.RESET, b"\x04")
            until("the flow is over", lambda: not flows(server))

            def opened():
                user.sendto(b"anew", ("127.0.0.1", port))
                return select.select([client.wire.sock], [], [], 0.2)[0]

            until("an answer", opened)
            second, _ = client.expect(peer.OPEN)
            tap.ok(second > stream, "another stream")
        client.wire.close()

    def bad(what, *frames):
        with tap.case(f"{what} ends the tunnel"):
            client = login()
            with udp() as user:
                user.sendto(b"hello", ("127.0.0.1", port))
                stream, _ = client.expect(peer.OPEN)
                client.frame(stream, peer.OPENED)
                client.expect(DGRAM)
                for kind, payload in frames:
                    client.frame(stream if kind != peer.PING else 0, kind,
                                 payload)
                tap.ok(peer.ends(client.wire) in ("end", "reset"), "ends")
            client.wire.close()

    bad("DATA on a flow", (peer.DATA, b"x"))
    bad("CREDIT on a flow", (peer.CREDIT, struct.pack(">I", 1)))
    bad("FIN on a flow", (peer.FIN, b""))
    bad("a piece without the rest", (PART, b"x"), (peer.PING, bytes(8)))
    bad("a datagram above 65527 bytes", *[(PART, bytes(16360))] * 4,
        (DGRAM, bytes(88)))
    server.stop()


@tap.main
def run():
    for part in (datagrams, ages, rules, troubles, flood, queues, programs,
                 protocol):
        with Lab() as lab:
            part(lab)
