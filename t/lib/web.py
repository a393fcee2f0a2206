"""nginx and haproxy in a lab."""

import os
import socket

from .lab import free_port, port_answers, until

NGINX = """
daemon off; {user} worker_processes 1; pid {dir}/nginx.pid;
error_log {dir}/error.log; worker_rlimit_nofile 16384;
events {{ worker_connections 12000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_requests 1000000; keepalive_timeout 300s;
  client_max_body_size 0;
  client_header_timeout 300s; client_body_timeout 300s; send_timeout 300s;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  types {{ text/html html; }} default_type application/octet-stream;
  server {{
    listen {listen};
    {tls}
    root {root};
    {locations}
  }}
}}
"""

WHO = """
    location = /who {
      add_header X-Who %s; return 200 "%s $http_host $arg_n\\n";
    }
"""

HAPROXY = """
global
  maxconn 4000
  nbthread 1
defaults
  mode {mode}
  timeout connect 60s
  timeout client 300s
  timeout server 300s
  {defaults}
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  {backend}
  server s {server}
"""


class Nginx:
    """A web server: files of .root, and /who, which says who answered.

    tls is a pair of paths: certificate and key.
    """

    def __init__(self, lab, who="nginx", locations="", unix=False, tls=None):
        base = lab.path(f"nginx{lab.next()}")
        self.root = os.path.join(base, "html")
        os.makedirs(self.root)
        for name in (base, self.root):
            os.chmod(name, 0o755)
        if unix:
            self.port = None
            path = os.path.join(base, "nginx.sock")
            listen, self.url = "unix:" + path, "unix:" + path
        else:
            self.port = free_port()
            listen = f"127.0.0.1:{self.port}"
            self.url = ("https://" if tls else "http://") + listen
        config = NGINX.format(
            dir=base, root=self.root, listen=listen + (" ssl" if tls else ""),
            tls="ssl_certificate %s; ssl_certificate_key %s;" % tls
            if tls else "",
            user="user nobody nogroup;" if os.getuid() == 0 else "",
            locations=WHO % (who, who) + locations,
        )
        self.file("index.html", page())
        path = lab.write(f"nginx{lab.next()}.conf", config)
        self.process = lab.start(
            "nginx", ["nginx", "-e", os.path.join(base, "error.log"),
                      "-p", base, "-c", path],
        )
        until("nginx answers", self._up)

    def _up(self):
        if self.port is not None:
            return port_answers(self.port)
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.url[len("unix:"):])
            return True
        except OSError:
            return False

    def file(self, name, data):
        """Puts a file into the root; returns its path."""
        path = os.path.join(self.root, name)
        with open(path, "wb") as f:
            f.write(data.encode() if isinstance(data, str) else data)
        os.chmod(path, 0o644)
        return path


def self_signed(lab, name="localhost", san=None):
    """A certificate for that name, and what subjectAltName is to say: paths
    of it and of its key."""
    cert, key = lab.path(f"{name}.crt"), lab.path(f"{name}.key")
    done = lab.run([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
        key, "-out", cert, "-subj", f"/CN={name}", "-days", "2",
        *(("-addext", f"subjectAltName={san}") if san else ())])
    if done.returncode != 0:
        raise OSError(done.stderr)
    return cert, key


def page(size=612):
    """A page of that many bytes, as nginx's own first page has."""
    head, foot = "<!DOCTYPE html><title>ptp</title><p>", "</p>\n"
    return head + "x" * (size - len(head) - len(foot)) + foot


class Haproxy:
    """haproxy in front of one server address."""

    def __init__(self, lab, server, mode="http", defaults="", backend=""):
        self.port = free_port()
        config = HAPROXY.format(
            port=self.port, server=server, mode=mode, defaults=defaults,
            backend=backend,
        )
        path = lab.write(f"haproxy{lab.next()}.cfg", config)
        self.process = lab.start("haproxy", ["haproxy", "-db", "-f", path])
        until("haproxy answers", lambda: port_answers(self.port))
