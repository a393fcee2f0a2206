"""What is compared: ways from a visitor's port to a web server's port."""

import os
import shutil
import subprocess

from .datagrams import build
from .origin import PAGE_BYTES
from .proc import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("PTP_BUILD") or os.path.normpath(
    os.path.join(HERE, "../../../build"))


class Running:
    """A subject that serves: where visitors go, and who works for it."""

    def __init__(self, port, server=None, client=None, host=None,
                 bulk_host=None, tls=False, name="127.0.0.1"):
        self.port = port
        self.name = name  # that visitors connect to
        self.host = host or f"127.0.0.1:{port}"
        self.tls = tls  # visitors come by https
        self.datagrams = None  # udpload, public port, service's port
        self.bulk_host = bulk_host or self.host  # of who downloads beside
        self.server = server  # the Daemon at the visitors' end, or None
        self.client = client  # the Daemon at the web server's end, or None

    @property
    def ends(self):
        return [d for d in (self.server, self.client) if d]


class Subject:
    """One way. KEY is its name for -S, TITLE its name in the table."""

    key = title = ""
    programs = ()
    measures = None  # keys of those that make sense; None: all

    def missing(self):
        """Why it cannot run here, or None."""
        lost = [p for p in self.programs if not shutil.which(p)]
        return f"{', '.join(lost)} not in PATH" if lost else None

    def start(self, stage, origin):
        """Start it on STAGE in front of the port ORIGIN; returns Running."""
        raise NotImplementedError


class Direct(Subject):
    key = title = "direct"

    def start(self, stage, origin):
        return Running(origin)


class Haproxy(Subject):
    """Two haproxy in mode tcp in a row, one thread each."""

    key, title, programs = "haproxy", "haproxy chain", ("haproxy",)

    def __init__(self, visitors):
        self.maxconn = visitors + 40  # haproxy needs two descriptors for each

    def _spawn(self, stage, name, port, target, bind="", mode="tcp"):
        conf = stage.write(name + ".cfg", f"""\
global
    nbthread 1
    maxconn {self.maxconn}
defaults
    mode {mode}
    timeout connect 5s
    timeout client 600s
    timeout server 600s
frontend f
    bind 127.0.0.1:{port} {bind}
    maxconn {self.maxconn}
    default_backend b
backend b
    server s 127.0.0.1:{target}
""")
        return stage.spawn(name, "haproxy", "-db", "-f", conf)

    def start(self, stage, origin):
        near, far = free_port(), free_port()
        client = self._spawn(stage, "haproxy2", far, origin)
        server = self._spawn(stage, "haproxy1", near, far)
        return Running(near, server, client)


def certificate(stage):
    """A certificate and its key (P-256), apart and in one file."""
    where = os.path.join(stage.directory, "bench")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
         "/CN=id1.example.com", "-keyout", where + ".key", "-out",
         where + ".crt"], check=True, capture_output=True)
    os.chmod(where + ".key", 0o600)
    with open(where + ".pem", "wb") as out:
        for name in (where + ".crt", where + ".key"):
            with open(name, "rb") as f:
                out.write(f.read())
    return where + ".crt", where + ".key", where + ".pem"


class HaproxyTls(Haproxy):
    """The same; the first ends TLS, in mode http."""

    key, title = "haproxy-tls", "haproxy chain, https"
    measures = ("https", "handshakes")

    def start(self, stage, origin):
        near, far = free_port(), free_port()
        pem = certificate(stage)[2]
        client = self._spawn(stage, "haproxy2", far, origin)
        server = self._spawn(stage, "haproxy1", near, far,
                             f"ssl crt {pem} alpn http/1.1", "http")
        return Running(near, server, client, "id1.example.com", tls=True)


class NginxTls(Subject):
    """nginx alone, which ends TLS: a worker for each CPU, as it would have."""

    key, title, programs = "nginx-tls", "nginx, https", ("nginx",)
    measures = ("https", "handshakes")

    def start(self, stage, origin):
        port, server = self.spawn(stage)
        return Running(port, server, None, "id1.example.com", tls=True)

    @staticmethod
    def spawn(stage):
        """Starts it; returns its port and the process."""
        port = free_port()
        cert, key, _ = certificate(stage)
        conf = stage.write("nginx-tls.conf", f"""\
daemon off;
{"user root;" if os.geteuid() == 0 else ""}
worker_processes auto;
pid {stage.directory}/nginx-tls.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {stage.directory}/tls-body;
    proxy_temp_path {stage.directory}/tls-proxy;
    fastcgi_temp_path {stage.directory}/tls-fastcgi;
    uwsgi_temp_path {stage.directory}/tls-uwsgi;
    scgi_temp_path {stage.directory}/tls-scgi;
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        location / {{ return 200 "{"x" * PAGE_BYTES}"; }}
    }}
}}
""")
        return port, stage.spawn("nginx-tls", "nginx", "-c", conf, "-e",
                                 "stderr")


