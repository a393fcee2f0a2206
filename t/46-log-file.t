#!/usr/bin/python3
"""log.file: the process that writes it, files moved aside, JSON, the access
log; a flood, a full disk and a dead process harm nobody."""

import json
import os
import re
import signal
import time

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, reply
from lib.wire import connect, eventually, get, still

DAY = 24 * 3600  # seconds
TEXT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
                  r"ptpd(\[\d+\])?: \w+: .*$")


def of_one_day(seconds):
    """No midnight (UTC) within so many seconds: the files move aside then."""
    left = DAY - time.time() % DAY
    if left < seconds:
        still(left + 2)


def read(path):
    """The whole lines of a file, which somebody may be writing."""
    try:
        with open(path, encoding="utf-8") as f:
            text = f.read()
    except FileNotFoundError:
        return ""
    return text[:text.rfind("\n") + 1]


def wait_for(path, pattern):
    return until(f"/{pattern}/ in {path}",
                 lambda: re.search(pattern, read(path), re.M))


def access_lines(path):
    return [json.loads(line) for line in read(path).splitlines()
            if '"msg":"access"' in line]


def ours(path):
    """Records of who asked for id1."""
    return [r for r in access_lines(path) if r["name"] == "id1"]


def site_of(lab):
    return lab.keep(Origin(paths({"/big": lambda w, r: reply("b" * 5000)},
                                 lambda w, r: reply("fine"))))


def as_text(lab, site):
    home = lab.path("logs")
    os.mkdir(home, 0o700)
    log = os.path.join(home, "ptpd.log")
    # What another run has left, of another day.
    old = lab.write("logs/ptpd.log", "of yesterday\n")
    os.utime(old, (time.time() - 90000,) * 2)
    server = Ptpd(lab, "-o", f"log.file={log}")
    with tap.case("a line on standard error stands in the file as well"):
        wait_for(log, r"ready: http 127\.0\.0\.1:\d+")
        for line in read(log).splitlines():
            tap.ok(TEXT.match(line), line)
    with tap.case("what was of another day has been moved aside"):
        tap.is_(read(log + ".1"), "of yesterday\n", "FILE.1")
    client = Ptp(lab, server, site.url)
    with tap.case("a line for a request: who, what, how much"):
        get(server.port, host="id1")
        found = wait_for(log, r"access: peer (\S+) scheme http name id1 "
                         r"client id1 status 200 up (\d+) down (\d+) ms \d+$")
        tap.like(found.group(1), r"^127\.0\.0\.1:\d+$", "peer")
        tap.ok(int(found.group(2)) > 20 and int(found.group(3)) > 20, "bytes")
    if os.getuid() == 0:
        with tap.case("only root may write there; who writes is not root"):
            pid = server.pids("log")[0]
            status = proc.status(pid)
            tap.ok(0 not in status["Uid"], "uid")
            others = {proc.status(p)["Uid"][0] for role in
                      ("http", "relay", "keys", "auth")
                      for p in server.pids(role)}
            tap.ok(status["Uid"][0] not in others, "a uid of its own")
            tap.is_(status["CapEff"], "0" * 16, "capabilities")
    with tap.case("moved aside by somebody else: a reload begins anew"):
        os.rename(log, log + ".moved")
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        wait_for(log, "the new configuration holds")
    with tap.case("the process dies: its successor has what it missed"):
        pid = server.pids("log")[0]
        os.kill(pid, signal.SIGKILL)
        wait_for(log, rf"log 0 \(pid {pid}\) killed by SIGKILL")
        get(server.port, host="who.is.that")
        wait_for(log, "who.is.that")
        size = len(re.findall("access:", read(log)))
        until("records come again", lambda: (
            get(server.port, host="id1"),
            len(re.findall("access:", read(log))) > size)[1])
    with tap.case("a restart loses no line, and old users are recorded"):
        with connect(server.port) as wire:
            wire.get("/", "id1.first")
            tap.is_(server.ctl("restart").returncode, 0, "restart")
            wait_for(log, "has taken over")
        get(server.port, host="id1.last")
    with tap.case("the last line is that it has stopped"):
        for name in "id1.first", "id1.last":
            wait_for(log, f"access: .* name {name} ")
        tap.is_(server.ctl("stop").returncode, 0, "stop")
        server.wait_exit()
        tap.like(read(log).splitlines()[-1], "stopped", "last line")
    client.stop()


def bounded(lab, site):
    home = lab.path("small")
    os.mkdir(home, 0o700)
    log = os.path.join(home, "ptpd.log")
    server = Ptpd(lab, "-o", f"log.file={log}", "-o", "log.max_size=4K",
                  "-o", "log.max_count=3")
    client = Ptp(lab, server, site.url)
    with tap.case("files of at most log.max_size, and log.max_count of them"):
        with connect(server.port) as wire:
            for _ in range(200):
                wire.get("/")
            wire.get("/", "id1.last")
        wait_for(log, "name id1.last ")
        client.stop()
        wait_for(log, "id1 has logged out")  # that is all: nobody moves them
        for name in os.listdir(home):
            size = os.path.getsize(os.path.join(home, name))
            tap.at_most(size, 4096, name)
        tap.is_(sorted(os.listdir(home)),
                ["ptpd.log", "ptpd.log.1", "ptpd.log.2"], "files")
    server.stop()


