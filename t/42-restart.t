#!/usr/bin/python3
"""restart: another version takes over under load, one that fails does not."""

import hashlib
import os
import shutil
import signal
import threading

from lib import proc, tap, websocket
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.load import Wrk
from lib.origin import Origin, paths, reply
from lib.wire import connect, get

NEXT = "9.9.9"
PROGRAMS = ("ptpd", "ptpd-worker", "ptpd-relay", "ptpd-fetch", "ptpd-tls",
            "ptpd-sign", "ptpd-certs")
BODY = os.urandom(4 << 20)


def next_version(lab):
    """Builds the tree once more as another version, beside the first."""
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    build = lab.build + "-next"
    done = lab.run(["make", "-s", "-j2", "-C", top, f"B={build}",
                    f"VERSION={NEXT}"]
                   + [f"{build}/{name}" for name in PROGRAMS], deadline=1500)
    tap.is_(done.returncode, 0, done.stderr[-1000:])
    return build


class Home:
    """The directory that ptpd runs from, and what is put there."""

    def __init__(self, lab):
        self.dir = lab.path("bin")
        os.mkdir(self.dir)
        self.put(lab.build)

    def put(self, build):
        for name in PROGRAMS:
            self.replace(name, os.path.join(build, name))

    def replace(self, name, source):
        """As a package manager does it: beside, then renamed over."""
        path = os.path.join(self.dir, name)
        shutil.copy(source, path + ".new")
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)

    def path(self, name):
        return os.path.join(self.dir, name)


class Slow:
    """/slow sends BODY bit by bit; /ws echoes; the rest at once."""

    def __init__(self, lab):
        self.go = threading.Event()
        self.origin = lab.keep(Origin(paths({
            "/slow": self.slow, "/ws": websocket.echo_server,
        }, lambda wire, request: reply("fine"))))
        self.url = self.origin.url

    def slow(self, wire, _request):
        wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n")
        wire.send(BODY[:1 << 20])
        self.go.wait(200)
        return BODY[1 << 20:]


def version(server):
    return server.ctl("status").stdout


def taken_over(lab, server, slow, what):
    """One restart under load with everything open."""
    with tap.case(f"{what}: no request fails, no connection is lost"):
        slow.go.clear()
        before = proc.children(server.pid)
        with connect(server.port, 60) as download, \
                connect(server.port, 60) as socket, \
                connect(server.port, 60) as begun, \
                connect(server.port, 60) as kept:
            download.send("GET /slow HTTP/1.1\r\nHost: id1\r\n\r\n")
            download.head()
            tap.is_(websocket.handshake(socket, "id1")[0].status, 101, "ws")
            begun.send("GET / HTTP/1.1\r\nHo")
            begun.drained()
            kept.get("/")
            load = Wrk(lab, server.port, seconds=5)
            fresh = Wrk(lab, server.port, seconds=5, close=True)
            until("load runs", lambda: len(server.show_json("streams")) > 10)
            done = server.ctl("restart")
            tap.is_(done.returncode, 0, done.stderr)
            begun.send("st: id1\r\n\r\n")
            tap.is_(begun.response().status, 200, "a head begun before")
            socket.send(websocket.frame(websocket.TEXT, b"still here", True))
            tap.is_(websocket.read_frame(socket)[1], b"still here", "ws")
            load.finish()
            fresh.finish()
            slow.go.set()
            body = download.take(len(BODY))
            tap.is_(hashlib.sha256(body).hexdigest(),
                    hashlib.sha256(BODY).hexdigest(), "the download")
    with tap.case(f"{what}: same pid, new workers, old ones drain and go"):
        tap.ok(server.running(), "the pid")
        until("old workers are gone",
              lambda: not set(before) & set(proc.children(server.pid)))
        until("the new ones are all that there are",
              lambda: sorted(int(r["pid"]) for r in server.workers())
              == sorted(proc.children(server.pid)))
    with tap.case(f"{what}: served, and a new login works"):
        tap.is_(get(server.port).status, 200, "status")
        client = Ptp(lab, server, slow.url, user="id2:secret2")
        tap.is_(get(server.port, host="id2").status, 200, "status")
        client.stop()


def stays(lab, server, home, what, reason=None):
    """One restart that fails: the old one stays, under load."""
    with tap.case(f"{what}: exit 1 with a reason, the old one stays"):
        before = version(server)
        load = Wrk(lab, server.port, seconds=3)
        fresh = Wrk(lab, server.port, seconds=3, close=True)
        done = server.ctl("restart")
        tap.is_(done.returncode, 1, done.stdout + done.stderr)
        tap.ok(done.stderr.strip(), "a reason")
        if reason:
            tap.like(done.stderr, reason, "reason")
        load.finish()
        fresh.finish()
        tap.is_(version(server).splitlines()[0], before.splitlines()[0],
                "version")
        tap.is_(get(server.port).status, 200, "status")
        client = Ptp(lab, server, server.slow.url, user="id2:secret2")
        client.stop()
    home.put(lab.build)


def script(lab, text):
    return lab.write(f"script{lab.next()}", "#!/bin/sh\n" + text, 0o755)


@tap.limit(2500)
def run():
    with Lab() as lab:
        build = next_version(lab)
        home, slow = Home(lab), Slow(lab)
        # A restart may take longer than a head has by default.
        server = Ptpd(lab, "-u", "id2:secret2", "-o", "timeouts.head=60s",
                      program=home.path("ptpd"))
        server.slow = slow
        Ptp(lab, server, slow.url)
        with tap.case("status names the version"):
            tap.unlike(version(server), NEXT, "status")
        for what, text in (
                ("a binary that fails at once", "exit 1"),
                ("a binary that dies by a signal", "kill -SEGV $$"),
                ("a binary that says nothing", "exit 0")):
            home.replace("ptpd", script(lab, text))
            stays(lab, server, home, what)
        os.unlink(home.path("ptpd"))
        stays(lab, server, home, "no binary at all")
        os.unlink(home.path("ptpd-relay"))
        stays(lab, server, home, "no relay at all", "cannot find ptpd-relay")
        home.replace("ptpd-relay", script(lab, "exit 1"))
        stays(lab, server, home, "a version whose relay does not start")
        home.replace("ptpd-worker", script(lab, "exit 1"))
        stays(lab, server, home, "a version whose workers do not start")
        os.chmod(home.path("ptpd"), 0o777)
        stays(lab, server, home, "a binary that others may write", "writ")
        os.chmod(home.dir, 0o777)
        stays(lab, server, home, "a directory that others may write", "writ")
        os.chmod(home.dir, 0o755)
        os.chown(home.path("ptpd"), 61000, 61000)
        stays(lab, server, home, "a binary of somebody else", "own")

        taken_over(lab, server, slow, "the same version")
        home.put(build)
        taken_over(lab, server, slow, "another version")
        with tap.case("status names the new version"):
            tap.like(version(server), NEXT, "status")
        with tap.case("secrets of -u have come along, in auth alone"):
            tap.is_(proc.holds(server.pid, [b"secret2"]), set(), "master")
        home.put(lab.build)
        taken_over(lab, server, slow, "back to the first")
        with tap.case("stop still works, and leaves nothing"):
            pids = proc.family(server.pid)
            server.signal(signal.SIGTERM)
            tap.is_(server.wait_exit(), 0, server.log())
            # What a worker has forked ends by the end of its worker.
            until("no process is left",
                  lambda: not any(proc.alive(p) for p in pids))
