#!/usr/bin/python3
"""Every request is routed on its own, whoever else the connection carried."""

import random
import threading

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab
from lib.origin import Origin, echo, paths, reply
from lib.web import Haproxy, Nginx
from lib.wire import connect

REQUESTS, THREADS = 10_000, 16


def who(name):
    """A service that says its name and what it was asked."""
    def answer(_wire, request):
        return reply(f"{name} {request.target} {request.get('Host')} "
                     f"{len(request.body)} {request.body[:20].decode()}\n")

    return answer


def mixed(port, count, seed, wrong, done):
    """Sends count requests for both names over one connection."""
    rng = random.Random(seed)
    wire = connect(port)
    for number in range(count):
        name, key = rng.choice(("id1", "id2")), f"{seed}-{number}"
        kind = rng.randrange(4)
        try:
            if kind == 0:
                answer = wire.get(f"/who?n={key}", name + ".example.com")
                want = f"{name} {name}.example.com {key}\n"
            elif kind == 1:
                answer = wire.get(f"/who?n={key}", name, method="HEAD")
                tap.is_(answer.get("X-Who"), name, "HEAD")
                want = ""
            elif kind == 2:
                body = key * rng.randrange(1, 2000)
                wire.send(f"POST /{key} HTTP/1.1\r\nHost: p{name}\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n{body}")
                answer = wire.response()
                want = f"{name} /{key} p{name} {len(body)} {body[:20]}\n"
            else:
                wire.send(f"POST /{key} HTTP/1.1\r\nHost: p{name}\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n"
                          f"{len(key):x}\r\n{key}\r\n0\r\n\r\n")
                answer = wire.response()
                want = f"{name} /{key} p{name} {len(key)} {key}\n"
            if answer.status != 200 or answer.body.decode() != want:
                wrong.append((want, answer.start, answer.body[:200]))
        except Exception as error:
            wrong.append((key, repr(error)))
            wire.close()
            wire = connect(port)
        done.append(1)
        if len(wrong) > 10:
            break
    wire.close()


