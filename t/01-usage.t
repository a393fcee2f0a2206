#!/usr/bin/python3
"""What is typed wrong is said so, with the exit status of the manual."""

import os
import socket

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port

# A valid value for every key of ptpd.conf; 03-manual.t compares them with it.
SERVER_KEYS = {
    "user": "nobody", "chroot": "/var/empty", "host_key": "/tmp/k",
    "socket": "/tmp/s", "workers": "2", "listen.http": "8080",
    "domain": "example.com", "users": "()", "allow_any_client": "true",
    "limits.tunnels": "10", "limits.streams": "0",
    "limits.hosts.number": "3", "limits.hosts.regex": '["web-.*"]',
    "limits.hosts.with_id": "true",
    "limits.tcp": '( { range = "1024-65535"; number = 1; } )',
    "limits.udp": '{ range = "53"; }', "http.mux_header": "X-Id",
    "http.forwarded": "false", "http.trusted": "127.0.0.1/32",
    "http.head_max": "16K", "timeouts.handshake": "10s",
    "timeouts.head": "1m30s", "timeouts.idle": "0", "timeouts.tunnel": "90s",
    "timeouts.drain": "300s", "timeouts.park": "5s", "log.level": "debug",
    "log.access": "false", "auth.url": "https://example.com/a?b=c",
    "auth.ca": "/tmp/ca", "auth.timeout": "5s",
    "log.file": "/tmp/l", "log.max_size": "1M", "log.max_count": "2",
    "log.format": "json", "sentry.dsn": "https://k@example.com/1",
    "sentry.level": '["warn"]', "sentry.sample_rate": "0.5",
    "sentry.release": "r", "sentry.environment": "e",
    "sentry.server_name": "s", "sentry.debug": "true",
}
CLIENT_KEYS = {
    "server": "tcp://id1:secret1@127.0.0.1:80", "id": "id1",
    "server_key": "A" * 43, "known_servers": "/tmp/k", "secret": "s",
    "tunnel.connections": "3", "tunnel.idle": "1", "tunnel.cipher": "none",
    "tunnel.congestion": "bbr", "reconnect": "1s", "timeout": "45s",
    "socket": "/tmp/s", "user": "nobody", "chroot": "/var/empty",
    "log.level": "info",
    "log.file": "/tmp/l", "log.max_size": "1M", "log.max_count": "2",
    "log.format": "json", "sentry.dsn": "https://k@example.com/1",
    "sentry.level": '["warn"]', "sentry.sample_rate": "0.5",
    "sentry.release": "r", "sentry.environment": "e",
    "sentry.server_name": "s", "sentry.debug": "true",
}
# key, value, all of them wrong
SERVER_FAULTS = [
    ("auth.timeout", "1ms"), ("auth.timeout", "2m"), ("log.max_count", "0"),
    ("log.max_count", "1001"), ("log.format", "xml"),
    ("listen.http", "http"), ("listen.http", "70000"), ("listen.http", "-1"),
    ("listen.http", "1.2.3.4.5:80"), ("workers", "many"), ("workers", "-1"),
    ("http.head_max", "1X"), ("http.head_max", "-1"), ("http.head_max", "K"),
    ("http.head_max", "16KK"), ("limits.streams", "-1"),
    ("timeouts.head", "10"),
    ("timeouts.head", "10 s"), ("timeouts.head", "s"),
    ("timeouts.head", "99999999999999999h"), ("http.trusted", "10.0.0.0/33"),
    ("http.trusted", "fe80::/129"), ("http.trusted", "ten"),
    ("http.trusted", '["10.0.0.0/8", 5]'), ("http.forwarded", "maybe"),
    ("log.level", "loud"), ("domain", "a b"),
    ("http.mux_header", "X Id"), ("limits.hosts.regex", '["("]'),
    ("limits.tcp", "22"), ("limits.tcp", '( { range = "0-4"; } )'),
    ("limits.tcp", '( { range = "7-5"; } )'), ("limits.tcp", "( { } )"),
    ("limits.tcp", '( { range = "1-2"; number = 65536; } )'),
    ("limits.udp", '( { range = "1-70000"; } )'),
    ("listen", "8080"), ("limits.hosts", "3"), ("no.such.key", "1"),
    ("listen.htttp", "80"), ("", "1"), ("users", "id1"),
]
BAD_CONF = """\
listen = { http = "127.0.0.1:0"; };
limits = {
  streams = "many";
  streems = 1;
};
users = (
  { id = "id1"; secret = "s1"; },
  { secret = "s2"; },
  { id = "id.3"; secret = "s3"; },
  { id = "id4"; secret = "s4"; hats = 3; }
);
"""


