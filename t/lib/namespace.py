"""A test, or a part of one, in namespaces of its own.

There it has the network to itself (loopback only), and /run, /var/db, /dev
and /etc/hosts anew, so that programs can be used with the paths, ports and
names that the manual prints.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import stat
import struct
import subprocess
import sys

from . import tap
from .lab import Lab

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x1000, 0x4000, 0x40000, 2
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
HIDDEN = ("/run", "/var/db", "/dev")
NODES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}
_libc = ctypes.CDLL(None, use_errno=True)


def _call(name, *args):
    if getattr(_libc, name)(*args) != 0:
        raise OSError(ctypes.get_errno(), name, str(args))


def enter(lab, hosts="127.0.0.1 localhost\n"):
    """Moves this process there; returns what undoes the mounts."""
    _call("unshare", CLONE_NEWNS | CLONE_NEWNET)
    # In a chroot / may be no mount point; then it has nothing to make private.
    _libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    for path in HIDDEN:
        os.makedirs(path, exist_ok=True)
        _call("mount", b"tmpfs", path.encode(), b"tmpfs", 0, None)
    for name, numbers in NODES.items():
        os.mknod(f"/dev/{name}", stat.S_IFCHR | 0o666, os.makedev(*numbers))
        os.chmod(f"/dev/{name}", 0o666)
    path = lab.write("hosts", hosts)
    _call("mount", path.encode(), b"/etc/hosts", None, MS_BIND, None)
    with socket.socket() as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    return lambda: [_libc.umount2(p.encode(), MNT_DETACH)
                    for p in ("/etc/hosts",) + HIDDEN]


@contextlib.contextmanager
def entered(lab, hosts="127.0.0.1 localhost\n"):
    """enter(), for a with statement; the lab's processes end in there."""
    leave = enter(lab, hosts)
    try:
        yield
    finally:
        for process in lab.processes:
            process.stop()
        leave()


def alone(path, part, prefix):
    """Runs the test at path once more, as `path part`, in a child.

    Its cases become ours, with the prefix before their names.
    """
    done = subprocess.run([sys.executable, path, part], timeout=1000,
                          stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        if line.startswith("#"):
            tap.say(line)
        elif not line.startswith("1.."):
            with tap.case(prefix + line.partition(" - ")[2]):
                tap.ok(line.startswith("ok"), "see above")
    with tap.case(prefix + "to the end"):
        tap.is_(done.returncode, 0, "exit status")


def main(path, cases):
    """A test all of whose cases run in there: cases(lab)."""
    def child():
        with Lab() as lab, entered(lab):
            cases(lab)

    tap.main(child if sys.argv[1:] == ["child"]
             else lambda: alone(path, "child", ""))
