"""The web servers behind every subject: nginx, and a sink for uploads."""

import http.client
import os
import ssl
import sys
import time

from .proc import BenchError, READY_SECONDS, free_port

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE_BYTES = 612  # nginx's own welcome page was that long
BULK_BYTES = 1_000_000_000
ANYONE = ssl._create_unverified_context()


def _write_bulk(path):
    """1 GB that does not compress and is not a hole."""
    block = os.urandom(1 << 20)
    left = BULK_BYTES
    with open(path, "wb") as f:
        while left:
            left -= f.write(block[:min(left, len(block))])


class Origin:
    """nginx on PORT (page and big file), sink on SINK_PORT."""

    def __init__(self, stage, visitors, bulk):
        root = os.path.join(stage.directory, "www")
        os.mkdir(root)
        os.chmod(root, 0o755)
        with open(os.path.join(root, "index.html"), "wb") as f:
            f.write(b"0123456789abcde\n" * 38 + b"end\n")
        if bulk:
            _write_bulk(os.path.join(root, "big"))
        self.port, self.sink_port = free_port(), free_port()
        self.nginx = self._start_nginx(stage, root, visitors)
        self.sink = stage.spawn("sink", sys.executable, "-B",
                                os.path.join(HERE, "sink.py"), self.sink_port,
                                PAGE_BYTES)
        for port in (self.port, self.sink_port):
            await_page(port, f"127.0.0.1:{port}", stage)

    def _start_nginx(self, stage, root, visitors):
        user = "user root;" if os.geteuid() == 0 else ""
        conf = stage.write("nginx.conf", f"""\
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile {visitors + 200};
pid {stage.directory}/nginx.pid;
error_log stderr;
events {{ worker_connections {visitors + 150}; }}
http {{
    access_log off;
    sendfile on;
    keepalive_timeout 600;
    keepalive_requests 1000000000;
    client_body_temp_path {stage.directory}/body;
    proxy_temp_path {stage.directory}/proxy;
    fastcgi_temp_path {stage.directory}/fastcgi;
    uwsgi_temp_path {stage.directory}/uwsgi;
    scgi_temp_path {stage.directory}/scgi;
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        root {root};
    }}
}}
""")
        return stage.spawn("nginx", "nginx", "-c", conf, "-e", "stderr")


def await_page(port, host, stage, tls=False, name="127.0.0.1"):
    """Wait until the page comes from PORT, whole."""
    deadline = time.monotonic() + READY_SECONDS
    seen = "nothing"
    while time.monotonic() < deadline:
        stage.check()
        conn = http.client.HTTPSConnection(
            name, port, timeout=5, context=ANYONE) if tls else \
            http.client.HTTPConnection(name, port, timeout=5)
        try:
            conn.request("GET", "/", headers={"Host": host})
            answer = conn.getresponse()
            body = answer.read()
            if answer.status == 200 and len(body) == PAGE_BYTES:
                return
            seen = f"status {answer.status}, {len(body)} bytes"
        except (OSError, http.client.HTTPException) as e:
            seen = str(e)
        finally:
            conn.close()
        time.sleep(0.02)
    raise BenchError(f"no page from port {port}: {seen}")
