#!/usr/bin/python3
"""The defaults that the manual names are those of the tables."""

import os
import re

from lib import tap

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
PAGES = {
    "ptpd.conf.5": "master/conf_schema.c",
    "ptp.conf.5": "client/conf_schema.c",
}
ROW = re.compile(r'\{ "([a-z0-9_.]+)", SCHEMA_\w+,.*?\},\n', re.S)
PRESET = re.compile(r'\.preset = "([^"]*)"')
ITEM = re.compile(r"^\.It Va ([a-z0-9_.]+)\n(.*?)(?=^\.It |^\.El|\Z)",
                  re.S | re.M)
DEFAULT = re.compile(r"The default is(?:\n\.(?:Li|Pa))? (\S+?)(?: ?[.;,](?=\s|$)|$)",
                     re.M)


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


@tap.main
def run():
    for page, source in PAGES.items():
        with tap.case(f"{page}: each default is that of the program"):
            # A key that is there twice (timeout) has two items and rows.
            items, rows = {}, {}
            for key, text in ITEM.findall(read("man", page)):
                found = DEFAULT.search(text)
                items.setdefault(key, set()).add(found and found[1])
            for row in ROW.finditer(read(source)):
                found = PRESET.search(row[0])
                rows.setdefault(row[1], set()).add(found and found[1])
            tap.ok(len(rows) > 20, f"{len(rows)} rows are found")
            for key, presets in sorted(rows.items()):
                for preset in presets - {None}:
                    tap.ok(preset in items.get(key, ()),
                           f"{key}: {preset}, not {items.get(key)}")