def stubborn(lab, site):
    home, away = lab.path("stubborn"), lab.path("away")
    os.mkdir(home, 0o700)
    log = os.path.join(home, "ptpd.log")
    server = Ptpd(lab, "-o", f"log.file={log}", "-o", "log.max_size=4K",
                  "-o", "log.max_count=2")
    client = Ptp(lab, server, site.url)
    with tap.case("it cannot be moved aside: that is said, it grows, and as "
                  "soon as it can be it is"):
        os.rename(home, away)
        mark = server.mark()
        with connect(server.port) as wire:
            for _ in range(100):
                wire.send("GET / HTTP/1.1\r\nHost: id1\r\n\r\n")
                wire.response()
        server.wait_line("log.file: cannot begin a new one", since=mark)
        left = os.path.join(away, "ptpd.log")
        until("it grows", lambda: os.path.getsize(left) > 4096)
        os.mkdir(home, 0o700)
        until("a new one", lambda: os.path.exists(log))
        get(server.port, host="who.is.new")
        wait_for(log, "who.is.new")
        tap.at_most(len(os.listdir(away)), 2, "files there")
    client.stop()
    server.stop()


def as_json(lab, site):
    log = lab.path("json.log")
    server = Ptpd(lab, "-o", f"log.file={log}", "-o", "log.format=json", "-o",
                  'limits.tcp={range="1024-65535";number=9;}',
                  users=("id1:secret1", "id2:secret2"), wait=False)
    found = server.wait_line(r"ready: http 127\.0\.0\.1:(\d+)")
    server.port = int(found.group(1))
    client = Ptp(lab, server, site.url, options=["-o", "log.format=json"])
    with tap.case("JSON: every line is an object with time, level and msg"):
        get(server.port, target="/big")
        get(server.port, host='who"is\\that')
        wait_for(log, "access")
        for text in (read(log), server.log(), client.log()):
            text = text[:text.rfind("\n") + 1]
            lines = [json.loads(line) for line in text.splitlines()]
            tap.ok(len(lines) > 2, "lines")
            for line in lines:
                tap.is_(list(line)[:3], ["time", "level", "msg"], f"{line}")
    with tap.case("JSON: what an event has are fields"):
        line = until("access", lambda: ours(log))[0]
        tap.is_((line["client"], line["name"], line["status"]),
                ("id1", "id1", 200), "access")
        tap.ok(line["down"] > 5000, f"{line}")
    with tap.case("records add up to the bytes of a connection"):
        before = len(ours(log))
        with connect(server.port) as wire:
            for path in ("/big", "/", "/big"):
                wire.send(f"GET {path} HTTP/1.1\r\nHost: id1\r\n\r\n")
            for _ in range(3):
                wire.response()
        got = until("records", lambda: len(ours(log)) >= before + 3
                    and ours(log)[before:])
        tap.ok(sum(r["down"] for r in got) > 10_000, f"{got}")
        tap.is_([r["status"] for r in got], [200] * 3, "status")
    with tap.case("a stream by a port, and one behind CONNECT, when it ends"):
        talk = lab.keep(Origin(lambda wire, _origin: wire.send("HELLO\r\n")))
        with_port = Ptp(
            lab, server, f"tcp://127.0.0.1:{talk.port},random=true,name=t",
            user="id2:secret2", wait=False)
        port = int(with_port.wait_line(r"reachable at tcp://\S*:(\d+)",
                                       "stdout").group(1))
        with connect(port) as wire:
            wire.ending()
        line = until("tcp", lambda: [r for r in access_lines(log)
                                     if r["scheme"] == "tcp"])[0]
        tap.is_((line["client"], line["status"], line["up"], line["down"]),
                ("id2", 0, 0, 7), f"{line}")
        tap.like(line["name"], rf":{port}$", "name")
        with connect(server.port) as wire:
            wire.send("CONNECT t:22 HTTP/1.1\r\nHost: t:22\r\n\r\n")
            wire.ending()
        line = until("CONNECT", lambda: [r for r in access_lines(log)
                                         if r["name"] == "t"])[0]
        tap.is_((line["client"], line["status"]), ("id2", 200), f"{line}")
        with_port.stop()
    with tap.case("refusals of ours are recorded, too"):
        client.stop()
        eventually(server.port, 503)  # id1 is away
        client = Ptp(lab, server, site.url + ",basic=a:b")
        tap.is_(get(server.port).status, 401, "401")
        until("401", lambda: [r for r in access_lines(log)
                              if r["status"] == 401])
    with tap.case("log.access = false: none"):
        server.stop()
        quiet = Ptpd(lab, "-o", f"log.file={lab.path('quiet.log')}", "-o",
                     "log.access=false")
        client2 = Ptp(lab, quiet, site.url)
        get(quiet.port, host="id1")
        client2.stop()
        quiet.stop()
        tap.unlike(read(lab.path("quiet.log")), "access", "records")
    client.stop()


