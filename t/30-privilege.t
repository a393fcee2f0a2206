#!/usr/bin/python3
"""Who may do what: invariants 1, 2, 3 and 9 of the design, on the living."""

import base64
import binascii
import os
import re
import secrets

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.tls import Authority, dial
from lib.web import Nginx, self_signed
from lib.wire import connect, get

# What each program may be linked with, beside libc and the loader.
LIBRARIES = {
    "ptpd": {"libconfig", "libevent_core", "libsodium"},
    "ptpctl": {"libsodium"},
    "ptpd-worker": {"libevent_core", "libsodium", "libseccomp"},
    "ptpd-fetch": {"libevent_core", "libseccomp", "libcurl", "libjansson"},
    "ptpd-tls": {"libevent_core", "libseccomp", "libcrypto", "libssl"},
    "ptpd-sign": {"libevent_core", "libseccomp", "libcrypto"},
    "ptpd-certs": {"libcrypto"},
    "ptpd-relay": {"libevent_core", "libsodium", "libseccomp", "libcrypto"},
    "ptp": {"libconfig", "libevent_core", "libsodium"},
    "ptp-worker": {"libevent_core", "libsodium", "libseccomp"},
    "ptp-engine": {"libevent_core", "libsodium", "libseccomp", "libcrypto"},
    "ptp-fetch": {"libevent_core", "libsodium", "libseccomp", "libcurl"},
    "ptp-tls": {"libevent_core", "libseccomp", "libcrypto", "libssl"},
}
SYSTEM = {"linux-vdso", "libc", "ld-linux-x86", "libpthread", "libm"}
ROLES = {"http", "relay", "keys", "auth", "tls", "sign", "sni", "api", "udp",
         "log", "fetch"}
NO_CAPABILITY = "0" * 16
READS = ("read|readv|pread64|preadv|preadv2|recvfrom|recvmsg|recvmmsg|splice|"
         "tee")
MAY_HAVE = re.compile(
    r"socket:\[|anon_inode:|/dev/null|/memfd:|pipe:\[|.*\(deleted\)")


def linked(path):
    """All that it loads; what libcurl brings along is libcurl's matter, and
    so it is with Debian 13's libcrypto."""
    if path.endswith("-fetch"):
        with os.popen(f"readelf -d {path}") as f:
            return set(re.findall(r"NEEDED.*\[(lib\w+?)(?:-[0-9.]+)?\.so",
                                  f.read()))
    with os.popen(f"ldd {path}") as f:
        has = {re.sub(r"(-[0-9.]+)?\.so.*", "", os.path.basename(
            line.split()[0])) for line in f}
    return has - {"libz", "libzstd"} if "libcrypto" in has else has


def programs(lab):
    for name, may in LIBRARIES.items():
        with tap.case(f"{name}: linked with {', '.join(sorted(may))} at most"):
            has = linked(lab.program(name))
            tap.ok("libc" in has, f"ldd works: {has}")
            tap.is_(has - SYSTEM - may, set(), "others")
        with tap.case(f"{name} is PIE, full RELRO, no executable stack"):
            done = lab.run(["readelf", "-Wdhl", lab.program(name)])
            tap.is_(done.returncode, 0, done.stderr)
            tap.like(done.stdout, r"Type:\s+DYN", "PIE")
            tap.like(done.stdout, "GNU_RELRO", "RELRO")
            tap.like(done.stdout, r"\bNOW\b", "bind now")
            tap.like(done.stdout, r"GNU_STACK.* RW ", "stack")


