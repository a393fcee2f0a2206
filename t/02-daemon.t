#!/usr/bin/python3
"""In the background: syslog, readiness told, nothing held on to."""

import os
import signal
import socket

from lib import proc, tap
from lib.daemons import ctl
from lib.lab import Lab, free_port, port_answers, until
from lib.origin import Origin, paths, reply
from lib.wire import get


class Notify:
    """The datagram socket of sd_notify."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.sock.settimeout(10)
        self.seen = ""

    def wait(self, word):
        while word not in self.seen:
            self.seen += self.sock.recv(4096).decode() + "\n"

    def close(self):
        self.sock.close()


def ended(pid):
    until("it is gone", lambda: not proc.alive(pid))


@tap.main
def run():
    with Lab() as lab:
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

        with tap.case("ptpd without -d: returns 0 once it serves"):
            done = lab.run(server)
            tap.is_(done.returncode, 0, done.stderr)
            tap.ok(port_answers(port), "it serves when the command returns")
        with tap.case("ptp without -d: returns 0 once its service is up"):
            done = lab.run(client)
            tap.is_(done.returncode, 0, done.stderr)
            tap.is_(get(port).status, 200, "status")
        pids = {}
        for name in ("ptpd", "ptp"):
            with tap.case(f"{name}: a session of its own, no terminal, /"):
                text = ctl(lab, lab.path(name + ".sock"), "status").stdout
                pid = next(int(w) for w in text.split() if w.isdigit()
                           and proc.alive(int(w))
                           and proc.name(int(w)) == name)
                pids[name] = pid
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
            done = lab.run([w.replace("secret1@", "wrong@") for w in client])
            tap.is_(done.returncode, 3, done.stderr)
            tap.like(done.stderr, "wrong secret", "the reason is on stderr")
        with tap.case("both end by ptpctl stop"):
            for name in ("ptp", "ptpd"):
                tap.is_(ctl(lab, lab.path(name + ".sock"), "stop").returncode,
                        0, name)
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
            path = lab.write("secret", "of the file\nsecond line\n", 0o600)
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
