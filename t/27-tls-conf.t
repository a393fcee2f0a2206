#!/usr/bin/python3
"""Certificates as they are configured: faults, reload, restart, versions."""

import os
import re
import shutil
import ssl
import threading

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.origin import Origin, paths, reply
from lib.tls import Authority, anyone, dial, fingerprint, seen
from lib.wire import Wire, connect

MIB = 1 << 20
NAME = "id1.example.com"


def forwarded(wire, request):
    return reply(request.get("X-Forwarded-For", "none"))


def trickle(wire, request):
    """8 MiB, as fast as they are taken."""
    wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {8 * MIB}\r\n\r\n")
    for _ in range(128):
        wire.send(bytes(65536))
    return None


def checked(lab, *options):
    """`ptpd -n` with a file that says so; status and stderr."""
    path = lab.write("check.conf", "\n".join(
        ['listen = { http = "127.0.0.1:0"; tls = "127.0.0.1:0"; };',
         'users = ( { id = "id1"; secret = "x"; } );', *options]))
    done = lab.run([lab.program("ptpd"), "-n", "-f", path])
    return done.returncode, done.stdout + done.stderr


def faults(lab, ca):
    good, other = ca.issue(NAME), ca.issue(NAME)
    public = lab.path("public.key")
    shutil.copy(good[1], public)
    os.chmod(public, 0o644)
    small = ca.issue("small.test", "rsa:1024")
    odd = ca.issue("odd.test", "ed25519")
    locked = lab.path("locked.key")
    lab.run(["openssl", "pkey", "-in", good[1], "-aes256", "-passout",
             "pass:x", "-out", locked])
    os.chmod(locked, 0o600)
    empty = lab.write("empty.pem", "nothing\n")
    old = ca.issue("old.test", days=0)
    with tap.case("a good pair: configuration OK"):
        status, said = checked(
            lab, f'tls = {{ cert = "{good[0]}"; key = "{good[1]}"; }};')
        tap.is_((status, said), (0, "configuration OK\n"), "ptpd -n")
    for what, cert, key, want in (
            ("no such certificate", "/nowhere.pem", good[1],
             r"check.conf:3: tls.cert: /nowhere.pem: No such file"),
            ("no such key", good[0], "/nowhere.key",
             r"check.conf:3: tls.key: /nowhere.key: No such file"),
            ("a key that others may read", good[0], public,
             r"check.conf:3: tls.key: .*owner alone"),
            ("a key of another certificate", good[0], other[1],
             r"check.conf:3: tls.key: .*expected the key of"),
            ("an encrypted key", good[0], locked, "not encrypted"),
            ("no certificate in the file", empty, good[1],
             r"tls.cert: .*expected certificates in PEM form"),
            ("no key in the file", good[0], good[0], r"tls.key: "),
            ("a directory", lab.dir, good[1], r"tls.cert: .*expected a file"),
            ("RSA of 1024 bits", *small, r"tls.key: .*2048"),
            ("a kind of key that is not known", *odd, r"tls.key: .*expected")):
        with tap.case(f"{what} is a fault"):
            status, said = checked(
                lab, f'tls = {{ cert = "{cert}"; key = "{key}"; }};')
            tap.is_(status, 1, "status")
            tap.like(said, want, "line")
            tap.is_(len(said.splitlines()), 1, "lines")
    with tap.case("faults of tls.hosts name the line and the element"):
        status, said = checked(
            lab, "tls = { hosts = (",
            f'{{ name = "a.test"; cert = "{good[0]}"; key = "{good[1]}"; }},',
            f'{{ name = "b.test"; cert = "{good[0]}"; key = "{other[1]}"; }}',
            "); };")
        tap.is_(status, 1, "status")
        tap.like(said, r"check.conf:\d+: tls.hosts\[1\].key: ", "line")
    for what, lines, want in (
            ("no certificate", [], "listen.tls: expected tls.cert"),
            ("no key", [f'tls = {{ cert = "{good[0]}"; }};'],
             "tls.key: expected"),
            ("no certificate to a key", [f'tls = {{ key = "{good[1]}"; }};'],
             "tls.cert: expected"),
            ("one name twice", [
                "tls = { hosts = (", ", ".join(
                    f'{{ name = "{name}"; cert = "{good[0]}"; '
                    f'key = "{good[1]}"; }}' for name in ("a.b", "A.b.")),
                "); };"], "tls.hosts: expected each name once"),
            ("an unknown version", ['tls = { min = "1.1"; };'], "tls.min"),
            ("a bad name", [
                f'tls = {{ hosts = ( {{ name = "a.*.b"; cert = "{good[0]}"; '
                f'key = "{good[1]}"; }} ); }};'], r"tls.hosts\[0\].name")):
        with tap.case(f"{what}: a fault"):
            status, said = checked(lab, *lines)
            tap.is_(status, 1, "status")
            tap.like(said, want, "line")
    with tap.case("a certificate that has expired is a warning"):
        status, said = checked(
            lab, f'tls = {{ cert = "{old[0]}"; key = "{old[1]}"; }};')
        tap.is_(status, 0, said)
        tap.like(said, "has expired", "warning")


def served(port, name=NAME):
    with dial(port, name) as wire:
        return seen(wire)


