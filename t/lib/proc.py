"""What /proc tells about processes: family, memory, privilege, cost."""

import os
import re

STATUS_LISTS = ("Uid", "Gid", "Groups")
CHUNK = 1 << 22
# What reading of a process that ends meanwhile raises.
GONE = (FileNotFoundError, ProcessLookupError)
TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """/proc/PID/stat from the third field (the state) on."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        return f.read().rpartition(")")[2].split()


def children(pid):
    """The pids of a process's children, the oldest first.

    /proc/PID/task/PID/children leaves some out while others end.
    """
    found = []
    _stat(pid)  # it is there, or raises
    for name_ in os.listdir("/proc"):
        try:
            fields = _stat(name_) if name_.isdigit() else None
        except GONE:
            continue
        if fields and int(fields[1]) == pid:
            found.append((int(fields[19]), int(name_)))
    return [child for _, child in sorted(found)]


def family(pid):
    """The process and all that descend from it."""
    pids = [pid]
    for child in children(pid):
        try:
            pids += family(child)
        except GONE:
            pass
    return pids


def status(pid):
    """/proc/PID/status as a dict; the lists of numbers as lists."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        rows = dict(line.split(":", 1) for line in f)
    found = {key: value.strip() for key, value in rows.items()}
    for key in STATUS_LISTS:
        found[key] = [int(n) for n in found[key].split()]
    return found


def alive(pid):
    """The process exists and is no zombie."""
    try:
        return status(pid)["State"][0] != "Z"
    except GONE:
        return False


def name(pid):
    """The base name of its executable."""
    path = os.readlink(f"/proc/{pid}/exe")
    return os.path.basename(path.removesuffix(" (deleted)"))


def command_line(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read()


def limits(pid):
    """/proc/PID/limits: soft limits by name."""
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        rows = [re.split(r"\s{2,}", line) for line in f]
    return {row[0]: row[1] for row in rows[1:]}


def descriptors(pid):
    """What its descriptors point to: number -> text."""
    base, found = f"/proc/{pid}/fd", {}
    for number in os.listdir(base):
        try:
            found[int(number)] = os.readlink(f"{base}/{number}")
        except GONE:
            pass
    return found


def cpu_seconds(pid):
    """User and system time so far."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def private_kib(pid):
    """Memory that is its own: anonymous resident KiB."""
    return int(status(pid)["RssAnon"].split()[0])


def holds(pid, needles):
    """Which of the needles (bytes) are anywhere in its memory."""
    found = set()
    longest = max(len(n) for n in needles)
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, perms, *_ = line.split()
            if line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vdso]",
                                       "[vvar_vclock]")):
                continue
            if "x" in perms:
                continue
            start, end = (int(n, 16) for n in span.split("-"))
            found |= _scan(mem, start, end, needles, longest)
    return found


def _scan(mem, start, end, needles, longest):
    found, tail = set(), b""
    while start < end:
        try:
            mem.seek(start)
            data = mem.read(min(CHUNK, end - start))
        except (OSError, OverflowError):
            # A page that is not there (guard page, hole): the next one.
            start, tail = start + 4096, b""
            continue
        if not data:
            break
        for needle in needles:
            if needle in tail + data:
                found.add(needle)
        tail = data[-longest:]
        start += len(data)
    return found