def confined(pid, what, own=None):
    """A process that reads the network, or holds what is secret.

    own: the one file that it may have, to write to it.
    """
    s = proc.status(pid)
    tap.is_((len(set(s["Uid"])), 0 in s["Uid"]), (1, False), f"{what}: Uid")
    tap.is_((len(set(s["Gid"])), 0 in s["Gid"]), (1, False), f"{what}: Gid")
    tap.is_(set(s["Groups"]) - set(s["Gid"]), set(), f"{what}: groups")
    for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        tap.is_(s["Cap" + kind], NO_CAPABILITY, f"{what}: Cap{kind}")
    tap.is_((s["NoNewPrivs"], s["Seccomp"]), ("1", "2"), f"{what}: filter")
    tap.is_(proc.limits(pid)["Max core file size"], "0", f"{what}: core")
    tap.is_(os.stat(f"/proc/{pid}/mem").st_uid, 0, f"{what}: not dumpable")
    root = os.readlink(f"/proc/{pid}/root")
    tap.ok(root != "/", f"{what}: root is {root}")
    tap.is_(os.listdir(root), [], f"{what}: its root is empty")
    mode = os.stat(root)
    tap.is_((mode.st_uid, mode.st_mode & 0o022), (0, 0), f"{what}: its root")
    for number, target in proc.descriptors(pid).items():
        tap.ok(MAY_HAVE.match(target) or target == own,
               f"{what}: descriptor {number} {target}")
    return s["Uid"][0]


def server_side(server, log):
    with tap.case("every child of ptpd is a worker that it shows"):
        rows = server.workers()
        # What read the configuration has ended, and may be a zombie yet.
        until("no other child", lambda: {int(r["pid"]) for r in rows}
              == set(proc.children(server.pid)))
        tap.is_({r["role"] for r in rows}, ROLES, "roles")
    uids = {}
    for row in rows:
        with tap.case(f"{row['role']}: uid, capabilities, chroot, "
                      "no_new_privs, seccomp, descriptors"):
            uids.setdefault(row["role"], set()).add(
                confined(int(row["pid"]), row["role"],
                         log if row["role"] == "log" else None))
    with tap.case("who holds what others must not has a uid of its own"):
        tap.is_({role: len(found) for role, found in uids.items()},
                dict.fromkeys(uids, 1), "one per role")
        tap.is_(uids["http"], uids["relay"], "network roles")
        tap.is_(uids["http"], uids["tls"], "network roles")
        tap.is_(uids["keys"], uids["sign"], "who has private keys")
        for role in ("sni", "udp", "api"):
            tap.is_(uids["http"], uids[role], "network roles")
        apart = [uids[r] for r in ("http", "keys", "auth", "log", "fetch")]
        tap.is_(len(set.union(*apart)), len(apart), "distinct")
    with tap.case("no worker has a listening socket or another's channel"):
        with open("/proc/net/tcp", encoding="ascii") as f:
            listening = {line.split()[9] for line in f
                         if line.split()[3] == "0A"}
        for row in rows:
            has = {t[8:-1] for t in proc.descriptors(int(row["pid"])).values()
                   if t.startswith("socket:[")}
            tap.is_(has & listening, set(), row["role"])
    with tap.case("the master makes no core either"):
        tap.is_(proc.limits(server.pid)["Max core file size"], "0", "core")


def client_side(client):
    for pid in proc.family(client.pid)[1:]:
        with tap.case(f"{proc.name(pid)}: as confined as the server's"):
            confined(pid, proc.name(pid))
    with tap.case("ptp has an engine and workers"):
        names = {proc.name(p) for p in proc.children(client.pid)}
        tap.is_(names, {"ptp-engine", "ptp-worker", "ptp-tls"},
                "programs")


