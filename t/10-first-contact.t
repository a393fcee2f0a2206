#!/usr/bin/python3
"""First contact as printed in the manual, and everybody told when it fails.

The first part runs in a network and mount namespace of its own, so that the
three lines can be typed as they are printed: ports, paths and example.com.
"""

import os
import signal
import sys

from lib import namespace, proc, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab, always, port_answers, until
from lib.web import NGINX, Nginx, page
from lib.wire import eventually, get

# printf %s word | argon2 saltsalt -id -e
HASH = ("$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHQ$"
        "ih5/tDYsPt9be5ga0bZuPYOnkymOv3VmgsdHVmZZzC8")


def as_printed():
    with Lab() as lab:
        with namespace.entered(lab, "127.0.0.1 localhost example.com\n"):
            typed(lab)


def typed(lab):
    root = lab.path("html")
    os.mkdir(root)
    lab.write("html/index.html", page())
    conf = lab.write("nginx.conf", NGINX.format(
        dir=lab.dir, root=root, listen="127.0.0.1:80", tls="",
        user="user nobody nogroup;", locations=""))
    os.chmod(root, 0o755)
    lab.start("nginx", ["nginx", "-e", lab.path("error.log"), "-c", conf])
    until("nginx", lambda: port_answers(80))
    env = dict(os.environ, PATH=lab.build + ":" + os.environ["PATH"])

    def type_in(line, wait=True):
        argv = line.replace("'", "").split()
        return lab.start(argv[0], argv, env=env)

    with tap.case("ptpd -d -o listen.http=8080 -u id1:secret1"):
        server = type_in("ptpd -d -o listen.http=8080 -u id1:secret1")
        server.wait_line(r"ready.*8080")
    with tap.case("ptp -d -s tcp://id1:secret1@example.com:8080 "
                  "http://127.0.0.1:80"):
        client = type_in("ptp -d -s tcp://id1:secret1@example.com:8080 "
                         "http://127.0.0.1:80")
        client.wait_line("reachable", "stdout")
        tap.is_(client.out(), "http://127.0.0.1:80 is reachable at "
                "http://id1.example.com:8080\n", "its one line")
    with tap.case("curl -H 'Host: id1.example.com' http://example.com:8080/"):
        done = lab.run(["curl", "-sS", "-H", "Host: id1.example.com",
                        "http://example.com:8080/"], env=env)
        tap.is_((done.returncode, done.stdout), (0, page()), done.stderr)
    with tap.case("the files and sockets lie where the manual says"):
        for path in ("/var/db/ptpd/host_key", "/var/db/ptp/known_servers",
                     "/run/ptpd.sock", "/run/ptp.sock"):
            tap.is_(os.stat(path).st_mode & 0o077, 0, path)
        with open("/var/db/ptp/known_servers", encoding="ascii") as f:
            tap.like(f.read(), r"\Aexample\.com:8080 [A-Za-z0-9_-]{43}\n\Z",
                     "known_servers")
    with tap.case("ptpctl finds both by itself"):
        for argv in (["ptpctl", "status"],
                     ["ptpctl", "-s", "/run/ptp.sock", "status"]):
            done = lab.run(argv, env=env)
            tap.is_(done.returncode, 0, done.stderr)
    with tap.case("both end with 0 when told to"):
        for process in (client, server):
            process.popen.terminate()
            tap.is_(process.wait_exit(), 0, process.name)


