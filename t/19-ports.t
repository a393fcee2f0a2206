#!/usr/bin/python3
"""Public TCP ports: any protocol, byte for byte, and who may have which.

It runs in a network of its own, so that ports can be asked for by number.
"""

import os
import re
import socket

from lib import namespace, tap
from lib.daemons import Ptp, Ptpd
from lib.lab import port_answers, until
from lib.origin import Origin, paths, reply
from lib.raw import Held, both_ways, greeter
from lib.wire import connect, get

MIB = 1 << 20
ANY = ("-o", 'limits.tcp=({range="1-65535";number=0;})')
SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {host}
AuthorizedKeysFile {user}.pub
PermitRootLogin yes
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
"""


def ssh(lab):
    os.makedirs("/run/sshd", exist_ok=True)
    keys = [lab.path("host"), lab.path("user")]
    for key in keys:
        lab.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    conf = lab.write("sshd.conf", SSHD.format(
        port=2022, host=keys[0], user=keys[1]))
    sshd = lab.start("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", conf])
    until("sshd", lambda: port_answers(2022))
    server = Ptpd(lab, *ANY)
    options = ["-F", "none", "-i", keys[1], "-o", "BatchMode=yes",
               "-o", "StrictHostKeyChecking=accept-new", "-o",
               f"UserKnownHostsFile={lab.path('hosts.known')}"]
    with tap.case("ssh by a privileged port, as printed"):
        client = Ptp(lab, server, "tcp://127.0.0.1:2022,port=22")
        tap.is_(client.out(), "tcp://127.0.0.1:2022 is reachable at "
                "tcp://127.0.0.1:22\n", "line")
        done = lab.run(["ssh", *options, "-p", "22", "root@127.0.0.1",
                        "cat; echo to stderr >&2; exit 7"],
                       stdin=open(conf, "rb"))
        with open(conf, encoding="ascii") as text:
            tap.is_((done.returncode, done.stdout), (7, text.read()), "ssh")
        tap.like(done.stderr, "to stderr", "stderr")
    with tap.case("sftp: 24 MiB there and back"):
        data = os.urandom(24 * MIB)
        path = lab.write("up", data)
        batch = lab.write("batch", f"put {path} {lab.path('there')}\n"
                          f"get {lab.path('there')} {lab.path('back')}\n")
        done = lab.run(["sftp", *options, "-P", "22", "-b", batch,
                        "root@127.0.0.1"])
        tap.is_(done.returncode, 0, done.stderr)
        with open(lab.path("back"), "rb") as back:
            tap.ok(back.read() == data, "the same bytes")
    with tap.case("show: the port is a listener, a route, and its client's"):
        rows = [r for r in server.show_json("listeners")
                if r["listener"] == "tcp"]
        tap.is_([(r["address"], r["port"]) for r in rows], [("*:22", 22)],
                "listeners")
        rows = [r for r in server.show_json("routes") if r["kind"] == "tcp"]
        tap.is_([(r["name"], r["client"], r["state"]) for r in rows],
                [(":22", "id1", "here")], "routes")
        tap.is_([r["ports"] for r in server.show_json("clients")], [1],
                "ports of the client")
    with tap.case("it ends: its port is closed at once"):
        client.leave()
        tap.ok(not port_answers(22), "closed")
    sshd.stop()


def bytes_pass(lab):
    server = Ptpd(lab, *ANY, "-o", "domain=example.com")
    held = Held(lab)
    first = greeter(lab, "220 who speaks first\r\n")
    path = lab.path("service.sock")
    unix = greeter(lab, "unix\n", path)
    Ptp(lab, server, f"{held.url},port=6000", f"{first.url},port=6001",
        f"{unix.url},port=6002")
    with tap.case("the domain is in what is printed"):
        client = Ptp(lab, server, f"{first.url},port=6009", wait=False)
        client.wait_line("reachable at tcp://example.com:6009", "stdout")
        client.stop()
    for host in ("127.0.0.1", "::1"):
        with tap.case(f"a service that speaks first, by {host}"):
            with connect(6001, host=host) as user:
                tap.is_(user.take(22), b"220 who speaks first\r\n", "greeting")
                user.send("\x00\xffGET / HTTP/1.1\n\n")
                tap.is_(user.take(18), b"\x00\xffGET / HTTP/1.1\n\n", "echo")
                user.shut()
                tap.is_(user.ending(), "end", "ending")
    with tap.case("unix: with a port is raw as well"):
        with connect(6002) as user:
            tap.is_(user.take(5), b"unix\n", "greeting")
    with tap.case("32 MiB each way at once arrive whole"):
        user, service = held.pair(connect(6000, timeout=60))
        service.sock.settimeout(60)
        sums = both_ways(user, service, 32 * MIB)
        tap.is_(sums[2:], sums[:2], "sha256")
        user.shut()
        tap.is_(service.rest(), b"", "the end")
        service.shut()
        tap.is_(user.ending(), "end", "ending")
    with tap.case("nc -N: half-close, answered after the end"):
        ask = lab.write("ask", b"question")
        nc = lab.start("nc", ["nc", "-N", "127.0.0.1", "6000"],
                       stdin=open(ask, "rb"))
        _, service = held.pair(None)
        tap.is_(service.rest(), b"question", "what came")
        service.send("after your end")
        service.shut()
        tap.is_((nc.wait_exit(), nc.out()), (0, "after your end"), "nc")
    with tap.case("the service's half-close; then the user talks"):
        user, service = held.pair(connect(6000))
        # Those before it may still be ending.
        until("show streams", lambda: [
            r["client"] for r in server.show_json("streams")
            if r["name"] == "127.0.0.1:6000"] == ["id1"])
        service.shut()
        tap.is_(user.rest(), b"", "the end")
        data = os.urandom(MIB)
        user.send(data)
        user.shut()
        tap.ok(service.rest() == data, "the rest")
    with tap.case("RST of the user is a reset at the service"):
        user, service = held.pair(connect(6000))
        user.send("x")
        tap.is_(service.take(1), b"x", "byte")
        user.reset()
        tap.is_(service.ending(), "reset", "ending")
    with tap.case("RST of the service is a reset at the user"):
        user, service = held.pair(connect(6000))
        service.reset()
        tap.is_(user.ending(), "reset", "ending")
    with tap.case("HTTP is nothing special: no page, no field added"):
        user, service = held.pair(connect(6000))
        user.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        user.shut()
        tap.is_(service.rest(),
                b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "request")
        service.close()


def refused_here_and_there(lab):
    server = Ptpd(lab, *ANY)
    client = Ptp(lab, server, "tcp://127.0.0.1:1,port=6100")
    with tap.case("a service that is not there: RST, and a line at both ends"):
        try:
            with connect(6100) as user:
                ending = user.ending()
                tap.is_(user.buffer, b"", "no byte")
        except ConnectionResetError: # before connect() has returned
            ending = "reset"
        tap.is_(ending, "reset", "ending")
        server.wait_line(r"127\.0\.0\.1:\d+: reset at 127\.0\.0\.1:6100: the "
                         "local service refused")
        client.wait_line("tcp://127.0.0.1:1: Connection refused")
    with tap.case("a range goes onto as many local ports"):
        services = [greeter(lab, f"service {i}") for i in range(3)]
        start = next(p for p in range(20000, 30000) if not any(
            port_answers(p + i) for i in range(3)))
        for i, service in enumerate(services):
            lab.start("socat", [
                "socat", f"TCP-LISTEN:{start + i},fork,reuseaddr,bind=127.0.0.1",
                f"TCP:127.0.0.1:{service.port}"])
        for i in range(3):
            until("socat", lambda: port_answers(start + i))
        ranged = Ptp(lab, server, f"tcp://127.0.0.1:{start},port=6200-6202")
        tap.is_(ranged.out(), f"tcp://127.0.0.1:{start} is reachable at "
                "tcp://127.0.0.1:6200-6202\n", "line")
        for i in range(3):
            with connect(6200 + i) as user:
                tap.is_(user.take(9), f"service {i}".encode(), f"port {i}")
        ranged.stop()
    with tap.case("no port for http://, and the program says so"):
        done = lab.run([lab.program("ptp"), "-n", "-s",
                        "tcp://id1:secret1@127.0.0.1",
                        "http://127.0.0.1:80,port=2222"])
        tap.is_(done.returncode, 1, "exit")
        tap.like(done.stderr, r"services\[0\].port: expected a local of tcp://",
                 "fault")
    with tap.case("two services cannot ask for one port"):
        done = lab.run([lab.program("ptp"), "-n", "-s",
                        "tcp://id1:secret1@127.0.0.1",
                        "tcp://127.0.0.1:80,port=2222",
                        "tcp://127.0.0.1:81,port=2220-2230"])
        tap.is_(done.returncode, 1, "exit")
        tap.like(done.stderr, r"services\[1\].port: expected each port once",
                 "fault")


def rules(lab):
    service = greeter(lab, "hi")
    conf = lab.write("ptpd.conf", """\