def connected():
    """The inodes of TCP sockets that are connected."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f]
    return {row[9] for row in rows if row[3] == "01"}


def nobody_with_root_is_connected(server, client):
    with tap.case("neither master nor parent holds a connection in use"):
        with connect(server.port) as wire:
            wire.get("/")
            inodes = connected()
            tap.ok(len(inodes) >= 4, "there are connections")

            def has(process):
                return inodes & {
                    t[8:-1] for t in proc.descriptors(process.pid).values()
                    if t.startswith("socket:[")}

            # What has been passed on is closed right after that.
            for process in (server, client):
                until(f"{process.name} has let go", lambda: not has(process))


def use(port, size):
    """A little of everything, so that memory has seen it."""
    for _ in range(20):
        get(port)
    with connect(port) as wire:
        wire.send("GET /big HTTP/1.1\r\nHost: id1\r\n\r\n")
        tap.is_(len(wire.response().body), size, "big file")


def secret_places(lab, server, client, words):
    """words: name -> bytes that only `where` may have."""
    roles = {int(r["pid"]): r["role"] for r in server.workers()}
    roles[server.pid] = "master"
    for what, (needle, where) in words.items():
        with tap.case(f"{what}: in the memory of {where} alone"):
            for pid, role in roles.items():
                if role != where:
                    tap.is_(proc.holds(pid, [needle]), set(), role)
        with tap.case(f"{what}: the search would have found it"):
            there = [pid for pid, role in roles.items() if role == where]
            tap.is_(proc.holds(there[0], [needle]), {needle}, where)
    with tap.case("the user's secret: not in the client's engine"):
        needle = words["a user's secret"][0]
        for pid in proc.children(client.pid):
            if proc.name(pid) == "ptp-engine":
                tap.is_(proc.holds(pid, [needle]), set(), "engine")
    with tap.case("no secret in command lines, environments, logs, status"):
        text = b""
        for pid in proc.family(server.pid) + proc.family(client.pid):
            text += proc.command_line(pid)
            with open(f"/proc/{pid}/environ", "rb") as f:
                text += f.read()
        for process in lab.processes:
            text += (process.out() + process.log()).encode()
        for what in ("users", "clients", "workers", "limits", "tunnels"):
            text += server.ctl("-j", "show", what).stdout.encode()
        text += server.ctl("status").stdout.encode()
        text += lab.run(["ps", "axwwe"]).stdout.encode()
        for what, (needle, _) in words.items():
            tap.ok(needle not in text, what)
            tap.ok(base64.urlsafe_b64encode(needle)[:-4] not in text, what)
            tap.ok(binascii.hexlify(needle) not in text, what)


def private_key(path):
    """The 32 bytes of a host_key file, whatever it is written in."""
    with open(path, "rb") as f:
        data = f.read()
    if len(data) == 32:
        return data
    word = data.split()[-1]
    if len(word) == 64:
        return binascii.unhexlify(word)
    return base64.urlsafe_b64decode(word + b"=" * (-len(word) % 4))[-32:]


def traced(lab, server, port):
    """strace of the master: it accepts, it reads none of what it accepted."""
    path = lab.path("strace")
    strace = lab.start("strace", [
        "strace", "-qq", "-yy", "-o", path, "-e",
        "trace=accept,accept4,sendmsg,sendmmsg,close,"
        + READS.replace("|", ","), "-p", server.pid])

    def text():
        if not os.path.exists(path):
            return ""
        with open(path, encoding="ascii", errors="replace") as f:
            return f.read()

    until("strace sees what it does",
          lambda: get(port).status and "accept" in text())
    for _ in range(50):
        tap.is_(get(port).status, 200, "status")
        get(port, host="nobody")
    strace.stop()
    return text()


def master_reads_nothing(lab, server):
    text = traced(lab, server, server.port)
    accepted = set()
    for line in text.splitlines():
        found = re.search(r"\baccept4?\(.* = (\d+)<TCP", line)
        if found:
            accepted.add(found.group(1))
    with tap.case("the trace has the connections: accepted and passed on"):
        tap.ok(len(re.findall(r"accept4?\(.* = \d+<TCP", text)) >= 100,
               "accepts")
        tap.like(text, r"sendm?msg\(.*SCM_RIGHTS", "passed on")
    with tap.case("accept4 has SOCK_NONBLOCK"):
        for line in re.findall(r"accept4?\(.*", text):
            tap.like(line, "SOCK_NONBLOCK", "flags")
    with tap.case("the master reads no byte from an accepted socket"):
        reads = re.findall(rf"^(?:{READS})\(\d+<TCP.*", text, re.M)
        tap.is_(reads, [], "reads of TCP sockets")
        tap.ok(accepted, "some were accepted")


def forbidden(lab, server, role):
    """Has a worker do what its list lacks: it dies, the service goes on."""
    others = {int(r["pid"]): r["role"] for r in server.workers()}
    victim = next(pid for pid, r in others.items() if r == role)
    mark = server.mark()
    tracer = lab.start("strace", [
        "strace", "-qq", "-o", "/dev/null", "-p", victim, "-e",
        "trace=epoll_wait,epoll_pwait", "-e",
        "inject=epoll_wait,epoll_pwait:syscall=getpgrp:retval=0"])

    def attached():
        try:
            return proc.status(victim)["TracerPid"] != "0"
        except proc.GONE:
            return True

    until("strace is attached", attached)

    def gone():
        try:
            get(server.port, timeout=1)
        except Exception:
            pass
        return not proc.alive(victim)

    until("the worker dies", gone)
    tracer.wait_exit()
    server.wait_line(rf"{role}.*(signal|SIGSYS|31|Bad system call)",
                     since=mark)
    until("another is there", lambda: server.pids(role)
          and victim not in server.pids(role))

    def served():
        try:
            return get(server.port, timeout=1).status == 200
        except Exception:
            return False

    until("served", served, 60)
    for pid, other in others.items():
        if pid != victim:
            tap.ok(proc.alive(pid), f"{other} lives")


@tap.main
def run():
    with Lab() as lab:
        tap.ok(os.getuid() == 0, "this test is run by root")
        programs(lab)
        secret = "sekret-" + secrets.token_hex(20)
        other = "verifier-" + secrets.token_hex(20)
        site = Nginx(lab, "one")
        site.file("big", os.urandom(3_000_000))
        log = lab.path("log")
        cert, tls_key = Authority(lab).issue("id1.example.com")
        server = Ptpd(lab, "-u", f"id2:{other}", "-o", "workers=1",
                      "-o", "listen.tls=127.0.0.1:0", "-o",
                      f"tls.cert={cert}", "-o", f"tls.key={tls_key}",
                      "-o", "listen.sni=127.0.0.1:0",
                      "-o", "listen.api=127.0.0.1:0",
                      "-o", 'limits.udp={range="1024-65535";}',
                      "-o", f"log.file={log}",
                      "-o", "sentry.dsn=http://abcdef@127.0.0.1:1/1",
                      users=(f"id1:{secret}",))
        secure = Nginx(lab, "two", tls=self_signed(lab))
        client = Ptp(lab, server, site.url, f"{secure.url},name=secure",
                     user=f"id1:{secret}")
        tap.is_(get(server.port, host="secure").status, 200, "https")
        use(server.port, 3_000_000)
        with dial(server.port_of("tls"), "id1.example.com") as wire:
            tap.is_(wire.get().status, 200, "by listen.tls")
        server_side(server, log)
        client_side(client)
        nobody_with_root_is_connected(server, client)
        key = private_key(server.host_key)
        with tap.case("the host key's file holds 32 bytes"):
            tap.is_(len(key), 32, "bytes")
        secret_places(lab, server, client, {
            "a user's secret": (secret.encode(), "auth"),
            "an absent user's secret": (other.encode(), "auth"),
            "the server's private key": (key, "keys"),
        })
        with tap.case("after reload too"):
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            tap.is_(proc.holds(server.pid, [secret.encode(), other.encode(),
                                            key]), set(), "master")
        master_reads_nothing(lab, server)
        for role in ("http", "relay"):
            with tap.case(f"{role}: a forbidden call kills it, the service "
                          "goes on"):
                forbidden(lab, server, role)
        with tap.case("the master has not served with threads"):
            tap.is_(proc.status(server.pid)["Threads"], "1", "threads")
