#!/usr/bin/python3
"""make install puts everything in its place, and uninstall takes it away."""

import os

from lib import tap
from lib.daemons import Ptpd
from lib.lab import Lab

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
# file -> mode
WANTED = {
    "usr/sbin/ptpd": 0o755, "usr/sbin/ptpctl": 0o755, "usr/bin/ptp": 0o755,
    "usr/libexec/ptp/ptpd-worker": 0o755, "usr/libexec/ptp/ptpd-relay": 0o755,
    "usr/libexec/ptp/ptpd-fetch": 0o755, "usr/libexec/ptp/ptpd-tls": 0o755,
    "usr/libexec/ptp/ptpd-sign": 0o755, "usr/libexec/ptp/ptpd-certs": 0o755,
    "usr/libexec/ptp/ptp-worker": 0o755, "usr/libexec/ptp/ptp-engine": 0o755,
    "usr/libexec/ptp/ptp-tls": 0o755,
    "usr/libexec/ptp/ptp-fetch": 0o755,
    "usr/share/man/man8/ptpd.8": 0o644, "usr/share/man/man8/ptpctl.8": 0o644,
    "usr/share/man/man1/ptp.1": 0o644, "usr/share/man/man5/ptp.conf.5": 0o644,
    "usr/share/man/man5/ptpd.conf.5": 0o644,
    "usr/share/man/man7/ptp-protocol.7": 0o644,
}


def files(root):
    """path below root -> mode, of every file."""
    found = {}
    for base, _, names in os.walk(root):
        for name in names:
            path = os.path.join(base, name)
            found[os.path.relpath(path, root)] = os.stat(path).st_mode & 0o777
    return found


@tap.main
def run():
    with Lab() as lab:
        root = lab.path("root")

        def make(target):
            done = lab.run([
                "make", "-s", "-C", TOP, f"B={lab.build}", "PREFIX=/usr",
                f"DESTDIR={root}", target], deadline=600)
            tap.is_(done.returncode, 0, done.stderr[-600:])

        with tap.case("make install DESTDIR= PREFIX="):
            make("install")
            found = files(root)
            for path, mode in WANTED.items():
                tap.is_(found.get(path), mode, path)
        with tap.case("state directories are closed to others"):
            for path in ("var/db/ptpd", "var/db/ptp"):
                tap.is_(os.stat(os.path.join(root, path)).st_mode & 0o777,
                        0o700, path)
            tap.is_(os.stat(os.path.join(root, "var/empty")).st_mode & 0o022,
                    0, "var/empty")
        with tap.case("installed pages, units and scripts name the installed "
                      "paths"):
            for path in found:
                if path.endswith((".8", ".1", ".service")) or "/rc" in path:
                    with open(os.path.join(root, path),
                              encoding="utf-8") as f:
                        tap.unlike(f.read(), "/usr/local", path)
        with tap.case("the installed ptpd works on a configuration"):
            conf = lab.write("c", 'listen = { http = "127.0.0.1:0"; };\n')
            done = lab.run([os.path.join(root, "usr/sbin/ptpd"), "-n", "-f",
                            conf])
            tap.is_(done.stdout, "configuration OK\n", done.stderr)
        with tap.case("and serves, wherever that tree lies"):
            port = Ptpd(lab, program=os.path.join(root, "usr/sbin/ptpd")).port
            client = lab.start("ptp", [
                os.path.join(root, "usr/bin/ptp"), "-d", "-f",
                lab.write("empty", ""), "-o", "socket=" + lab.path("sock"),
                "-o", "known_servers=" + lab.path("known"),
                "-s", f"tcp://id1:secret1@127.0.0.1:{port}", "9"])
            client.wait_line("is reachable at", "stdout")
        with tap.case("make uninstall takes the programs away"):
            make("uninstall")
            left = [p for p in files(root) if p in WANTED]
            tap.is_(left, [], "left")