limits = { tcp = ( { range = "7000-7003"; number = 2; },
                   { range = "7100"; } ); };
users = ( { id = "id1"; secret = "secret1"; },
          { id = "id2"; secret = "secret2"; tcp = { range = "7200-7201"; }; },
          { id = "id3"; secret = "secret3"; tcp = (); } );
""")
    server = Ptpd(lab, "-f", conf, users=())

    def refused(user, ports, why, rule):
        mark = server.mark()
        services = [f"{service.url},port={p}" for p in ports]
        client = Ptp(lab, server, *services, user=user, wait=False)
        tap.is_(client.wait_exit(), 3, client.log())
        tap.like(client.log(),
                 f"tcp port {ports[-1]} is refused: {why} at the server",
                 "client")
        server.wait_line(f"client {user[:3]} is refused tcp port {ports[-1]}: "
                         f"{why} at the server \\({re.escape(rule)}\\)",
                         since=mark)

    def granted(user, *services):
        client = Ptp(lab, server, *[f"{service.url},{s}" for s in services],
                     user=user)
        return client, [int(p) for p in re.findall(
            r"reachable at tcp://127\.0\.0\.1:(\d+)", client.out())]

    with tap.case("against the rules: exit 3, port, rule and side are named"):
        rule, number = ("this user may not open that port",
                        "more ports than this user may open")
        common = "limits.tcp: 7000-7003 number 2, 7100 number 1"
        refused("id1:secret1", [7004], rule, common)
        refused("id2:secret2", [7000], rule, "its own tcp: 7200-7201 number 1")
        refused("id3:secret3", [7000], rule, "its own tcp: none")
        refused("id1:secret1", ["7002-7004"], rule, common)
        refused("id1:secret1", ["7000-7002"], number, common)
    with tap.case("a range is had as a whole or not at all"):
        tap.ok(not any(port_answers(p) for p in range(7000, 7005)), "closed")
    with tap.case("more than the number: the rest is granted"):
        client = Ptp(lab, server, *[f"{service.url},port={p}" for p in
                                    (7000, 7001, 7002)], wait=False)
        client.wait_line("tcp port 7002 is refused: more ports than")
        client.services = 2
        client.wait_up()
        tap.is_([port_answers(p) for p in (7000, 7001, 7002)],
                [True, True, False], "open")
        client.leave()
    with tap.case("random without a port: any, the lowest"):
        client, ports = granted("id2:secret2", "random=true")
        tap.is_(ports, [7200], "port")
        client.leave()
    with tap.case("random: the wanted one if it is to be had, else any"):
        client, ports = granted("id1:secret1", "port=7002,random=true")
        tap.is_(ports, [7002], "the wanted one")
        other, ports = granted("id2:secret2", "port=7002,random=true")
        tap.is_(ports, [7200], "it is against its rules")
        client.leave()
        other.leave()
        with socket.create_server(("127.0.0.1", 7002)):
            client, ports = granted("id1:secret1", "port=7002,random=true")
            tap.is_(ports, [7000], "another program has it")
            client.leave()
    with tap.case("a port that is taken is asked for again"):
        with socket.create_server(("127.0.0.1", 7100)):
            client = Ptp(lab, server, f"{service.url},port=7100", wait=False)
            client.wait_line("7100: the port is in use at the server; it will "
                             "be asked for again")
            tap.ok(client.running(), "it stays")
        client.wait_up()
        with connect(7100) as user:
            tap.is_(user.take(2), b"hi", "greeting")
        client.leave()
    with tap.case("two clients want one port: the second has it afterwards"):
        conf = lab.write("two.conf", """\