def reloads(lab, ca, site):
    first, second = ca.issue(NAME), ca.issue(NAME, "rsa:2048")
    cert, key = lab.path("now.crt"), lab.path("now.key")

    def put(pair):
        for source, target in zip(pair, (cert, key)):
            shutil.copy(source, target)
        os.chmod(key, 0o600)

    put(first)
    server = Ptpd(lab, "-o", "listen.tls=127.0.0.1:0", "-o",
                  f"tls.cert={cert}", "-o", f"tls.key={key}")
    Ptp(lab, server, site.url)
    port = server.port_of("tls")
    stays = dial(port, NAME)
    tap.is_(stays.get().status, 200, "status")
    with tap.case("reload with a key of another certificate changes nothing"):
        shutil.copy(second[1], key)
        done = server.ctl("reload")
        tap.is_(done.returncode, 1, "status")
        tap.like(done.stderr, "tls.key: .*expected the key of", "reason")
        tap.is_(served(port), fingerprint(first[0]), "certificate")
    with tap.case("reload with a new certificate: for who comes from now on"):
        put(second)
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        until("the new certificate",
              lambda: served(port) == fingerprint(second[0]))
        tap.is_(stays.get().status, 200, "who was connected goes on")
    with tap.case("what was read is kept: a dead worker needs no file"):
        os.unlink(key)
        for role in ("tls", "sign"):
            former = set(server.pids(role))
            for pid in former:
                os.kill(pid, 9)
            until("new workers", lambda: len(server.pids(role)) == len(former)
                  and not former & set(server.pids(role)))
        tap.is_(served(port), fingerprint(second[0]), "certificate")
    with tap.case("restart: a download goes on, new users are served"):
        put(second)
        with dial(port, NAME, rcvbuf=4096) as slow:
            slow.send(f"GET /slow HTTP/1.1\r\nHost: id1\r\n\r\n")
            head = slow.head()
            tap.is_(head.status, 200, "status")
            done = server.ctl("restart")
            tap.is_(done.returncode, 0, done.stderr)
            until("the new workers serve",
                  lambda: served(port) == fingerprint(second[0]))
            got = len(slow.take(8 * MIB))
            tap.is_(got, 8 * MIB, "bytes")
        with dial(port, NAME) as wire:
            tap.is_(wire.get().status, 200, "status")
    with tap.case("tls.min = 1.3: TLS 1.2 is refused"):
        server.stop()
        server = Ptpd(lab, "-o", "listen.tls=127.0.0.1:0", "-o",
                      f"tls.cert={cert}", "-o", f"tls.key={key}", "-o",
                      "tls.min=1.3")
        Ptp(lab, server, site.url)
        port = server.port_of("tls")
        low = anyone()
        low.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            dial(port, NAME, low)
            tap.ok(False, "refused")
        except ssl.SSLError as error:
            tap.like(str(error), "(?i)protocol.version", "alert")
        with dial(port, NAME) as wire:
            tap.is_((wire.get().status, wire.sock.version()),
                    (200, "TLSv1.3"), "answer")


def turned_off(lab, ca, site):
    cert, key = ca.issue(NAME)
    path = lab.path("ptpd.conf")

    def write(tls):
        lab.write("ptpd.conf", "tls = { %s };" % tls +
                  ('listen = { tls = "127.0.0.1:0"; };' if tls else ""))

    write(f'cert = "{cert}"; key = "{key}";')
    server = Ptpd(lab, "-f", path)
    Ptp(lab, server, site.url)
    tap.is_(served(server.port_of("tls")), fingerprint(cert), "certificate")
    with tap.case("without certificates after a reload: no process is left"):
        write("")
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        until("they are gone", lambda: not {
            r["role"] for r in server.workers()} & {"tls", "sign"})
    with tap.case("and back"):
        write(f'cert = "{cert}"; key = "{key}";')
        tap.is_(server.ctl("reload").returncode, 0, "reload")
        with dial(server.port_of("tls"), NAME) as wire:
            tap.is_(wire.get().status, 200, "status")


def balancers(lab, ca, site):
    cert, key = ca.issue(NAME)
    server = Ptpd(lab, "-o", "listen.tls=127.0.0.1:0", "-o",
                  f"tls.cert={cert}", "-o", f"tls.key={key}",
                  "-o", 'access.tls.proxy="127.0.0.2"',
                  "-o", 'access.tls.deny="192.0.2.66"')
    Ptp(lab, server, site.url)
    port = server.port_of("tls")

    def come(header, source="127.0.0.2", pieces=1):
        import socket
        raw = socket.create_connection(
            ("127.0.0.1", port), 10, source_address=(source, 0))
        wire = Wire(raw)
        wire.send_split(header, *range(1, pieces))
        return Wire(anyone().wrap_socket(raw, server_hostname=NAME))

    for pieces in (1, 20):
        with tap.case(f"a PROXY header in {pieces} pieces, then TLS: its "
                      "address is the user's"):
            with come(b"PROXY TCP4 192.0.2.1 198.51.100.1 5 443\r\n",
                      pieces=pieces) as wire:
                tap.is_(wire.get("/for").body, b"192.0.2.1", "address")
    with tap.case("access.tls.deny: 403 inside TLS"):
        with come(b"PROXY TCP4 192.0.2.66 198.51.100.1 5 443\r\n") as wire:
            tap.is_(wire.get("/for").status, 403, "status")
    with tap.case("no header from the balancer: closed"):
        try:
            come(b"").close()
            tap.ok(False, "closed")
        except OSError:
            pass
    with tap.case("nobody else has one"):
        with dial(port, NAME) as wire:
            tap.is_(wire.get("/for").body, b"127.0.0.1", "address")


@tap.main
def run():
    with Lab() as lab:
        ca = Authority(lab)
        site = lab.keep(Origin(paths({
            "/": lambda w, r: reply("hello"), "/slow": trickle,
            "/for": forwarded})))
        faults(lab, ca)
        reloads(lab, ca, site)
        turned_off(lab, ca, site)
        balancers(lab, ca, site)