class Ptp(Subject):
    key, title = "ptp", "ptp"
    options = ()
    rules = ()  # options of ptpd

    def missing(self):
        for name in ("ptpd", "ptp"):
            if not os.access(os.path.join(BUILD, name), os.X_OK):
                return f"{name} not in {BUILD}"
        return None

    def start(self, stage, origin):
        port = free_port()
        where = stage.directory
        server = stage.spawn(
            "ptpd", os.path.join(BUILD, "ptpd"), "-d",
            "-f", stage.write("ptpd.conf", ""),
            "-o", f"listen.http=127.0.0.1:{port}", "-u", "id1:secret1",
            "-u", "id2:secret2", *self.rules,
            "-o", f"host_key={where}/host_key",
            "-o", f"socket={where}/ptpd.sock")
        server.wait_for(server.err, "ready")
        return self._visited(stage, server, port, origin)

    def _visited(self, stage, server, port, origin):
        client = self._client(stage, "ptp", "id1:secret1", port,
                              f"http://127.0.0.1:{origin}")
        return Running(port, server, client, "id1.example.com")

    def _client(self, stage, name, user, port, service):
        where = stage.directory
        client = stage.spawn(
            name, os.path.join(BUILD, "ptp"), "-d",
            "-f", stage.write(name + ".conf", ""),
            "-s", f"tcp://{user}@127.0.0.1:{port}",
            "-o", f"known_servers={where}/{name}.known",
            "-o", f"socket={where}/{name}.sock",
            *self.options, service)
        client.wait_for(client.out, "is reachable at")
        return client


class PtpPlain(Ptp):
    key, title = "ptp-none", "ptp, cipher none"
    options = ("-o", "tunnel.cipher=none")


class PtpTls(Ptp):
    key, title = "ptp-tls", "ptp, https"
    measures = ("https", "handshakes")

    def start(self, stage, origin):
        port = free_port()
        cert, key, _ = certificate(stage)
        self.rules = (
            "-o", f"listen.tls=127.0.0.1:{port}", "-o", f"tls.cert={cert}",
            "-o", f"tls.key={key}")
        run = super().start(stage, origin)
        run.port, run.tls = port, True
        return run


class PtpTwo(Ptp):
    """Who downloads does so from another client."""

    key, title = "ptp-two", "ptp, two clients"
    measures = ("fair",)

    def start(self, stage, origin):
        run = super().start(stage, origin)
        self._client(stage, "ptp2", "id2:secret2", run.port,
                     f"http://127.0.0.1:{origin}")
        run.bulk_host = "id2.example.com"
        return run


class PtpPort(Ptp):
    """The page by a public TCP port: nobody looks at the bytes."""

    key, title = "ptp-port", "ptp, tcp port"
    rules = ("-o", 'limits.tcp={range="1024-65535";}')

    def _visited(self, stage, server, port, origin):
        public = free_port()
        client = self._client(stage, "ptp", "id1:secret1", port,
                              f"tcp://127.0.0.1:{origin},port={public}")
        return Running(public, server, client)


class PtpPortPlain(PtpPort):
    key, title = "ptp-port-none", "ptp, tcp port, cipher none"
    options = PtpPlain.options


class PtpPortTls(PtpPort):
    """TLS that nobody of us opens, by a public TCP port."""

    key, title = "ptp-port-tls", "ptp, https by tcp port"
    measures = ("https", "connections")

    def _visited(self, stage, server, port, origin):
        run = super()._visited(stage, server, port, NginxTls.spawn(stage)[0])
        run.tls, run.name = True, "localhost"
        return run


class PtpSni(Ptp):
    """The same by server name."""

    key, title = "ptp-sni", "ptp, https by server name"
    measures = PtpPortTls.measures

    def start(self, stage, origin):
        self.sni = free_port()
        self.rules = ("-o", f"listen.sni=127.0.0.1:{self.sni}")
        return super().start(stage, origin)

    def _visited(self, stage, server, port, origin):
        service = NginxTls.spawn(stage)[0]
        client = self._client(stage, "ptp", "id1:secret1", port,
                              f"tls://127.0.0.1:{service},name=localhost")
        return Running(self.sni, server, client, tls=True, name="localhost")


def _datagrams(stage, public, local, server, client=None):
    run = Running(public, server, client)
    run.datagrams = build(stage.directory), public, local
    return run