limits = { tcp = { range = "7300"; }; };
users = ( { id = "id1"; secret = "secret1"; },
          { id = "id2"; secret = "secret2"; } );
""")
        server = Ptpd(lab, "-f", conf, users=())
        first, _ = granted("id1:secret1", "port=7300")
        second = Ptp(lab, server, f"{service.url},port=7300",
                     user="id2:secret2", wait=False)
        second.wait_line("7300: the port is in use")
        first.stop()
        second.wait_up()
        second.leave()
    with tap.case("a list holds as a whole: no port while a name is another's"):
        other = Ptp(lab, server, f"{service.url},name=shared",
                    user="id2:secret2")
        client = Ptp(lab, server, f"{service.url},name=shared",
                     f"{service.url},port=7300", wait=False)
        client.wait_line("7300.*another name or port was refused")
        tap.ok(not port_answers(7300), "closed")
        other.stop()
        client.wait_up()
        tap.ok(port_answers(7300), "open")
        client.stop()
    with tap.case("no rules, no ports"):
        server = Ptpd(lab)
        refused("id1:secret1", [7000], "this user may not open that port",
                "limits.tcp: none")


def as_gt(lab):
    """GT's TestTCP and TestTCPNumberAndTCPRange."""
    service = greeter(lab, "hi")
    with tap.case("TestTCP: a random port of 1024-65535, which the log names"):
        server = Ptpd(lab, "-o",
                      'limits.tcp=({range="1024-65535";number=1;})')
        client = Ptp(lab, server, service.url)
        port = int(server.wait_line(r"serves tcp port (\d+)").group(1))
        tap.ok(1024 <= port <= 65535, f"port {port}")
        with connect(port) as user:
            tap.is_(user.take(2), b"hi", "greeting")
        client.stop()
    conf = lab.write("gt.conf", """\
limits = { tcp = ( { range = "8000-8001"; number = 1; },
                   { range = "8010-8019"; number = 2; } ); };
users = ( { id = "id1"; secret = "secret1"; },
          { id = "id2"; secret = "secret2"; },
          { id = "id3"; secret = "secret3"; },
          { id = "id4"; secret = "secret4"; },
          { id = "id5"; secret = "secret5";
            tcp = { range = "8100-8101"; number = 2; }; },
          { id = "id6"; secret = "secret6";
            tcp = { range = "8200"; number = 1; }; } );
""")
    server = Ptpd(lab, "-f", conf, users=())

    def ask(number, *ports):
        """What client `number` gets of these, and how it ends."""
        client = Ptp(lab, server, *[f"{service.url},port={p}" for p in ports],
                     user=f"id{number}:secret{number}", wait=False)

        def answered():
            return len(re.findall("is refused", client.log())) + len(
                re.findall("reachable at", client.out())) >= len(ports)

        until("answers", lambda: answered() or not client.running())
        got = sorted({int(p) for p in re.findall(
            r"reachable at tcp://127\.0\.0\.1:(\d+)", client.out())})
        return client, got

    with tap.case("TestTCPNumberAndTCPRange: six clients"):
        _, got = ask(1, 8000, 8010, 8011)
        tap.is_(got, [8000, 8010, 8011], "1: in range")
        _, got = ask(2, 8001, 8012, 8013, 8014)
        tap.is_(got, [8001, 8012, 8013], "2: over the number")
        client, got = ask(3, 8500)
        tap.is_((got, client.wait_exit()), ([], 3), "3: out of range")
        client, got = ask(4, 8100)
        tap.is_((got, client.wait_exit()), ([], 3), "4: another's range")
        _, got = ask(5, 8100, 8101)
        tap.is_(got, [8100, 8101], "5: a range of its own")
        client, got = ask(6, 8000)
        tap.is_((got, client.wait_exit()), ([], 3), "6: its own alone")
        _, got = ask(6, 8200)
        tap.is_(got, [8200], "6: its own")
        for port in (8000, 8001, 8010, 8011, 8012, 8013, 8100, 8101, 8200):
            with connect(port) as user:
                tap.is_(user.take(2), b"hi", f"port {port}")