def of_client(lab, site):
    with tap.case("ptp: its lines and those of its processes, in files of "
                  "log.max_size"):
        log = lab.path("ptp.log")
        server = Ptpd(lab)
        client = Ptp(lab, server, site.url, options=[
            "-o", f"log.file={log}", "-o", "log.format=json", "-o",
            "log.max_size=2K", "-o", "log.max_count=2", "-o",
            "log.level=debug"])
        tap.like(read(log) + read(log + ".1"), "logged in as id1", "login")
        for _ in range(20):
            tap.is_(client.ctl("reload").returncode, 0, "reload")
        client.stop()  # from here on nobody moves them
        tap.like(read(log) + read(log + ".1"), '"msg":"reloaded"', "reload")
        for name in (log, log + ".1"):
            tap.at_most(os.path.getsize(name), 2048, name)
            for line in read(name).splitlines():
                json.loads(line)
        tap.ok(not os.path.exists(log + ".2"), "two files")
    with tap.case("ptp: a file that cannot be opened: exit status 2, and why"):
        bad = Ptp(lab, server, site.url, wait=False,
                  options=["-o", "log.file=/nonexistent/x"])
        tap.is_(bad.wait_exit(), 2, "status")
        tap.like(bad.log(), "log.file: /nonexistent/x: No such file", "why")
        server.stop()


def trouble(lab, site):
    with tap.case("a flood blocks nobody, and it is said how much is missing"):
        log = lab.path("flood.fifo")
        os.mkfifo(log)
        reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
        server = Ptpd(lab, "-o", f"log.file={log}", "-o", "log.format=json")
        client = Ptp(lab, server, site.url)
        # Nobody reads: a pipe of 64 KiB, then the buffers are full.
        asked = 12_000
        with connect(server.port) as wire:
            for _ in range(asked // 8):
                wire.send("GET / HTTP/1.1\r\nHost: id1\r\n\r\n" * 8)
                for _ in range(8):
                    tap.is_(wire.response().status, 200, "status")
        data, asked_more = b"", 0

        def counted():
            """Records that came, and those that are said to be missing."""
            lines = [json.loads(line) for line in data.split(b"\n")[:-1]]
            return (sum(line["msg"] == "access" for line in lines),
                    sum(int(line["msg"].split()[0]) for line in lines
                        if "lines lost" in line["msg"]))

        def all_told():
            nonlocal data, asked_more
            get(server.port, host="id1")
            asked_more += 1
            try:
                while piece := os.read(reader, 1 << 20):
                    data += piece
            except BlockingIOError:
                pass
            return sum(counted()) >= asked

        until("what is missing is said", all_told)
        seen, lost = counted()
        tap.ok(lost > 0 and seen > 100, f"lost {lost}, seen {seen}")
        # Some other lines may be among the lost.
        tap.at_most(seen + lost, asked + asked_more + 50, "lines")
        client.stop()
        server.stop()
        os.close(reader)
    with tap.case("a full disk: all goes on"):
        server = Ptpd(lab, "-o", "log.file=/dev/full")
        client = Ptp(lab, server, site.url)
        tap.is_(get(server.port, host="id1").status, 200, "served")
        server.wait_line("log.file: No space left on device")
        client.stop()
        server.stop()
    with tap.case("a file that cannot be opened: exit status 2, and why"):
        bad = Ptpd(lab, "-o", "log.file=/nonexistent/x", wait=False)
        tap.is_(bad.wait_exit(), 2, "status")
        tap.like(bad.log(), "log.file: /nonexistent/x: No such file", "why")
    with tap.case("a reload with such a file changes nothing"):
        log = lab.path("good.log")
        conf = lab.write("ptpd.conf", f'log = {{ file = "{log}"; }};')
        server = Ptpd(lab, "-f", conf)
        lab.write("ptpd.conf", 'log = { file = "/nonexistent/x"; };')
        done = server.ctl("reload")
        tap.is_(done.returncode, 1, "reload")
        tap.like(done.stderr, "log.file", "why")
        server.ctl("log", "debug")
        mark = len(read(log))
        get(server.port, host="still.here")
        until("it goes on", lambda: "still.here" in read(log)[mark:])
        with tap.case("without log.file the process is gone"):
            pid, = server.pids("log")
            lab.write("ptpd.conf", "")
            tap.is_(server.ctl("reload").returncode, 0, "reload")
            until("it ends", lambda: not proc.alive(pid))
            mark = len(read(log))
            get(server.port, host="not.there")
            server.wait_line("not.there")
            tap.is_(read(log)[mark:], "", "the file")
        server.stop()


@tap.limit(900)
def run():
    with Lab() as lab:
        site = site_of(lab)
        for part in as_text, bounded, stubborn, as_json, of_client, trouble:
            of_one_day(100)
            part(lab, site)
