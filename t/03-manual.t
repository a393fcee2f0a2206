#!/usr/bin/python3
"""The manual is complete: what is not in it does not exist, and back."""

import os
import re

from lib import tap
from lib.daemons import Ptp, Ptpd
from lib.lab import Lab
from lib.origin import Origin, paths, reply

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
PAGES = {"ptpd": "ptpd.8", "ptp": "ptp.1", "ptpctl": "ptpctl.8"}
CONFS = {
    "ptpd.conf.5": ["master/conf_schema.c"],
    "ptp.conf.5": ["client/conf_schema.c"],
}
# Keys that are documented as one row: the page's text -> the keys.
GROUPS = re.compile(r"^\.It (?:Ic|Va) (.*)$", re.M)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def page(name):
    return read(os.path.join("man", name))


def documented(text):
    """The keys that a page of a configuration file explains."""
    keys = set()
    for line in GROUPS.findall(text):
        for word in re.split(r"[ ,]+", line):
            if re.fullmatch(r"[a-z][a-z0-9_.]*", word):
                keys.add(word)
    return keys


def tables(paths_):
    """The keys in the tables of the source."""
    keys = set()
    for path in paths_:
        keys |= set(re.findall(r'\{ "([a-z][a-z0-9_.]*)", SCHEMA_',
                               read(path)))
    return keys


@tap.main
def run():
    with Lab() as lab:
        for name, sources in CONFS.items():
            with tap.case(f"{name}: its keys are those of the program"):
                in_page, in_table = documented(page(name)), tables(sources)
                tap.ok(len(in_table) > 20, "the tables are found")
                tap.is_(sorted(in_table - in_page), [], "not in the page")
                tap.is_(sorted(in_page - in_table), [], "not in the program")
        for program, name in PAGES.items():
            with tap.case(f"{name}: its options are those of {program}"):
                in_page = set(re.findall(r"^\.It Fl (\w)", page(name), re.M))
                in_code = set()
                for flag in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST":
                    done = lab.run([lab.program(program), f"-{flag}",
                                    "/nonexistent=x", "-Z"])
                    wrong = re.search(r"(invalid|unknown|illegal).*\b"
                                      + flag + r"\b", done.stderr)
                    if not wrong:
                        in_code.add(flag)
                tap.is_(sorted(in_page), sorted(in_code), "options")
        with tap.case("ptpctl.8: each command and table exists"):
            server = Ptpd(lab)
            site = lab.keep(Origin(paths({}, lambda w, r: reply("fine"))))
            client = Ptp(lab, server, site.url)
            text = page("ptpctl.8")
            both, ptpd, ptp = re.split(r"Those of\n", text)
            shows = re.compile(r"^\.It Cm show (\w+)", re.M)
            for process, part in ((server, both), (server, ptpd),
                                  (client, both), (client, ptp)):
                for what in shows.findall(part):
                    for flag in ([], ["-j"]):
                        done = process.ctl(*flag, "show", what)
                        tap.is_(done.returncode, 0,
                                f"{process.name} show {what} {done.stderr}")
            for command in re.findall(r"^\.It Cm (\w+)(?: Ar|$)", ptpd, re.M):
                tap.unlike(server.ctl(command, "-", "-").stderr,
                           "unknown command", command)
        with tap.case("every example configuration is right"):
            examples = [f for f in os.listdir(os.path.join(TOP, "etc"))
                        if f.endswith(".conf")]
            tap.ok({"ptpd.conf", "ptp.conf"} <= set(examples), f"{examples}")
            for example in examples:
                program = "ptpd" if "ptpd" in example else "ptp"
                done = lab.run([lab.program(program), "-n", "-f",
                                os.path.join(TOP, "etc", example)])
                tap.is_(done.returncode, 0, done.stderr)
            users = os.path.join(TOP, "etc", "ptpd.users")
            done = lab.run([lab.program("ptpd"), "-n", "-o", "listen.http=0",
                            "-o", f"users_file={users}", "-f",
                            lab.write("empty.conf", "")])
            tap.is_(done.returncode, 0, done.stderr)
        with tap.case("pages are clean for mandoc, and there are all of them"):
            names = sorted(os.listdir(os.path.join(TOP, "man")))
            tap.is_(names, ["ptp-protocol.7", "ptp.1", "ptp.conf.5",
                            "ptpctl.8", "ptpd.8", "ptpd.conf.5"], "pages")
            for name in names:
                done = lab.run(["mandoc", "-Tlint", "-W", "warning",
                                os.path.join(TOP, "man", name)])
                tap.is_(done.stdout + done.stderr, "", name)