def load(port):
    """All requests over THREADS connections; returns what was wrong."""
    wrong, done = [], []
    threads = [threading.Thread(target=mixed, args=(
        port, REQUESTS // THREADS, n, wrong, done)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.is_(wrong[:5], [], "wrong answers")
    tap.is_(len(done), REQUESTS, "answers")


def relays(server):
    return {row["client"] if "client" in row else row["id"]: row["relay"]
            for row in server.show_json("tunnels")}


def one_connection(port, many):
    def text(host, target):
        return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"

    with tap.case("one connection, two clients in turn, one at a time"):
        with connect(port) as wire:
            for number in range(100):
                name = ("id1", "id2")[number % 2]
                answer = wire.get(f"/who?n={number}", name)
                tap.is_(answer.body.decode(), f"{name} {name} {number}\n",
                        f"request {number}")
    with tap.case("one connection, two clients, a hundred pipelined"):
        with connect(port) as wire:
            rng = random.Random(1)
            order = [rng.choice(("id1", "id2")) for _ in range(100)]
            wire.send("".join(text(h, f"/who?n={n}")
                              for n, h in enumerate(order)))
            for number, name in enumerate(order):
                tap.is_(wire.response().body.decode(),
                        f"{name} {name} {number}\n", f"request {number}")
    with tap.case("pipelined, byte by byte"):
        both = text("id1", "/who?n=1") + text("id2", "/who?n=2")
        with connect(port) as wire:
            wire.send_split(both, *range(1, len(both)))
            tap.is_(wire.response().body, b"id1 id1 1\n", "first")
            tap.is_(wire.response().body, b"id2 id2 2\n", "second")
    with tap.case("twelve services of two clients over one connection"):
        with connect(port) as wire:
            for number in range(60):
                host = f"m{number * 7 % 12}"
                tap.is_(wire.get("/x", host).body.decode(),
                        f"{many[host]} /x {host} 0 \n", host)
    with tap.case("an unknown name between: 404, and its connection goes on "
                  "or is closed, never mixed up"):
        with connect(port) as wire:
            wire.get("/who?n=1", "id1")
            tap.is_(wire.get("/who?n=2", "nobody.example.com").status, 404,
                    "unknown")
            if wire.sock.fileno() >= 0:
                try:
                    tap.is_(wire.get("/who?n=3", "id2").body,
                            b"id2 id2 3\n", "after it")
                except Exception as error:
                    tap.ok(not isinstance(error, tap.Failure), str(error))
    with tap.case("a request body does not count as a request for another"):
        inner = text("id2", "/evil")
        with connect(port) as wire:
            for _ in range(5):
                wire.send(f"POST /in HTTP/1.1\r\nHost: pid1\r\n"
                          f"Content-Length: {len(inner)}\r\n\r\n{inner}")
                tap.is_(wire.response().body.split()[0], b"id1", "body")
                tap.is_(wire.get("/who?n=1", "id2").body, b"id2 id2 1\n",
                        "next")
    with tap.case("a rerouted request has its forwarded headers, once, and "
                  "its own rewrite_host"):
        with connect(port) as wire:
            wire.get("/who", "id1")
            lines = wire.get("/", "head2", "X-Forwarded-For: 6.6.6.6\r\n"
                             ).body.decode().lower().split("\r\n")
            got = [line for line in lines if line.startswith("x-forwarded")]
            tap.is_(sorted(got), ["x-forwarded-for: 127.0.0.1",
                                  "x-forwarded-host: head2",
                                  "x-forwarded-proto: http"], "headers")
            tap.ok("host: inner.example" in lines, lines)
    with tap.case("an upgrade behind a request of another client"):
        with connect(port) as wire:
            wire.get("/who", "id1")
            wire.send("GET / HTTP/1.1\r\nHost: up2\r\nConnection: upgrade\r\n"
                      "Upgrade: raw\r\n\r\n")
            tap.is_(wire.response().status, 101, "status")
            wire.send("ping")
            tap.is_(wire.take(4), b"ping", "echo")


@tap.main
def run():
    from lib.origin import raw_echo

    with Lab() as lab:
        one, two = Nginx(lab, "id1"), Nginx(lab, "id2")
        posts = [lab.keep(Origin(paths({}, who(n)))) for n in ("id1", "id2")]
        heads = lab.keep(Origin(paths({}, echo)))
        upgrades = lab.keep(Origin(paths({}, raw_echo)))
        server = Ptpd(lab, "-o", "workers=2", "-u", "id2:secret2")
        many = {f"m{n}": f"id{n % 2 + 1}" for n in range(12)}

        def names(owner):
            return "".join(f",name={n}" for n, o in many.items() if o == owner)

        Ptp(lab, server, one.url, f"{posts[0].url},name=pid1" + names("id1"))
        Ptp(lab, server, two.url, f"{posts[1].url},name=pid2" + names("id2"),
            f"{heads.url},name=head2,rewrite_host=inner.example",
            f"{upgrades.url},name=up2", user="id2:secret2")
        with tap.case("the two clients sit on different relays"):
            pids = relays(server)
            tap.is_(sorted(pids), ["id1", "id2"], "clients")
            tap.ok(pids["id1"] != pids["id2"], f"relays {pids}")
            tap.is_(sorted(pids.values()), sorted(server.pids("relay")),
                    "the relays")
        one_connection(server.port, many)
        with tap.case(f"{REQUESTS} mixed requests over {THREADS} connections"):
            load(server.port)
        with tap.case(f"haproxy, http-reuse always, in front: {REQUESTS} "
                      "mixed requests, none answered by the wrong client"):
            proxy = Haproxy(lab, f"127.0.0.1:{server.port}",
                            backend="http-reuse always")
            load(proxy.port)
        with tap.case("no relay has died of it"):
            tap.is_(relays(server), pids, "relays")
        with tap.case("the test's own services had no trouble"):
            errors = [o.errors for o in posts + [heads, upgrades]]
            tap.is_(errors, [[]] * 4, "errors")
