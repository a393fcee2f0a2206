#!/usr/bin/python3
"""A real browser loads a page with all its parts, and talks WebSocket."""

import os
import shutil

from lib import tap, websocket
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, until
from lib.tls import Authority
from lib.origin import Origin, paths, reply

PAGE = """<!DOCTYPE html><html><head><title>start</title>
<link rel="stylesheet" href="/style.css"></head><body>
<script type="module">
// Not relative: the page's address may have a password in it.
const at = path => location.origin + path;
const parts = await Promise.all([...Array(40).keys()].map(
  n => fetch(at("/part/" + n)).then(r => r.text())));
const big = (await (await fetch(at("/big"))).arrayBuffer()).byteLength;
const sent = await (await fetch(at("/echo"), {method: "POST",
  body: new Uint8Array(300000)})).text();
const color = getComputedStyle(document.body).color;
const echo = await new Promise((done, fail) => {
  const ws = new WebSocket(location.origin.replace("http", "ws") + "/ws");
  ws.onopen = () => ws.send("through");
  ws.onmessage = e => { ws.close(); done(e.data); };
  ws.onerror = fail;
});
await fetch(at("/done"), {method: "POST",
  body: [parts.join(""), big, sent, color, echo].join("|")});
</script></body></html>
"""
BIG = 3_000_000
WANT = "|".join(["".join(f"({n})" for n in range(40)), str(BIG), "300000",
                 "rgb(1, 2, 3)", "through"])


def site(wire, request):
    if request.target.startswith("/part/"):
        return reply("(" + request.target.rpartition("/")[2] + ")")
    return reply("none", "404 Not Found")


TABLE = {
    "/": lambda wire, request: reply(
        PAGE, headers="Content-Type: text/html\r\n"),
    "/style.css": lambda wire, request: reply(
        "body { color: rgb(1, 2, 3); }",
        headers="Content-Type: text/css\r\n"),
    "/big": lambda wire, request: reply(bytes(BIG)),
    "/echo": lambda wire, request: reply(str(len(request.body))),
    "/done": lambda wire, request: reply("thanks"),
    "/ws": websocket.echo_server,
}


@tap.limit(900)
def run():
    with Lab() as lab:
        origin = lab.keep(Origin(paths(TABLE, site)))
        cert, key = Authority(lab).issue("id1.example.com")
        server = Ptpd(lab, "-o", "listen.tls=127.0.0.1:0", "-o",
                      f"tls.cert={cert}", "-o", f"tls.key={key}")
        Ptp(lab, server, origin.url,
            origin.url + ",name=gated,basic=ann:password1")
        browser = shutil.which("chromium")
        with tap.case("Chromium is installed"):
            tap.ok(browser, "chromium in PATH")

        def visit(host, scheme="http", port=None):
            """What the page there says that it got."""
            home = lab.path(f"home{lab.next()}")
            os.mkdir(home)
            origin.seen.clear()
            chromium = lab.start("chromium", [
                browser, "--headless=new", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--no-first-run",
                "--remote-debugging-port=0", "--no-proxy-server",
                f"--user-data-dir={home}",
                "--host-resolver-rules=MAP * 127.0.0.1",
                # The certificate of the test is nobody's.
                "--ignore-certificate-errors",
                f"{scheme}://{host}:{port or server.port}/",
            ], env=dict(os.environ, HOME=home))
            told = until("the page says what it got", lambda: [
                r.body.decode() for r in origin.seen
                if not isinstance(r, str) and r.target == "/done"], 250)
            chromium.stop()
            return told[0]

        with tap.case("the page, forty parts, a big one, a POST, a style "
                      "sheet and a WebSocket echo"):
            tap.is_(visit("id1.example.com"), WANT, "what the page got")
        with tap.case("all of it by https"):
            tap.is_(visit("id1.example.com", "https", server.port_of("tls")),
                    WANT, "what the page got")
        with tap.case("all of it behind a password, as the browser asks"):
            tap.is_(visit("ann:password1@gated.example.com"), WANT,
                    "what the page got")
        with tap.case("the test's own service had no trouble"):
            tap.is_(origin.errors, [], "errors")
