#!/usr/bin/python3
"""In the background: syslog, readiness told, nothing held on to."""

import json
import os
import signal
import socket
import sys
import threading

from lib import namespace, proc, tap
from lib.daemons import ctl
from lib.lab import DEADLINE, Lab, free_port, port_answers, until
from lib.origin import Origin, paths, reply
from lib.wire import get


class Notify:
    """The datagram socket of sd_notify."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.sock.settimeout(DEADLINE)
        self.seen = ""

    def wait(self, word):
        while word not in self.seen:
            self.seen += self.sock.recv(4096).decode() + "\n"

    def close(self):
        self.sock.close()


class Background:
    """Daemons that the lab is not the parent of: ended by their sockets."""

    def __init__(self, lab, *sockets):
        self.lab, self.sockets = lab, sockets

    def close(self):
        for path in self.sockets:
            if os.path.exists(path):
                ctl(self.lab, path, "stop")
                ctl(self.lab, path, "stop")


def ended(pid):
    until("it is gone", lambda: not proc.alive(pid))


def read_syslog():
    """A socket in the place of syslogd's; what it gets ends up in a list."""
    seen = []
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")

    def receive():
        while True:
            seen.append(log.recv(4096).decode())

    threading.Thread(target=receive, daemon=True).start()
    return seen


def logged():
    """With /dev/log of its own: the background logs to syslog."""
    with Lab() as lab:
        leave = namespace.enter(lab)
        daemons = Background(lab, "/run/ptp.sock", "/run/ptpd.sock")
        try:
            seen = read_syslog()
            empty = lab.write("empty.conf", "")
            for argv, want in (
                    (["ptpd", "-o", "listen.http=127.0.0.1:8080",
                      "-u", "id1:secret1"], "ready"),
                    (["ptp", "-s", "tcp://id1:secret1@127.0.0.1:8080",
                      "http://127.0.0.1:9"], "reachable")):
                with tap.case(f"{argv[0]} logs to syslog, by its name"):
                    done = lab.run([lab.program(argv[0]), "-f", empty]
                                   + argv[1:])
                    tap.is_(done.returncode, 0, done.stderr)
                    line = until(f"{want} in the log", lambda: [
                        ln for ln in seen if want in ln
                        and f" {argv[0]}[" in ln])[0]
                    tap.like(line, r"\A<3\d>", "facility daemon")
            with tap.case("and says there what happens later"):
                ctl(lab, "/run/ptp.sock", "stop")
                until("the end of the client is in the server's log",
                      lambda: [ln for ln in seen
                               if "ptpd[" in ln and "id1" in ln])
            with tap.case("no secret is in syslog"):
                tap.unlike("".join(seen), "secret1", "log")
        finally:
            daemons.close()
            leave()


