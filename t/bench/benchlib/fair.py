"""A hundred users who click now and then, and one who downloads beside."""

import subprocess

FLOOR_MS = 10 / 3  # three times this is 10 ms: less is not felt
HELD = "4M"


class Bulk:
    """curl, downloading again and again until the end of the block."""

    def __init__(self, run, limit=None):
        self.argv = ["curl", "-s", "-o", "/dev/null", "-H",
                     f"Host: {run.bulk_host}"]
        if limit:
            self.argv += ["--limit-rate", limit]
        self.argv += [f"http://127.0.0.1:{run.port}/big?[1-1000]"]
        self.popen = None

    def __enter__(self):
        self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.wait()


def fair(run, opt, wrk):
    """p99 of the hundred alone, beside 4 MB/s, and beside all that goes."""
    def p99():
        return wrk(run, opt.seconds, 100, 1, script="users.lua").p99_us / 1000

    wrk(run, 1, 100, 1, script="users.lua")
    alone = p99()
    with Bulk(run, HELD):
        held = p99()
    with Bulk(run):
        full = p99()
    return {"fair_alone": alone, "fair_held": held,
            "fair_held_times": held / max(alone, FLOOR_MS),
            "fair_full": full}
