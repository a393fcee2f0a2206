#!/usr/bin/python3
"""testssl.sh finds nothing above low at listen.tls."""

import json
import os
import shutil

from lib import tap
from lib.daemons import Ptpd
from lib.lab import Lab
from lib.tls import Authority

ABOVE_LOW = ("MEDIUM", "HIGH", "CRITICAL", "FATAL")
# What is looked at, in runs of their own, for most of the time they wait.
RUNS = {
    "protocols and ciphers": ["-p", "-s"],
    "forward secrecy": ["-f"],
    "the server's defaults and its certificate": ["-S"],
    "vulnerabilities": ["-U"],
}
SECONDS = 900


@tap.limit(SECONDS + 100)
def run():
    with Lab() as lab:
        tool = shutil.which("testssl") or shutil.which("testssl.sh")
        with tap.case("testssl.sh is installed"):
            tap.ok(tool, "testssl in PATH")
        ca = Authority(lab)
        cert, key = ca.issue("localhost")
        server = Ptpd(lab, "-o", "listen.tls=127.0.0.1:0", "-o",
                      f"tls.cert={cert}", "-o", f"tls.key={key}")
        port = server.port_of("tls")
        begun = {}
        for what, options in RUNS.items():
            report = lab.path(f"testssl{lab.next()}.json")
            begun[what] = (report, lab.start("testssl", [
                tool, "--quiet", "--color", "0", "--warnings", "batch",
                "--ip", "127.0.0.1", "--nodns", "none", "--add-ca", ca.cert,
                "--jsonfile", report, *options, f"localhost:{port}"],
                env=dict(os.environ, LC_ALL="C")))
        for what, (report, process) in begun.items():
            with tap.case(f"{what}: nothing above low"):
                process.wait_exit(SECONDS)
                with open(report, encoding="utf-8") as f:
                    findings = json.load(f)
                tap.ok(len(findings) > 5, f"{len(findings)} findings")
                bad = [f"{f['id']}: {f['severity']}: {f['finding']}"
                       for f in findings if f["severity"] in ABOVE_LOW]
                tap.is_(bad, [], "findings")
