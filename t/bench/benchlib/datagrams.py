"""Packets per second through a way for UDP, and what is lost at half of it."""

import os
import subprocess

from .proc import BenchError

HERE = os.path.dirname(os.path.abspath(__file__))
FLOOD_MS = 1500


def build(directory):
    """Compiles udpload; returns its path."""
    path = os.path.join(directory, "udpload")
    if not os.path.exists(path):
        done = subprocess.run(
            [os.environ.get("CC", "cc"), "-O2", "-D_GNU_SOURCE", "-o", path,
             os.path.join(HERE, "udpload.c")],
            capture_output=True, text=True)
        if done.returncode:
            raise BenchError(f"udpload.c: {done.stderr.strip()}")
    return path


def _flood(program, public, local, rate, ms):
    """Returns datagrams sent, received, and received per second."""
    with subprocess.Popen([program, "sink", str(local)], text=True,
                          stdout=subprocess.PIPE) as sink:
        try:
            sink.stdout.readline()
            done = subprocess.run(
                [program, "source", str(public), str(rate), str(ms)],
                capture_output=True, text=True, timeout=ms / 1000 + 30)
            got, _, ns = (int(x) for x in sink.communicate(timeout=30)[0]
                          .split())
        except BaseException:
            sink.kill()
            raise
    return int(done.stdout), got, got * 1e9 / max(ns, 1)


def datagrams(run, opt):
    """1200 bytes each, as many as the source can; then half of what came."""
    program, public, local = run.datagrams
    _flood(program, public, local, 20000, 200)  # to warm up
    _, _, rate = _flood(program, public, local, 0, FLOOD_MS)
    sent, got, _ = _flood(program, public, local, int(rate / 2), FLOOD_MS)
    return {"datagrams": rate, "datagram_loss": (sent - got) * 100 / sent}
