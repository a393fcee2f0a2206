"""Load that counts what failed: wrk."""

import re

from . import tap


class Wrk:
    """wrk against one name; finish() fails the case if anything failed."""

    def __init__(self, lab, port, host="id1", seconds=3, close=False,
                 connections=20, path="/"):
        argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H",
                f"Host: {host}", "--timeout", "60s"]
        if close:
            argv += ["-H", "Connection: close"]
        argv.append(f"http://127.0.0.1:{port}{path}")
        self.seconds = seconds
        self.process = lab.start("wrk", argv)

    def finish(self):
        """Waits for the end; returns the requests per second."""
        tap.is_(self.process.wait_exit(self.seconds + 120), 0,
                self.process.log())
        text = self.process.out()
        tap.unlike(text, r"Non-2xx|Socket errors", "wrk")
        rate = float(re.search(r"Requests/sec: +([\d.]+)", text).group(1))
        tap.ok(rate > 10, f"wrk was served: {text}")
        return rate