def services_as_gt(lab):
    """GT's TestServices: 2 clients, 4 names and 4 ports each, two ways."""
    conf = lab.write("services.conf", """\
limits = { hosts = { with_id = true; };
           tcp = { range = "8300-8399"; number = 4; }; };
users = ( { id = "id1"; secret = "secret1"; },
          { id = "id2"; secret = "secret2"; } );
""")
    server = Ptpd(lab, "-f", conf, users=())
    webs = [lab.keep(Origin(paths({}, lambda w, r, i=i: reply(f"web {i}"))))
            for i in range(8)]
    raws = [greeter(lab, f"raw {i}") for i in range(8)]

    def names(number):
        return [f"id{number}", *(f"id{number}-{n}" for n in "abc")]

    with tap.case("TestServices: two clients, eight services each, all are "
                  "reached"):
        line = [webs[0].url, *(f"{webs[i].url},name={n}"
                               for i, n in enumerate("abc", 1))]
        line += [f"{raws[i].url},port={8300 + i}" for i in range(3)]
        first = Ptp(lab, server, *line, raws[3].url)
        rows = [f'{{ local = "{webs[4].url}"; }}']
        rows += [f'{{ local = "{webs[4 + i].url}"; name = "{n}"; }}'
                 for i, n in enumerate("abc", 1)]
        rows += [f'{{ local = "{raws[4 + i].url}"; port = {8310 + i}; }}'
                 for i in range(3)]
        rows += [f'{{ local = "{raws[7].url}"; random = true; }}']
        text = "services = ( " + ",\n".join(rows) + " );\n"
        second = Ptp(lab, server, user="id2:secret2", wait=False, options=[
            "-f", lab.write("ptp.conf", text)])
        second.services = 8
        second.wait_up()
        ports = [int(p) for client in (first, second) for p in re.findall(
            r"reachable at tcp://127\.0\.0\.1:(\d+)", client.out())]
        tap.is_(len(ports), 8, "ports")
        tap.is_([get(server.port, host=name).body for name in
                 names(1) + names(2)],
                [f"web {i}".encode() for i in range(8)], "names")
        got = []
        for port in ports:
            with connect(port) as user:
                got.append(user.take(5))
        tap.is_(got, [f"raw {i}".encode() for i in range(8)], "ports")


def named(lab):
    with tap.case("a tcp:// service with a name has no port, and HTTP reaches "
                  "it as it is"):
        server = Ptpd(lab)

        site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
        Ptp(lab, server, site.url.replace("http:", "tcp:") + ",name=raw")
        tap.is_(get(server.port, host="raw").body, b"fine", "answer")
        tap.is_([r["listener"] for r in server.show_json("listeners")],
                ["http"], "no port")


def cases(lab):
    ssh(lab)
    bytes_pass(lab)
    refused_here_and_there(lab)
    rules(lab)
    as_gt(lab)
    services_as_gt(lab)
    named(lab)


namespace.main(__file__, cases)
