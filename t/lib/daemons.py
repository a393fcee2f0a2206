"""ptpd, ptp and ptpctl as a test starts and asks them."""

import json
import re

from . import tap
from .lab import DEADLINE, Process, free_port, until


def ctl(lab, socket, *command, deadline=2 * DEADLINE):
    """Runs ptpctl; returns CompletedProcess."""
    return lab.run(
        [lab.program("ptpctl"), "-s", socket, *command], deadline=deadline
    )


def show(lab, socket, what):
    """`ptpctl -j show WHAT` as a list of dicts."""
    done = ctl(lab, socket, "-j", "show", what)
    tap.is_(done.returncode, 0, f"show {what}: {done.stderr}")
    return json.loads(done.stdout)


class Ptpd(Process):
    """A server on a free port of 127.0.0.1 with id1:secret1.

    The port is its own until the test ends (free_port); with port=0 it takes
    one itself, which it has only as long as it lives.
    """

    def __init__(
        self, lab, *options, users=("id1:secret1",), port=None, wait=True,
        **popen
    ):
        self.lab = lab
        port = free_port() if port is None else port
        name = f"ptpd{lab.next()}"
        self.socket = lab.path(name + ".sock")
        self.host_key = lab.path(name + ".host_key")
        argv = [popen.pop("program", None) or lab.program("ptpd"), "-d"]
        argv += ["-o", f"listen.http=127.0.0.1:{port}"]
        argv += ["-o", f"socket={self.socket}"]
        argv += ["-o", f"host_key={self.host_key}"]
        for user in users:
            argv += ["-u", user]
        super().__init__(lab, name, argv + list(options), **popen)
        lab.processes.append(self)
        if wait:
            self.wait_ready()

    def wait_ready(self, since=0, deadline=DEADLINE):
        """Waits for the `ready` line; learns the port from it."""
        found = self.wait_line(
            r"\bready\b.*\bhttp +127\.0\.0\.1:(\d+)", since=since,
            deadline=deadline,
        )
        self.port = int(found.group(1))
        return self.port

    def port_of(self, listener):
        """The port of the first listener of that kind."""
        return next(int(row["port"]) for row in self.show_json("listeners")
                    if row["listener"] == listener)

    def ctl(self, *command, **kw):
        return ctl(self.lab, self.socket, *command, **kw)

    def show_json(self, what):
        return show(self.lab, self.socket, what)

    def workers(self, role=None):
        rows = self.show_json("workers")
        return [r for r in rows if role is None or r["role"] == role]

    def pids(self, role):
        return [int(r["pid"]) for r in self.workers(role)]

    def key(self):
        return self.ctl("show", "key").stdout.strip()


class Ptp(Process):
    """A client daemon, logged in at server as id with secret."""

    def __init__(
        self, lab, server, *services, user="id1:secret1", options=(),
        wait=True, **popen
    ):
        self.lab, self.server = lab, server
        self.id = user.partition(":")[0]
        name = f"ptp{lab.next()}"
        self.socket = lab.path(name + ".sock")
        self.known = popen.pop("known", None) or lab.path(name + ".known")
        address = popen.pop("address", None)
        if address is None:
            address = f"tcp://{user}@127.0.0.1:{server.port}"
        argv = [popen.pop("program", None) or lab.program("ptp"), "-d"]
        argv += ["-o", f"socket={self.socket}"]
        argv += ["-o", f"known_servers={self.known}"]
        argv += list(options)
        if address:
            argv += ["-s", address]
        super().__init__(lab, name, argv + [str(s) for s in services], **popen)
        lab.processes.append(self)
        self.services = len(services)
        if wait:
            self.wait_up()

    def wait_up(self, deadline=DEADLINE):
        """Waits until every service is said to be reachable."""
        def probe():
            running = self.running()
            found = re.findall(r"is reachable at", self.lines("stdout"))
            if len(found) < self.services and not running:
                raise tap.Failure(
                    f"{self.name} ended with {self.popen.returncode}: "
                    f"{self.log()[-600:]}"
                )
            return len(found) >= self.services

        until(f"{self.name} is up", probe, deadline)

    def leave(self):
        """Ends it, which has logged in; returns when its server knows."""
        mark = self.server.mark()
        self.stop()
        self.server.wait_line(
            rf"client {re.escape(self.id)} has logged out", since=mark)
        self.server.ctl("status")  # is answered when it has done that

    def ctl(self, *command, **kw):
        return ctl(self.lab, self.socket, *command, **kw)

    def show_json(self, what):
        return show(self.lab, self.socket, what)
