#!/usr/bin/python3
"""Listeners: any address and port, bound once, kept over reload."""

import re
import socket

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, port_answers, until
from lib.origin import Origin, echo, paths
from lib.wire import connect


def ask(port, host, headers=""):
    with connect(port, host=host) as wire:
        return wire.get("/", headers=headers)


def forwarded_for(answer):
    return re.findall(r"(?i)^x-forwarded-for: (.*?)\r$",
                      answer.body.decode(), re.M)


def listening():
    """port -> inode of the sockets that listen on 127.0.0.1.

    The kernel may leave some out while others come and go.
    """
    found = {}
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in f:
            fields = line.split()
            if fields[3] == "0A":
                found[int(fields[1].partition(":")[2], 16)] = fields[9]
    return found


@tap.main
def run():
    with Lab() as lab:
        service = lab.keep(Origin(paths({}, echo)))
        with tap.case("several addresses, IPv4 and IPv6, in the ready line"):
            server = Ptpd(lab, "-o",
                          'listen.http=["127.0.0.1:0", "[::1]:0"]')
            six = int(server.wait_line(r"\[::1\]:(\d+)").group(1))
            Ptp(lab, server, service.url)
            for port, host in ((server.port, "127.0.0.1"), (six, "::1")):
                answer = ask(port, host)
                tap.is_(answer.status, 200, host)
                tap.is_(forwarded_for(answer), [host], "forwarded for")
        with tap.case("a client over IPv6"):
            client = Ptp(lab, server, f"{service.url},name=six",
                         address=f"tcp://id1:secret1@[::1]:{six}", wait=False)
            client.wait_line(r"name|taken|held|six")
            until("it is granted", lambda: "six" in client.out())
            client.stop()
        with tap.case("a port alone: all addresses, IPv6 and IPv4"):
            port = free_port()
            server = Ptpd(lab, "-o", f"listen.http={port}", wait=False)
            server.wait_line("ready")
            server.port = port
            Ptp(lab, server, service.url)
            for host in ("127.0.0.1", "::1"):
                answer = ask(port, host)
                tap.is_(forwarded_for(answer), [host], "forwarded for")
        with tap.case("v4-in-v6 counts as v4: http.trusted"):
            port = free_port()
            server = Ptpd(lab, "-o", f"listen.http={port}", "-o",
                          "http.trusted=127.0.0.0/8", wait=False)
            server.wait_line("ready")
            server.port = port
            Ptp(lab, server, service.url)
            header = "X-Forwarded-For: 9.9.9.9\r\n"
            tap.is_(", ".join(forwarded_for(ask(port, "127.0.0.1", header))),
                    "9.9.9.9, 127.0.0.1", "trusted")
            tap.is_(forwarded_for(ask(port, "::1", header)), ["::1"],
                    "not trusted")
        with tap.case("reload: a listener that stays is the same socket, one "
                      "comes, one goes"):
            first, second, third = (free_port() for _ in range(3))
            text = 'listen = { http = ["127.0.0.1:%d", "127.0.0.1:%d"]; };\n'
            conf = lab.write("listen.conf", text % (first, second))
            server = lab.start("ptpd", [
                lab.program("ptpd"), "-d", "-f", conf, "-u", "id1:secret1",
                "-o", "socket=" + lab.path("sock"),
                "-o", "host_key=" + lab.path("key")])
            server.wait_line("ready")
            inode = until("it is in the list", lambda: listening().get(first))
            with connect(second) as kept:
                kept.get("/", "nobody")
            lab.write("listen.conf", text % (first, third))
            done = lab.run([lab.program("ptpctl"), "-s", lab.path("sock"),
                            "reload"])
            tap.is_(done.returncode, 0, done.stderr)
            until("the same socket", lambda: listening().get(first) == inode)
            tap.ok(port_answers(third), "the new one")
            until("the old one is gone", lambda: not port_answers(second))
        with tap.case("reload onto a taken port: refused, nothing changes"):
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
                lab.write("listen.conf", text % (first, port))
                done = lab.run([lab.program("ptpctl"), "-s",
                                lab.path("sock"), "reload"])
                tap.is_(done.returncode, 1, done.stdout)
                tap.like(done.stderr, str(port), "it is named")
            until("the same socket", lambda: listening().get(first) == inode)
            tap.ok(port_answers(third), "the other one stays")
