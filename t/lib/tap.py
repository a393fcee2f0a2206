"""TAP for prove: one line per case; a test that dies is a test that fails.

    @tap.main
    def run():
        with tap.case("the page arrives whole"):
            tap.is_(status, 200, "status")

Inside a case a failed check ends the case; the next case runs all the same.
There is no skip: what cannot be tested is a failure that says why.
"""

import os
import re
import signal
import sys
import traceback
from contextlib import contextmanager

_state = {"count": 0, "failed": 0, "hooks": []}


class Failure(Exception):
    """A check did not hold."""


class Late(Exception):
    """The whole test took too long."""


def say(line):
    print(line, flush=True)


def diag(text):
    """Prints text as TAP comments."""
    for line in str(text).splitlines():
        say("# " + line)


def on_failure(hook):
    """Calls hook() after each failed case (it prints logs)."""
    _state["hooks"].append(hook)


def ok(condition, what):
    if not condition:
        raise Failure(what)


def is_(got, want, what):
    if got != want:
        raise Failure(f"{what}: got {_short(got)}, want {_short(want)}")


def like(text, pattern, what):
    """The pattern (re.search, case-blind, over lines) is in text."""
    if not re.search(pattern, text, re.I | re.M):
        raise Failure(f"{what}: no /{pattern}/ in {_short(text)}")


def unlike(text, pattern, what):
    if re.search(pattern, text, re.I | re.M):
        raise Failure(f"{what}: /{pattern}/ is in {_short(text)}")


def at_most(got, bound, what):
    if not got <= bound:
        raise Failure(f"{what}: {got}, bound {bound}")


def _short(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 600 else text[:300] + " ... " + text[-250:]


def _where(error):
    """The error and the lines of the test that led to it."""
    calls = [str(call.lineno)
             for call in traceback.extract_tb(error.__traceback__)
             if call.filename.endswith(".t")]
    text = str(error) if isinstance(error, Failure) else repr(error)
    if not calls or not isinstance(error, (Failure, OSError)):
        text += "\n" + "".join(traceback.format_tb(error.__traceback__)[-2:])
    return f"line {' > '.join(calls)}: {text}" if calls else text


def _result(good, name):
    _state["count"] += 1
    if not good:
        _state["failed"] += 1
    say(f"{'ok' if good else 'not ok'} {_state['count']} - {name}")


@contextmanager
def case(name):
    """One TAP line: ok if the block ends, not ok if a check or it fails."""
    try:
        yield
    except Late:
        raise
    except Exception as error:
        _result(False, name)
        diag(_where(error))
        for hook in _state["hooks"]:
            hook()
    else:
        _result(True, name)


def _late(_number, _frame):
    raise Late("the whole test took too long")


def _stopped(number, _frame):
    raise SystemExit(128 + number)


def main(run, limit=1200):
    """Runs run() at once, prints the plan and exits with TAP's status."""
    signal.signal(signal.SIGALRM, _late)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stopped)
    signal.alarm(limit)
    try:
        run()
    except Exception:
        _result(False, "the test ran to its end")
        diag(traceback.format_exc())
        for hook in _state["hooks"]:
            hook()
    signal.alarm(0)
    say(f"1..{_state['count']}")
    if _state["count"] == 0:
        _state["failed"] = 1
    sys.stdout.flush()
    os._exit(1 if _state["failed"] else 0)


def limit(seconds):
    """main with another deadline: @tap.limit(500)."""
    return lambda run: main(run, seconds)
