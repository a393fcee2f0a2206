"""A lab: a temp directory and the real programs that a test runs in it.

Readiness is waited for (a line of output, a port that answers), nothing is
slept for, everything has a deadline, and only what the lab started is ended.
A deadline is there to end what hangs, and is no claim about speed: another
process may not have the processor for seconds.
"""

import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import tap

TICK = 0.005
DEADLINE = 60
PR_SET_PDEATHSIG = 1
# Looked up here: after a fork another thread may have held the linker's lock.
_prctl = ctypes.CDLL(None, use_errno=True).prctl
_reserved = []


class Timeout(Exception):
    """What was waited for did not come."""


def until(what, probe, deadline=DEADLINE):
    """Asks probe() until it is true, returns that; Timeout after deadline."""
    end = time.monotonic() + deadline
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout(f"not within {deadline} s: {what}")
        time.sleep(TICK)


def always(what, probe, seconds):
    """probe() stays true for that long, or the case fails."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tap.ok(probe(), what)
        time.sleep(TICK)


def _never_given():
    """The ports that the kernel gives to nobody who has not asked for one."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        low, high = map(int, f.read().split())
    if low > 16384:
        return range(max(low - 20000, 10100), low)
    return range(high + 1, 65536) if high < 64000 else range(20000, 30000)


def _reserve(port):
    """Has the port for this process, among tests, as long as it lives."""
    s = socket.socket(socket.AF_UNIX)
    try:
        s.bind(f"\0ptp-test-port-{port}")
    except OSError:
        s.close()
        return False
    _reserved.append(s)
    return True


def _unused(port, kind):
    """Nobody has it, by any address."""
    with socket.socket(socket.AF_INET6, kind) as s:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            s.bind(("::", port))
            return True
        except OSError:
            return False


def free_port(count=1):
    """The first of so many ports that nobody else takes while the test runs.

    TCP and UDP. They may be closed and opened again: no outgoing connection
    gets them, and no other test.
    """
    ports = _never_given()[:-count]
    while True:
        first = random.choice(ports)
        if all(_reserve(port) and _unused(port, socket.SOCK_STREAM)
               and _unused(port, socket.SOCK_DGRAM)
               for port in range(first, first + count)):
            return first


def port_answers(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), DEADLINE).close()
        return True
    except OSError:
        return False


def _die_with_parent():
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One running program; its output goes to files of the lab."""

    def __init__(self, lab, name, argv, **popen):
        self.name, self.argv = name, [str(a) for a in argv]
        self.paths = {}
        files = {}
        for stream in ("stdout", "stderr"):
            path = os.path.join(lab.dir, f"{lab.next()}-{name}.{stream}")
            self.paths[stream] = path
            files[stream] = open(path, "wb")
        popen.setdefault("stdin", subprocess.DEVNULL)
        self.popen = subprocess.Popen(
            self.argv, preexec_fn=_die_with_parent, **files, **popen
        )
        for f in files.values():
            f.close()
        self.pid = self.popen.pid
        self.shown = {"stdout": 0, "stderr": 0}

    def text(self, stream="stderr", since=0):
        with open(self.paths[stream], "rb") as f:
            f.seek(since)
            return f.read().decode("utf-8", "backslashreplace")

    def out(self):
        return self.text("stdout")

    def log(self, since=0):
        return self.text("stderr", since)

    def mark(self, stream="stderr"):
        """Where the output ends now: for since=."""
        return os.path.getsize(self.paths[stream])

    def running(self):
        return self.popen.poll() is None

    def lines(self, stream="stderr", since=0):
        """Its text up to the end of the last line that it has written."""
        ended = not self.running()
        text = self.text(stream, since)
        return text if ended else text[:text.rfind("\n") + 1]

    def wait_line(self, pattern, stream="stderr", deadline=DEADLINE, since=0):
        """Waits for a line that matches; returns the match."""
        regex = re.compile(pattern, re.I | re.M)

        def probe():
            ended = not self.running()
            found = regex.search(self.lines(stream, since))
            if not found and ended:
                raise Timeout(
                    f"{self.name} ended with {self.popen.returncode} before "
                    f"/{pattern}/: {self.text('stderr')[-600:]}"
                )
            return found

        return until(f"/{pattern}/ of {self.name}", probe, deadline)

    def wait_exit(self, deadline=DEADLINE):
        """Waits for the end; returns the exit status."""
        until(f"end of {self.name}", lambda: not self.running(), deadline)
        return self.popen.returncode

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def stop(self, deadline=DEADLINE):
        """Ends it, by force if need be; a client lets its streams end."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait_exit(deadline)
        except Timeout:
            self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.popen.wait()

    def show(self):
        """Prints as diag what it said since the last time."""
        for stream in ("stdout", "stderr"):
            text = self.text(stream, self.shown[stream])
            self.shown[stream] = self.mark(stream)
            lines = text.splitlines()
            if len(lines) > 60:
                lines = lines[:20] + ["..."] + lines[-40:]
            for line in lines:
                tap.diag(f"{self.name} {stream}: {line[:300]}")


class Lab:
    """with Lab() as lab: ... everything in it ends with the block."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="ptp-t-")
        os.chmod(self.dir, 0o755)
        self.build = os.path.abspath(
            os.environ.get("PTP_BUILD")
            or os.path.join(os.path.dirname(__file__), "..", "..", "build")
        )
        self.processes, self.closers, self._number = [], [], 0
        tap.on_failure(self.show)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.show()
        for process in reversed(self.processes):
            process.stop(5)
        for close in reversed(self.closers):
            close()
        self.processes.clear()
        shutil.rmtree(self.dir, ignore_errors=True)

    def next(self):
        self._number += 1
        return self._number

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o644):
        """Writes a file of the lab; returns its path."""
        path = self.path(name)
        with open(path, "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)
        os.chmod(path, mode)
        return path

    def program(self, name):
        return os.path.join(self.build, name)

    def start(self, name, argv, **popen):
        process = Process(self, name, argv, **popen)
        self.processes.append(process)
        return process

    def run(self, argv, deadline=2 * DEADLINE, **popen):
        """Runs to the end; returns CompletedProcess with text output."""
        popen.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            [str(a) for a in argv],
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=deadline,
            **popen,
        )

    def keep(self, thing):
        """Has thing.close() called at the end; returns thing."""
        self.closers.append(thing.close)
        return thing

    def show(self):
        for process in self.processes:
            process.show()