def run():
    with Lab() as lab:
        lab.keep(Background(lab, lab.path("ptp.sock"), lab.path("ptpd.sock")))
        site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        port = free_port()
        common = ["-f", lab.write("empty.conf", "")]
        server = [lab.program("ptpd")] + common + [
            "-o", f"listen.http=127.0.0.1:{port}",
            "-o", "socket=" + lab.path("ptpd.sock"),
            "-o", "host_key=" + lab.path("key"), "-u", "id1:secret1"]
        client = [lab.program("ptp")] + common + [
            "-o", "socket=" + lab.path("ptp.sock"),
            "-o", "known_servers=" + lab.path("known"),
            "-s", f"tcp://id1:secret1@127.0.0.1:{port}", site.url]

        with tap.case("ptp without -d whose server is away: returns 0"):
            done = lab.run(client)
            tap.is_(done.returncode, 0, done.stderr)
            tap.like(done.stderr, "Connection refused", "why")
        with tap.case("ptpd without -d: returns 0 once it serves"):
            done = lab.run(server)
            tap.is_(done.returncode, 0, done.stderr)
            tap.ok(port_answers(port), "it serves when the command returns")
        with tap.case("the client that was there before finds it"):
            until("served", lambda: get(port).status == 200)
            tap.is_(ctl(lab, lab.path("ptp.sock"), "stop").returncode, 0,
                    "stop")
        with tap.case("ptp without -d: returns 0 once its service is up"):
            done = lab.run(client)
            tap.is_(done.returncode, 0, done.stderr)
            tap.is_(get(port).status, 200, "status")
            tap.is_(done.stdout.count("is reachable at"), 1, done.stdout)
        pids = {}
        for name in ("ptpd", "ptp"):
            with tap.case(f"{name}: a session of its own, no terminal, /"):
                text = ctl(lab, lab.path(name + ".sock"), "-j",
                           "status").stdout
                pids[name] = pid = json.loads(text)["pid"]
                tap.is_(proc.name(pid), name, "its pid")
                tap.is_(os.getsid(pid), os.getsid(pid), "session")
                tap.ok(os.getsid(pid) != os.getsid(0), "not ours")
                tap.is_(os.readlink(f"/proc/{pid}/cwd"), "/", "directory")
                for number in (0, 1, 2):
                    tap.is_(os.readlink(f"/proc/{pid}/fd/{number}"),
                            "/dev/null", f"descriptor {number}")
        with tap.case("a second one on the same port: exit 2, said so"):
            done = lab.run([w.replace("ptpd.sock", "other.sock")
                            for w in server])
            tap.is_(done.returncode, 2, done.stderr)
            tap.like(done.stderr, str(port), "the reason is on stderr")
        with tap.case("a wrong configuration: exit 1, said so"):
            done = lab.run(server + ["-o", "workerz=1"])
            tap.is_(done.returncode, 1, done.stderr)
            tap.like(done.stderr, "workerz", "the reason is on stderr")
        with tap.case("a refused client: exit 3, said so"):
            done = lab.run([w.replace("secret1@", "wrong@")
                            .replace("ptp.sock", "other.sock")
                            for w in client])
            tap.is_(done.returncode, 3, done.stderr)
            tap.like(done.stderr, "wrong secret", "the reason is on stderr")
        with tap.case("both end by ptpctl stop"):
            for name in ("ptp", "ptpd"):
                tap.is_(ctl(lab, lab.path(name + ".sock"), "stop").returncode,
                        0, name)
                tap.ok(not os.path.exists(lab.path(name + ".sock")),
                       "the next one can be started")
                ended(pids[name])

        with tap.case("sd_notify: READY, RELOADING, STOPPING"):
            notify = lab.keep(Notify(lab.path("notify")))
            env = dict(os.environ, NOTIFY_SOCKET=lab.path("notify"))
            process = lab.start("ptpd", server[:1] + ["-d"] + server[1:],
                                env=env)
            notify.wait("READY=1")
            tap.ok(port_answers(port), "it serves when it says so")
            process.signal(signal.SIGHUP)
            notify.wait("RELOADING=1")
            process.signal(signal.SIGTERM)
            notify.wait("STOPPING=1")
            tap.is_(process.wait_exit(), 0, process.log())
        with tap.case("sd_notify: an abstract socket too"):
            name = f"\0ptp-test-{os.getpid()}"
            notify = lab.keep(Notify(name))
            env = dict(os.environ, NOTIFY_SOCKET="@" + name[1:])
            process = lab.start("ptpd", server[:1] + ["-d"] + server[1:],
                                env=env)
            notify.wait("READY=1")
            process.stop()
        with tap.case("a secret in a file: @file"):
            path = lab.write("secret", "of the file\n", 0o600)
            process = lab.start("ptpd", [w.replace(
                "id1:secret1", f"id1:@{path}")
                for w in server[:1] + ["-d"] + server[1:]])
            process.wait_line("ready")
            user = lab.start("ptp", [w.replace(
                "id1:secret1@", f"id1:@{path}@")
                for w in client[:1] + ["-d"] + client[1:]])
            user.wait_line("is reachable", "stdout")
            user.stop()
            done = lab.run([w.replace("id1:secret1@", "id1:of the file x@")
                            for w in client])
            tap.is_(done.returncode, 3, done.stderr)
            process.stop()
        with tap.case("ptp without -d: relative paths hold at a reload"):
            process = lab.start("ptpd", server[:1] + ["-d"] + server[1:])
            process.wait_line("ready")
            lab.write("word", "secret1\n", 0o600)
            argv = client[:-2] + [f"tcp://id1:@word@127.0.0.1:{port}",
                                  "9,basic=@gate", "9,name=b"]
            lab.write("gate", "ann:pass\n", 0o600)
            done = lab.run(argv, cwd=lab.dir)
            tap.is_(done.returncode, 0, done.stderr)
            done = ctl(lab, lab.path("ptp.sock"), "reload")
            tap.is_(done.returncode, 0, done.stderr)
            os.unlink(lab.path("gate"))
            done = ctl(lab, lab.path("ptp.sock"), "reload")
            tap.is_(done.returncode, 1, done.stdout)
            tap.like(done.stderr, "services.0..basic: the file after", "why")
            ctl(lab, lab.path("ptp.sock"), "stop")
            process.stop()
        with tap.case("a secret's file of two lines is refused"):
            lab.write("secret", "of the file\nsecond line\n", 0o600)
            done = lab.run([w.replace("id1:secret1", f"id1:@{path}")
                            for w in server])
            tap.is_(done.returncode, 1, done.stderr)
            tap.unlike(done.stderr, "of the file", "no secret in the fault")
    namespace.alone(__file__, "syslog", "alone: ")


tap.main(logged if sys.argv[1:] == ["syslog"] else run)