@tap.main
def run():
    with Lab() as lab:
        ptpd, ptp = lab.program("ptpd"), lab.program("ptp")
        empty = lab.write("empty.conf", "")

        def fails(argv, status, *patterns):
            done = lab.run(argv)
            tap.is_(done.returncode, status, f"{argv}: {done.stderr}")
            for pattern in patterns:
                tap.like(done.stderr, pattern, "stderr")
            tap.is_(done.stdout, "", "stdout")

        with tap.case("ptpd without a listener says what to add, exit 1"):
            fails([ptpd, "-d", "-f", empty], 1, r"listen\.http")
            fails([ptpd, "-n", "-f", empty], 1, r"listen\.http")
        with tap.case("ptp without a server says what to add, exit 1"):
            fails([ptp, "-d", "-f", empty, "80"], 1, r"server")
        with tap.case("ptp without a service says what to add, exit 1"):
            fails([ptp, "-d", "-f", empty, "-s", "tcp://a:b@127.0.0.1:9"],
                  1, r"service")
        with tap.case("a port for two listeners is refused, and both named"):
            for http, sni in (("81", "127.0.0.1:81"), ("[::1]:81", "81"),
                              ("127.0.0.1:81", "127.0.0.1:81")):
                fails([ptpd, "-n", "-f", empty, "-o", f"listen.http={http}",
                       "-o", f"listen.sni={sni}"], 1,
                      r"listen\.sni: expected each port once: listen\.http has")
            fails([ptpd, "-n", "-f", empty, "-o", 'listen.http=["81", "81"]'],
                  1, r"listen\.http: .* once: listen\.http has \*:81 too")
        with tap.case("an unknown option is refused"):
            for argv in ([ptpd, "-Z"], [ptp, "-Z"], [ptpd, "-d", "-o"],
                         [lab.program("ptpctl"), "-Z"]):
                fails(argv, 1, r"usage")
        with tap.case("arguments that came in vain are refused"):
            fails([ptpd, "-d", "-o", "listen.http=0", "surplus"], 1, "surplus")
            fails([lab.program("ptpctl"), "status", "surplus"], 1, "surplus")
            fails([lab.program("ptpctl"), "nonsense"], 1, "nonsense")
        with tap.case("-f of a missing file is an error that names it"):
            for program in (ptpd, ptp):
                fails([program, "-n", "-f", "/no/such/file"], 1,
                      r"/no/such/file")
        with tap.case("a user without a secret is refused"):
            for user in ("id1", ":secret", "id1:", "a.b:c", "a b:c"):
                fails([ptpd, "-n", "-f", empty, "-o", "listen.http=0",
                       "-u", user], 1)

        with tap.case("-n says `configuration OK` on stdout and exits 0"):
            done = lab.run([ptpd, "-n", "-f", empty, "-o", "listen.http=80"])
            tap.is_((done.returncode, done.stdout),
                    (0, "configuration OK\n"), done.stderr)
            done = lab.run([ptp, "-n", "-f", empty, "-s",
                            "tcp://id1:secret1@127.0.0.1:9", "80"])
            tap.is_((done.returncode, done.stdout),
                    (0, "configuration OK\n"), done.stderr)
        with tap.case("-n starts and writes nothing"):
            done = lab.run([
                ptpd, "-n", "-f", empty, "-o", "listen.http=127.0.0.1:0",
                "-o", "host_key=" + lab.path("hk"),
                "-o", "socket=" + lab.path("sk")])
            tap.is_(done.returncode, 0, done.stderr)
            tap.ok(not os.path.exists(lab.path("hk")), "no host key")
            tap.ok(not os.path.exists(lab.path("sk")), "no socket")
        with tap.case("every server key can be given with -o"):
            for key, value in SERVER_KEYS.items():
                done = lab.run([ptpd, "-n", "-f", empty, "-o",
                                "listen.http=8080", "-o", f"{key}={value}"])
                tap.is_((done.returncode, done.stdout),
                        (0, "configuration OK\n"), f"{key}: {done.stderr}")
        with tap.case("every client key can be given with -o"):
            for key, value in CLIENT_KEYS.items():
                argv = [ptp, "-n", "-f", empty, "-o", f"{key}={value}"]
                if key != "server":
                    argv += ["-s", "tcp://a:b@127.0.0.1:80"]
                done = lab.run(argv + ["80"])
                tap.is_((done.returncode, done.stdout),
                        (0, "configuration OK\n"), f"{key}: {done.stderr}")
        with tap.case("a wrong -o is refused and its key is named"):
            for key, value in SERVER_FAULTS:
                done = lab.run([ptpd, "-n", "-f", empty, "-o",
                                "listen.http=8080", "-o", f"{key}={value}"])
                tap.is_(done.returncode, 1, f"{key}={value}")
                tap.ok(key in done.stderr, f"{key} in {done.stderr!r}")
                tap.is_(done.stdout, "", "stdout")
        with tap.case("an -o without = is refused"):
            fails([ptpd, "-n", "-f", empty, "-o", "listen.http"], 1,
                  r"listen\.http")
        with tap.case("the last -o of a key wins, and beats the file"):
            bad = lab.write("bad1.conf", 'listen = { http = "nonsense"; };\n')
            fails([ptpd, "-n", "-f", bad], 1, r"bad1\.conf:1: listen\.http: ")
            for argv in (["-f", bad, "-o", "listen.http=8080"],
                         ["-f", empty, "-o", "listen.http=nonsense",
                          "-o", "listen.http=8080"]):
                done = lab.run([ptpd, "-n"] + argv)
                tap.is_(done.returncode, 0, done.stderr)
            fails([ptpd, "-n", "-f", empty, "-o", "listen.http=8080",
                   "-o", "listen.http=nonsense"], 1)
        with tap.case("-n prints FILE:LINE: KEY: for each fault"):
            path = lab.write("bad.conf", BAD_CONF)
            done = lab.run([ptpd, "-n", "-f", path])
            tap.is_(done.returncode, 1, done.stderr)
            for line, key in ((3, "limits.streams"), (4, "limits.streems"),
                              (8, "users[1].id"), (9, "users[2].id"),
                              (10, "users[3].hats")):
                tap.ok(f"{path}:{line}: {key}: " in done.stderr,
                       f"{line}: {key} in {done.stderr!r}")
            tap.is_(len(done.stderr.splitlines()), 5, done.stderr)
            tap.unlike(done.stderr, r"\bs[1-4]\b", "no secret")
        with tap.case("a file that does not parse: FILE:LINE:, no key"):
            path = lab.write("syntax.conf", 'listen = {\n  http = = "80";\n};')
            fails([ptpd, "-n", "-f", path], 1, rf"^{path}:2: ")
            path = lab.write("twice.conf", 'workers = 1;\nworkers = 2;\n')
            fails([ptpd, "-n", "-f", path], 1, rf"^{path}:2: ")
        with tap.case("truncated and garbage files are refused"):
            good = b'listen = { http = "127.0.0.1:0"; };\n'
            for data in (good[:20], b"\0" * 100, b"\xff\xfe" + good,
                         b"(" * 5000, b'@include "/etc/passwd"\n'):
                path = lab.write("garbage.conf", data)
                done = lab.run([ptpd, "-n", "-f", path])
                tap.is_(done.returncode, 1, repr(data[:30]) + done.stderr)
                tap.unlike(done.stderr, "root:", "nothing of other files")
        with tap.case("a client file's fault is named the same way"):
            path = lab.write("ptp.conf", 'server = "tcp://a:b@h:1";\n'
                             'services = (\n { local = "http://h:1";\n'
                             '   rewrite_hots = true; } );\n')
            fails([ptp, "-n", "-f", path], 1,
                  rf"^{path}:4: services\[0\]\.rewrite_hots: ")
        with tap.case("bad services and servers on the command line"):
            server = ["-s", "tcp://id1:secret1@127.0.0.1:9"]
            for service in ("ftp://127.0.0.1:21", "http://", "0", "70000",
                            "http://127.0.0.1:80,hats=3", "", "http://a b:1",
                            "80,name=", "80,name=a b", "80,name"):
                done = lab.run([ptp, "-n", "-f", empty] + server + [service])
                tap.is_(done.returncode, 1, f"{service!r} {done.stderr}")
            for address in ("gopher://a:b@h:1", "tcp://", "tcp://a:b@h:99999",
                            "tcp://a:b@h:1#tooshort", "tcp://a.b:c@h:1"):
                done = lab.run([ptp, "-n", "-f", empty, "-s", address, "80"])
                tap.is_(done.returncode, 1, f"{address!r} {done.stderr}")

        with tap.case("a taken port: exit 2, said which"):
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                s.listen()
                port = s.getsockname()[1]
                server = Ptpd(lab, port=port, wait=False)
                tap.is_(server.wait_exit(), 2, server.log())
                tap.like(server.log(), rf"{port}", "the port is named")
        with tap.case("no permission: exit 2, said where"):
            os.mkdir(lab.path("closed"), 0o700)
            server = Ptpd(lab, "-o", "host_key=" + lab.path("closed/key"),
                          wait=False, user=61000, group=61000,
                          extra_groups=[])
            tap.is_(server.wait_exit(), 2, server.log())
            tap.like(server.log(), "closed", "the path is named")
        with tap.case("a host key that others may read is refused"):
            Ptpd(lab).stop()
            key = lab.processes[-1].host_key
            os.chmod(key, 0o644)
            server = Ptpd(lab, "-o", "host_key=" + key, wait=False)
            tap.is_(server.wait_exit(), 2, server.log())
            tap.like(server.log(), "host_key", "the file is named")
        with tap.case("a broken host key is refused, not replaced"):
            path = lab.write("broken.key", "not a key", 0o600)
            server = Ptpd(lab, "-o", "host_key=" + path, wait=False)
            tap.is_(server.wait_exit(), 2, server.log())
            with open(path, encoding="ascii") as f:
                tap.is_(f.read(), "not a key", "the file")

        with tap.case("ptpctl without a daemon: exit 2"):
            done = lab.run([lab.program("ptpctl"), "-s", lab.path("none"),
                            "status"])
            tap.is_(done.returncode, 2, done.stderr)
            tap.like(done.stderr, "none", "the socket is named")
        with tap.case("ptpctl that is refused: exit 1, reason on stderr"):
            server = Ptpd(lab)
            for command in (["kick", "nobody"], ["log", "loud"],
                            ["show", "hats"], ["invite", "nobody"]):
                done = server.ctl(*command)
                tap.is_(done.returncode, 1, f"{command} {done.stderr}")
                tap.ok(done.stderr, "a reason")
            tap.is_(server.ctl("status").returncode, 0, "status")
        with tap.case("the control socket has mode 0600"):
            tap.is_(os.stat(server.socket).st_mode & 0o777, 0o600, "mode")
        with tap.case("the host key is made with mode 0600"):
            tap.is_(os.stat(server.host_key).st_mode & 0o777, 0o600, "mode")

        with tap.case("keygen: a file of mode 0600, 43 characters printed"):
            path = lab.path("id.key")
            done = lab.run([ptp, "keygen", "-o", path])
            tap.is_(done.returncode, 0, done.stderr)
            tap.like(done.stdout, r"\A[A-Za-z0-9_-]{43}\n\Z", "public half")
            tap.is_(os.stat(path).st_mode & 0o777, 0o600, "mode")
        with tap.case("keygen does not overwrite a key"):
            with open(path, "rb") as f:
                before = f.read()
            done = lab.run([ptp, "keygen", "-o", path])
            with open(path, "rb") as f:
                tap.is_((done.returncode != 0, f.read()), (True, before),
                        "the key stays")

        with tap.case("without root: serves, says what is missing"):
            home = lab.path("home")
            os.mkdir(home)
            os.chown(home, 61001, 61001)
            env = dict(os.environ, HOME=home, XDG_STATE_HOME=home + "/state",
                       XDG_RUNTIME_DIR=home)
            as_user = {"user": 61001, "group": 61001, "extra_groups": [],
                       "env": env, "cwd": "/"}
            port = free_port()
            server = lab.start("ptpd-user", [
                ptpd, "-d", "-f", empty, "-o", f"listen.http=127.0.0.1:{port}",
                "-u", "id1:secret1"], **as_user)
            server.wait_line("ready")
            missing = [line for line in server.log().splitlines()
                       if "root" in line.lower()]
            tap.is_(len(missing), 1, server.log())
            client = lab.start("ptp-user", [
                ptp, "-d", "-f", empty, "-s",
                f"tcp://id1:secret1@127.0.0.1:{port}",
                "http://127.0.0.1:9"], **as_user)
            client.wait_line("is reachable at", "stdout")
        with tap.case("without root the files lie in the user's directories"):
            found = [os.path.join(d, f) for d, _, files in os.walk(home)
                     for f in files]
            for name in ("host_key", "known_servers", "ptpd.sock", "ptp.sock"):
                tap.ok(any(f.endswith(name) for f in found), f"{name}{found}")
            done = lab.run([lab.program("ptpctl"), "status"], **as_user)
            tap.is_(done.returncode, 0, done.stderr)
        client.stop()
        server.stop()

        with tap.case("a port of 0 takes any free one, -d logs to stderr"):
            server = Ptpd(lab, port=0)
            tap.ok(server.port > 0, "a port")
            tap.is_(server.out(), "", "stdout")
        with tap.case("no user at all: any client is let in, with a warning"):
            server = Ptpd(lab, users=())
            tap.like(server.log(), r"warn.*any.client|any.client.*warn",
                     "warning")
            client = Ptp(lab, server, "http://127.0.0.1:9", user="x:y")
            tap.like(client.out(), r"Host: x\b", "reachable")