class Socat(Subject):
    """One process that copies datagrams from one socket to another."""

    key, title, programs = "socat", "socat", ("socat",)
    measures = ("datagrams",)

    def start(self, stage, origin):
        public, local = free_port(), free_port()
        server = stage.spawn(
            "socat", "socat", "-d", "-d", "-b", "65536",
            f"UDP4-LISTEN:{public},bind=127.0.0.1,fork,reuseaddr,"
            "rcvbuf=4194304",
            f"UDP4:127.0.0.1:{local}")
        server.wait_for(server.err, "listening on")
        return _datagrams(stage, public, local, server)


class PtpUdp(Ptp):
    key, title = "ptp-udp", "ptp, udp port"
    measures = ("datagrams",)
    rules = ("-o", 'limits.udp={range="1024-65535";}')

    def _visited(self, stage, server, port, origin):
        public, local = free_port(), free_port()
        client = self._client(stage, "ptp", "id1:secret1", port,
                              f"udp://127.0.0.1:{local},port={public}")
        return _datagrams(stage, public, local, server, client)


class PtpUdpPlain(PtpUdp):
    key, title = "ptp-udp-none", "ptp, udp port, cipher none"
    options = PtpPlain.options


class Frp(Subject):
    """As it comes: TLS on, one multiplexed connection, a tcp proxy."""

    key, title, programs = "frp", "frp", ("frps", "frpc")

    def start(self, stage, origin):
        control, port = free_port(), free_port()
        server = stage.spawn("frps", "frps", "-c", stage.write("frps.toml", f"""\
bindAddr = "127.0.0.1"
bindPort = {control}
auth.token = "secret1"
"""))
        server.wait_for(server.out, "frps started successfully")
        client = stage.spawn("frpc", "frpc", "-c", stage.write("frpc.toml", f"""\
serverAddr = "127.0.0.1"
serverPort = {control}
auth.token = "secret1"
[[proxies]]
name = "web"
type = "tcp"
localIP = "127.0.0.1"
localPort = {origin}
remotePort = {port}
"""))
        return Running(port, server, client)


class Rathole(Subject):
    key, title, programs = "rathole", "rathole", ("rathole",)

    def start(self, stage, origin):
        control, port = free_port(), free_port()
        near = stage.write("rathole-server.toml", f"""\
[server]
bind_addr = "127.0.0.1:{control}"
default_token = "secret1"
[server.services.web]
bind_addr = "127.0.0.1:{port}"
""")
        far = stage.write("rathole-client.toml", f"""\
[client]
remote_addr = "127.0.0.1:{control}"
default_token = "secret1"
[client.services.web]
local_addr = "127.0.0.1:{origin}"
""")
        server = stage.spawn("rathole1", "rathole", "--server", near)
        client = stage.spawn("rathole2", "rathole", "--client", far)
        return Running(port, server, client)


class Gt(Subject):
    key, title, programs = "gt", "GT", ("gt",)

    def start(self, stage, origin):
        port = free_port()
        near = stage.write("gt-server.yaml", f"""\
version: 1.0
options:
  addr: 127.0.0.1:{port}
users:
  id1:
    secret: secret1
""")
        far = stage.write("gt-client.yaml", f"""\
version: 1.0
services:
  - local: http://127.0.0.1:{origin}
options:
  id: id1
  secret: secret1
  remote: tcp://127.0.0.1:{port}
  remoteConnections: 3
""")
        server = stage.spawn("gt1", "gt", "server", "--config", near)
        client = stage.spawn("gt2", "gt", "client", "--config", far)
        return Running(port, server, client, "id1.example.com")


class Chisel(Subject):
    key, title, programs = "chisel", "chisel", ("chisel",)

    def start(self, stage, origin):
        control, port = free_port(), free_port()
        server = stage.spawn("chisel1", "chisel", "server", "--reverse",
                             "--host", "127.0.0.1", "--port", control)
        client = stage.spawn("chisel2", "chisel", "client",
                             f"127.0.0.1:{control}",
                             f"R:127.0.0.1:{port}:127.0.0.1:{origin}")
        return Running(port, server, client)


def all_subjects(visitors):
    """Every subject, in the order of the table."""
    return [Direct(), Haproxy(visitors), Ptp(), PtpPlain(), PtpTwo(),
            PtpPort(), PtpPortPlain(), NginxTls(), HaproxyTls(visitors),
            PtpTls(), PtpPortTls(), PtpSni(), Socat(), PtpUdp(),
            PtpUdpPlain(), Frp(), Rathole(), Gt(), Chisel()]