def refused(lab):
    server = Ptpd(lab, "-u", "id2:secret2")
    site = Nginx(lab, "one")

    with tap.case("a wrong secret: both sides say so, exit 3"):
        client = Ptp(lab, server, site.url, user="id1:wrong", wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
        tap.like(client.log(), "wrong secret, or not your server", "client")
        server.wait_line(r"id1.*secret|secret.*id1|id1.*(refused|fail)")
    with tap.case("an unknown id: both sides say so, exit 3"):
        client = Ptp(lab, server, site.url, user="nobody:x", wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
        tap.like(client.log(), r"unknown id|nobody", "client's log")
        server.wait_line(r"nobody")
    with tap.case("no secret stands in any log"):
        for process in lab.processes:
            tap.unlike(process.log() + process.out(), r"secret[12]|wrong:",
                       process.name)
    with tap.case("after refusals the right one gets in (3 tries are free)"):
        client = Ptp(lab, server, site.url)
        tap.is_(get(server.port).body, page().encode(), "page")
        tap.is_(client.out(), f"{site.url} is reachable at "
                f"http://127.0.0.1:{server.port} (Host: id1)\n", "its line")
    with tap.case("the refused and the lost are not in known_servers"):
        tap.is_(sum(os.path.exists(p.known) for p in lab.processes
                    if isinstance(p, Ptp)), 1, "files written")

    with tap.case("an unknown name: 404, in the server's log too"):
        mark = server.mark()
        answer = get(server.port, host="nobody.example.com")
        tap.is_(answer.status, 404, "status")
        tap.unlike(answer.body.decode(), r"id1|id2", "no other's name")
        server.wait_line(r"nobody\.example\.com", since=mark)
    with tap.case("the page is JSON or HTML by Accept"):
        answer = get(server.port, host="nobody",
                     headers="Accept: application/json\r\n")
        tap.like(answer.get("Content-Type"), "application/json", "type")
        tap.is_(answer.body[:1], b"{", "body")
        answer = get(server.port, host="nobody",
                     headers="Accept: text/html\r\n")
        tap.like(answer.get("Content-Type"), "text/html", "type")
    with tap.case("an id that is configured but away: 503 after park"):
        answer = get(server.port, host="id2.example.com")
        tap.is_(answer.status, 503, "status")

    with tap.case("a dead local service: 502, and the client's log says so"):
        mark = client.mark()
        site.process.stop()
        answer = get(server.port, host="id1.example.com")
        tap.is_(answer.status, 502, "status")
        tap.like(answer.body.decode(), "refused", "the page tells")
        client.wait_line("refused", since=mark)
        server.wait_line(r"id1.*refused|refused.*id1|502.*id1|id1.*502")

    with tap.case("the client goes: 503, the server's log says so"):
        mark = server.mark()
        client.stop()
        server.wait_line("id1", since=mark)
        tap.is_(eventually(server.port, 503).status, 503, "status")
    return client


def keys(lab):
    site = Nginx(lab, "two")
    server = Ptpd(lab)
    key = server.key()
    with tap.case("show key prints 43 characters, known_servers has them"):
        tap.like(key, r"\A[A-Za-z0-9_-]{43}\Z", "key")
        client = Ptp(lab, server, site.url)
        with open(client.known, encoding="ascii") as f:
            tap.is_(f.read(), f"127.0.0.1:{server.port} {key}\n", "file")
        client.stop()
    with tap.case("invite prints an address with the key, which works"):
        line = server.ctl("invite", "id1").stdout.strip()
        tap.ok(line.endswith("#" + key), line)
        address = f"tcp://id1:secret1@127.0.0.1:{server.port}#{key}"
        client = Ptp(lab, server, site.url, address=address)
        client.stop()
    with tap.case("another pinned key is refused, exit 3, both are named"):
        other = "B" * 42 + "A"
        client = Ptp(lab, server, site.url, wait=False,
                     address=f"tcp://id1:secret1@127.0.0.1:{server.port}"
                     f"#{other}")
        tap.is_(client.wait_exit(), 3, client.log())
        tap.ok(key in client.log() and other in client.log(), client.log())
    with tap.case("a changed key is refused with both, exit 3, file kept"):
        client = Ptp(lab, server, site.url)
        known = client.known
        client.stop()
        server.stop()
        again = Ptpd(lab, port=server.port)
        tap.ok(again.key() != key, "a new key")
        client = Ptp(lab, again, site.url, known=known, wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
        tap.ok(key in client.log() and again.key() in client.log(),
               client.log())
        with open(known, encoding="ascii") as f:
            tap.ok(key in f.read(), "the old key stays")
    with tap.case("it said nothing of itself to the stranger"):
        tap.unlike(again.log(), "id1", "server's log")
    with tap.case("a known_servers file of garbage is refused by name"):
        path = lab.write("garbage", "what is this\n\0\xff\n")
        client = Ptp(lab, again, site.url, known=path, wait=False)
        tap.ok(client.wait_exit() in (1, 2, 3), client.log())
        tap.like(client.log(), "garbage", "the file is named")


def login_by_key(lab):
    site = Nginx(lab, "three")
    path = lab.path("identity")
    public = lab.run([lab.program("ptp"), "keygen", "-o", path]).stdout.strip()
    conf = lab.write("users.conf", 'users = ( { id = "kate"; key = "%s"; }, '
                     '{ id = "sam"; secret = "s"; } );\n' % public)
    server = Ptpd(lab, "-f", conf, users=())
    with tap.case("login by key"):
        client = Ptp(lab, server, site.url, options=["-o", f"key={path}"],
                     address=f"tcp://kate@127.0.0.1:{server.port}")
        tap.is_(get(server.port, host="kate").status, 200, "status")
    with tap.case("the key's file goes: a reload says so, nothing has changed"):
        os.rename(path, path + ".away")
        done = client.ctl("reload")
        tap.is_(done.returncode, 1, done.stdout)
        tap.like(done.stderr, f"key: {path}: No such file", "why")
        tap.is_(get(server.port, host="kate").status, 200, "status")
    with tap.case("who needs it then waits for it"):
        proof = next(pid for pid in proc.children(client.popen.pid)
                     if b"proof" in proc.command_line(pid))
        os.kill(proof, signal.SIGKILL)
        client.wait_line("there is no identity for it")
        os.rename(path + ".away", path)
        server.ctl("kick", "kate")
        until("it logs in again", lambda: get(
            server.port, host="kate").status == 200)
        client.stop()
    with tap.case("a key that is not there, or not closed: exit 1, said so"):
        for wrong in ("/no/such", lab.write("open", "A" * 43, 0o644)):
            client = Ptp(lab, server, site.url, options=["-o", f"key={wrong}"],
                         address=f"tcp://kate@127.0.0.1:{server.port}",
                         wait=False)
            tap.is_(client.wait_exit(), 1, client.log())
            tap.like(client.log(), f"key: {wrong}: ", "said")
    with tap.case("another key is refused, exit 3"):
        other = lab.path("other")
        lab.run([lab.program("ptp"), "keygen", "-o", other])
        client = Ptp(lab, server, site.url, options=["-o", f"key={other}"],
                     address=f"tcp://kate@127.0.0.1:{server.port}", wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
        server.wait_line("kate")
    with tap.case("an id has one method: a secret for a key's id is refused"):
        client = Ptp(lab, server, site.url, user="kate:s", wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
    with tap.case("lockout: after 3 failures even the right one is refused"):
        server = Ptpd(lab, "-f", conf, users=())
        for _ in range(4):
            client = Ptp(lab, server, site.url, user="sam:x", wait=False)
            tap.is_(client.wait_exit(), 3, client.log())
        client = Ptp(lab, server, site.url, user="sam:s", wait=False)
        client.wait_line("lock|too many")
        server.wait_line("lock")
        always("locked out", lambda: "is reachable" not in client.out(), 2)


def plain(lab):
    site = Nginx(lab, "four")
    with tap.case("login against an argon2 hash"):
        conf = lab.write("hash.conf", 'users = ( { id = "hash"; secret_hash = '
                         '"%s"; } );\n' % HASH)
        server = Ptpd(lab, "-f", conf, users=())
        client = Ptp(lab, server, site.url, user="hash:word")
        tap.is_(get(server.port, host="hash").status, 200, "status")
        client.stop()
        client = Ptp(lab, server, site.url, user="hash:world", wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
    with tap.case("a service that is down at login is up when it comes"):
        server = Ptpd(lab)
        client = Ptp(lab, server, f"http://127.0.0.1:{site.port}")
        tap.is_(get(server.port).status, 200, "status")
    with tap.case("the client may come before the server"):
        server.stop()
        late = Ptp(lab, server, site.url, wait=False)
        late.wait_line("refused|retry|again|reconnect")
        server = Ptpd(lab, port=server.port)
        late.wait_up()


def run():
    namespace.alone(__file__, "child", "as printed: ")
    with Lab() as lab:
        refused(lab)
        keys(lab)
        login_by_key(lab)
        plain(lab)


tap.main(as_printed if sys.argv[1:] == ["child"] else run)
