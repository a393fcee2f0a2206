"""An HTTP service that the daemons themselves call."""

import http.server
import socketserver
import threading

from .lab import free_port


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):
        """Without asking the resolver what 127.0.0.1 is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, *_):
        pass  # who called has gone


class Called:
    """Listens on .port; posted() is given each POST and its body.

    A subclass answers there. What waits for .gate goes on at the end.
    """

    def __init__(self, lab):
        self.gate = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                outer.posted(self, self.rfile.read(size))

            def do_GET(self):
                outer.got(self)

            def log_message(self, *_):
                pass

        self.port = free_port()
        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        lab.keep(self)

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()

    def posted(self, request, body):
        raise NotImplementedError

    def got(self, request):
        request.send_error(404)


def answer(request, status, body, **fields):
    """The whole answer; fields: more of its header."""
    request.send_response(status)
    for name, value in fields.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
