#!/usr/bin/python3
"""reload loses nothing; a bad configuration changes nothing and says why."""

import os
import re
import signal

from lib import proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.load import Wrk
from lib.origin import Origin, paths, raw_echo, upgrade
from lib.web import Nginx
from lib.wire import connect, get

CONF = """\
users = (
  { id = "id1"; secret = "secret1"; },
  { id = "id2"; secret = "secret2"; }%s
);
%s
"""


@tap.limit(900)
def run():
    with Lab() as lab:
        site = Nginx(lab, "one")
        raw = lab.keep(Origin(paths({}, raw_echo)))
        conf = lab.write("ptpd.conf", CONF % ("", ""))
        server = Ptpd(lab, "-f", conf, users=())
        Ptp(lab, server, site.url, f"{raw.url},name=raw")
        pids = sorted(int(row["pid"]) for row in server.workers())

        def no_others():
            """Who reads a configuration is a child, too, for a moment."""
            until("children are the workers of the beginning",
                  lambda: sorted(proc.children(server.pid)) == pids)

        def reload(status=0):
            done = server.ctl("reload")
            tap.is_(done.returncode, status, done.stderr)
            return done.stderr

        with tap.case("under load, twenty reloads: no request fails"):
            with connect(server.port) as wire:
                tap.is_(upgrade(wire, "raw").status, 101, "status")
                load = Wrk(lab, server.port, seconds=6)
                fresh = Wrk(lab, server.port, seconds=6, close=True)
                for number in range(20):
                    lab.write("ptpd.conf", CONF % (
                        ', { id = "x%d"; secret = "s"; }' % number, ""))
                    reload()
                load.finish()
                fresh.finish()
                wire.send("here")
                tap.is_(wire.take(4), b"here", "the upgraded connection")
        with tap.case("the workers are the same"):
            no_others()
        with tap.case("a new user gets in, and only after the reload"):
            lab.write("ptpd.conf", CONF % (
                ', { id = "new"; secret = "s"; }', ""))
            client = Ptp(lab, server, site.url, user="new:s", wait=False)
            tap.is_(client.wait_exit(), 3, client.log())
            reload()
            client = Ptp(lab, server, site.url, user="new:s")
            tap.is_(get(server.port, host="new").status, 200, "status")
        with tap.case("a changed secret holds after the reload"):
            client.stop()
            lab.write("ptpd.conf", CONF % (
                ', { id = "new"; secret = "t"; }', ""))
            reload()
            client = Ptp(lab, server, site.url, user="new:s", wait=False)
            tap.is_(client.wait_exit(), 3, client.log())
            client = Ptp(lab, server, site.url, user="new:t")
            client.stop()
        with tap.case("a user who is removed is known no more"):
            lab.write("ptpd.conf", CONF % ("", ""))
            reload()
            tap.is_(get(server.port, host="new").status, 404, "status")
        with tap.case("a key that changed holds: http.head_max"):
            long = "X: " + "y" * 2000 + "\r\n"
            tap.is_(get(server.port, headers=long).status, 200, "before")
            lab.write("ptpd.conf", CONF % (
                "", 'http = { head_max = "1K"; };'))
            reload()
            tap.is_(get(server.port, headers=long).status, 431, "with 1K")
            lab.write("ptpd.conf", CONF % ("", ""))
            reload()
            tap.is_(get(server.port, headers=long).status, 200, "after")

        with tap.case("bad configurations: exit 1, FILE:LINE: KEY, no change"):
            for text, where in (
                    (CONF % ("", "workerz = 3;"), r":5: workerz: "),
                    (CONF % ("", "limits = {\n streams = \"x\"; };"),
                     r":6: limits\.streams: "),
                    (CONF % (", { id = \"id1\"; secret = \"again\"; }", ""),
                     r":\d: users\[2\]\.id: "),
                    (CONF % ("", "listen = {"), r":\d+: "),
                    (CONF % (", 5", ""), r":\d: users\[2\]")):
                lab.write("ptpd.conf", text)
                tap.like(reload(1), re.escape(conf) + where, "stderr")
                tap.is_(get(server.port).status, 200, "status")
            no_others()
        with tap.case("a missing file: exit 1, no change"):
            os.rename(conf, conf + ".away")
            tap.like(reload(1), re.escape(conf), "stderr")
            tap.is_(get(server.port).status, 200, "status")
            os.rename(conf + ".away", conf)
        with tap.case("by SIGHUP the faults are in the log"):
            mark = server.mark()
            lab.write("ptpd.conf", CONF % ("", "workerz = 3;"))
            server.signal(signal.SIGHUP)
            server.wait_line(re.escape(conf) + r":5: workerz: ", since=mark)
            tap.is_(get(server.port).status, 200, "status")
        with tap.case("SIGHUP with a good one reloads"):
            lab.write("ptpd.conf", CONF % (
                ', { id = "hup"; secret = "s"; }', ""))
            server.signal(signal.SIGHUP)
            until("the user is known", lambda: "hup" in [
                u["id"] for u in server.show_json("users")])
        with tap.case("under load, bad reloads: no request fails"):
            lab.write("ptpd.conf", "nonsense")
            load = Wrk(lab, server.port, seconds=2)
            for _ in range(10):
                reload(1)
            load.finish()
        with tap.case("after a bad reload secrets work as before"):
            client = Ptp(lab, server, site.url, user="hup:s")
            tap.is_(get(server.port, host="hup").status, 200, "status")
        with tap.case("no secret in what reload printed"):
            tap.unlike(server.log(), "secret[12]|again", "log")
