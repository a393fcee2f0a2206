"""Start and stop daemons, and read what they and their children use."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
READY_SECONDS = 15
STOP_SECONDS = 2
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None)


class BenchError(Exception):
    """A subject or a tool did not do what the measure needs."""


def _die_with_parent():
    """In the child: end when the benchmark is gone, however it went."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans():
    """Daemons' children that outlive them become ours, to be waited for."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)


def free_port():
    """A free port below the range that outgoing connections take."""
    for _ in range(1000):
        port = random.randrange(10000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BenchError("no free port")


class Stat:
    """One process as /proc/PID/stat shows it; times in clock ticks."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            text = f.read()
        self.pid = pid
        self.name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        self.ppid = int(fields[1])
        self.user, self.system, self.child_user, self.child_system = (
            int(x) for x in fields[11:15])
        self.started = int(fields[19])


def family(root):
    """Stat of the process ROOT and of all its living descendants."""
    stats = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stats.append(Stat(int(entry)))
            except (FileNotFoundError, ProcessLookupError):
                pass  # ended while we looked
    inside = {root}
    grown = True
    while grown:
        more = {s.pid for s in stats if s.ppid in inside} - inside
        inside |= more
        grown = bool(more)
    return [s for s in stats if s.pid in inside]


def cpu_us(root):
    """CPU time of ROOT and its descendants so far, in us.

    Children that ended and were waited for are in their parent's sums, so
    the figure never falls while the tree stays whole.
    """
    return sum(s.user + s.system + s.child_user + s.child_system
               for s in family(root)) * 1_000_000 / TICKS


def pss_kib(root):
    """Proportional set size of ROOT and its descendants, in KiB."""
    total = 0
    for s in family(root):
        try:
            with open(f"/proc/{s.pid}/smaps_rollup", encoding="ascii") as f:
                total += sum(int(line.split()[1]) for line in f
                             if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError):
            pass  # ended while we looked
        except PermissionError:
            raise BenchError("memory: reading smaps_rollup of processes "
                             "that are not dumpable needs root") from None
    return total


class Daemon:
    """A process in the foreground; output in NAME.out and NAME.err."""

    def __init__(self, argv, directory, name):
        self.name = name
        self.out = os.path.join(directory, name + ".out")
        self.err = os.path.join(directory, name + ".err")
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=directory, preexec_fn=_die_with_parent)
        self.pid = self.process.pid

    def tail(self):
        """The last lines it said, for an error message."""
        text = ""
        for path in (self.out, self.err):
            with open(path, encoding="utf-8", errors="replace") as f:
                text += f.read()
        return "\n".join(text.splitlines()[-8:])

    def check(self):
        """Raise when it has ended on its own."""
        if self.process.poll() is not None:
            raise BenchError(f"{self.name} ended with status "
                             f"{self.process.returncode}:\n{self.tail()}")

    def wait_for(self, path, text):
        """Wait until the file PATH holds TEXT."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with open(path, encoding="utf-8", errors="replace") as f:
                if text in f.read():
                    return
            self.check()
            time.sleep(0.01)
        raise BenchError(f"{self.name} did not say '{text}':\n{self.tail()}")

    def stop(self):
        """Ask twice, then kill the process and what is left of its children."""
        members = family(self.pid)
        for _ in range(2):
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    pass
        for s in members:
            try:
                if Stat(s.pid).started == s.started:
                    os.kill(s.pid, signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass
        self.process.wait()
        for s in members:
            try:
                os.waitpid(s.pid, 0)
            except ChildProcessError:
                pass  # its own parent has waited for it


class Stage:
    """The daemons of one measure; all are stopped when the block is left."""

    def __init__(self, directory):
        self.directory = directory
        self.daemons = []

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        while self.daemons:
            self.daemons.pop().stop()

    def spawn(self, name, *argv):
        daemon = Daemon([str(a) for a in argv], self.directory, name)
        self.daemons.append(daemon)
        return daemon

    def write(self, name, text):
        """A file in the stage's directory; returns its path."""
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def check(self):
        for daemon in self.daemons:
            daemon.check()
