#!/usr/bin/python3
"""proxy_protocol of a service: it learns who its user is."""

import os
import socket

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, free_port, port_answers, until
from lib.origin import Origin
from lib.web import self_signed
from lib.wire import Wire, connect

LISTENS = """
http {{
  access_log off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{
    listen 127.0.0.1:{plain} proxy_protocol;
    listen unix:{sock} proxy_protocol;
    listen 127.0.0.1:{tls} ssl proxy_protocol;
    ssl_certificate {cert}; ssl_certificate_key {key};
    location / {{
      return 200 "$proxy_protocol_addr to $proxy_protocol_server_port\\n";
    }}
  }}
}}
"""

HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend in
  bind 127.0.0.1:{port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src]"
"""


def nginx(lab, certs):
    """nginx that wants the header, on three kinds of addresses."""
    plain, tls, sock = free_port(), free_port(), lab.path("nginx.sock")
    path = lab.write("nginx.conf", "daemon off; worker_processes 1; "
                     f"pid {lab.path('nginx.pid')}; events {{}} " +
                     ("user nobody nogroup; " if os.geteuid() == 0 else "") +
                     LISTENS.format(dir=lab.dir, plain=plain, tls=tls,
                                    sock=sock, cert=certs[0], key=certs[1]))
    lab.start("nginx", ["nginx", "-e", lab.path("error.log"), "-p", lab.dir,
                        "-c", path])
    until("nginx answers", lambda: port_answers(plain) and port_answers(tls))
    return plain, tls, sock


def dial(port, source):
    return Wire(socket.create_connection(
        ("127.0.0.1", port), 10, source_address=(source, 0)))


def asks(port, host, source="127.0.0.5"):
    with dial(port, source) as wire:
        return wire.get("/", host=host).body.decode().strip()


@tap.main
def run():
    with Lab() as lab:
        certs = self_signed(lab, "www.example.org")
        plain, tls, sock = nginx(lab, certs)
        public = free_port()
        server = Ptpd(lab, "-o", "listen.sni=127.0.0.1:0",
                      "-o", "access.http.proxy=127.0.0.9", "-o",
                      f'limits.tcp={{range="{public}";number=1;}}')
        fancy = free_port()
        haproxy = lab.write("haproxy.cfg", HAPROXY.format(port=fancy))
        lab.start("haproxy", ["haproxy", "-db", "-f", haproxy])
        until("haproxy answers", lambda: port_answers(fancy))
        raw = lab.keep(Origin(lambda wire, origin: origin.seen.append(
            wire.upto(b"\r\n"))))
        Ptp(lab, server,
            f"http://127.0.0.1:{plain},name=v1,proxy_protocol=v1",
            f"http://127.0.0.1:{plain},name=v2,proxy_protocol=v2",
            f"http://127.0.0.1:{plain},name=edited,proxy_protocol=v2,"
            "rewrite_host=x.test",
            f"unix:{sock},name=socket,proxy_protocol=v2",
            f"https://127.0.0.1:{tls},name=secure,proxy_protocol=v1",
            f"tls://127.0.0.1:{tls},name=www.example.org,proxy_protocol=v2",
            f"http://127.0.0.1:{fancy},name=haproxy,proxy_protocol=v2",
            f"http://127.0.0.1:{raw.port},name=raw,proxy_protocol=v1",
            f"tcp://127.0.0.1:{plain},port={public},proxy_protocol=v1")
        for name in ("v1", "v2", "edited", "socket", "secure"):
            with tap.case(f"{name}: nginx knows the user"):
                tap.is_(asks(server.port, name),
                        f"127.0.0.5 to {server.port}", "addresses")
        with tap.case("each user of a service has a connection of its own"):
            with dial(server.port, "127.0.0.6") as one, \
                    dial(server.port, "127.0.0.7") as two:
                for _ in range(3):
                    for wire, who in ((one, "127.0.0.6"), (two, "127.0.0.7")):
                        tap.like(wire.get("/", host="v2").body.decode(), who,
                                 "address")
        with tap.case("haproxy accept-proxy"):
            tap.is_(asks(server.port, "haproxy"), "127.0.0.5", "src")
        with tap.case("TLS by server name: in front of the hello"):
            port = server.port_of("sni")
            done = lab.run(["curl", "-sS", "--cacert", certs[0],
                            "--interface", "127.0.0.5", "--resolve",
                            f"www.example.org:{port}:127.0.0.1",
                            f"https://www.example.org:{port}/"])
            tap.is_(done.stdout.strip(), f"127.0.0.5 to {port}", done.stderr)
        with tap.case("a public port"):
            tap.is_(asks(public, "any"), f"127.0.0.5 to {public}",
                    "addresses")
        with tap.case("the https:// service by server name, too"):
            done = lab.run(["curl", "-sSk", "--interface", "127.0.0.5",
                            "--resolve", f"secure.x.test:{port}:127.0.0.1",
                            f"https://secure.x.test:{port}/"])
            tap.is_(done.stdout.strip(), f"127.0.0.5 to {port}", done.stderr)
        with tap.case("what came by the PROXY protocol goes on by it"):
            with dial(server.port, "127.0.0.9") as wire:
                wire.send(b"PROXY TCP6 2001:db8::7 2001:db8::1 99 8080\r\n")
                tap.is_(wire.get("/", host="v2").body.strip(),
                        b"2001:db8::7 to 8080", "addresses")
        with tap.case("the header comes before a large upload, once"):
            body = b"x" * 300000
            with connect(server.port) as wire:
                wire.send(b"POST / HTTP/1.1\r\nHost: v1\r\nContent-Length: "
                          b"%d\r\n\r\n" % len(body) + body)
                tap.is_(wire.response().status, 200, "status")
                tap.is_(wire.get("/", host="v1").status, 200, "and again")
        with tap.case("byte for byte as haproxy's specification has it"):
            with dial(server.port, "127.0.0.8") as wire:
                at = wire.sock.getsockname()[1]
                wire.send(b"GET / HTTP/1.1\r\nHost: raw\r\n\r\n")
                until("it has come", lambda: raw.seen)
            tap.is_(raw.seen[0].rstrip(b"\r\n"), (
                f"PROXY TCP4 127.0.0.8 127.0.0.1 {at} {server.port}").encode(),
                "header")
