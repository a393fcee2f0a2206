"""sink.py PORT PAGE_BYTES: reads request bodies and throws them away.

nginx would answer a POST to a static page before it has read the body, or
store it; so uploads get a server of their own. It answers a request without
a body with a page of PAGE_BYTES.
"""

import re
import socket
import sys
import threading


def serve(conn, page):
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    room = memoryview(bytearray(256 * 1024))
    held = b""
    while True:
        while b"\r\n\r\n" not in held:
            got = conn.recv(16384)
            if not got:
                return
            held += got
        head, held = held.split(b"\r\n\r\n", 1)
        length = re.search(rb"\ncontent-length: *(\d+)", head.lower())
        left = int(length[1]) - len(held) if length else 0
        while left > 0:
            got = conn.recv_into(room)
            if not got:
                return
            left -= got
        held = b"" if length else held
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                     % len(page) + page)


def run(conn, page):
    with conn:
        try:
            serve(conn, page)
        except OSError:
            pass  # the visitor went away


def main():
    port, page = int(sys.argv[1]), b"x" * int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=run, args=(conn, page), daemon=True).start()


main()
