"""Raw TCP services of the test's own, whose bytes nobody has to understand."""

import hashlib
import os
import threading

from .lab import until
from .origin import Origin


class Held:
    """A service whose connections the test itself plays."""

    def __init__(self, lab, unix=None):
        self.wires, self.done = [], threading.Event()
        self.origin = lab.keep(Origin(self.talk, unix))
        self.port = self.origin.port
        self.url = self.origin.url.replace("http:", "tcp:")

    def talk(self, wire, _origin):
        self.wires.append(wire)
        self.done.wait(1200)

    def pair(self, user):
        """The service's end of a connection that was just made."""
        until("the service's end", lambda: len(self.wires) > 0)
        return user, self.wires.pop(0)


def greeter(lab, text, unix=None):
    """A service that speaks first, then echoes."""
    def talk(wire, _origin):
        wire.send(text)
        while wire.fill():
            data, wire.buffer = wire.buffer, b""
            wire.send(data)

    origin = lab.keep(Origin(talk, unix))
    origin.url = origin.url.replace("http:", "tcp:")
    return origin


def both_ways(user, service, size):
    """Sends size random bytes each way at once; the four checksums."""
    data = [os.urandom(size), os.urandom(size)]
    senders = [threading.Thread(target=wire.send, args=(part,))
               for wire, part in zip((user, service), data)]
    got = [None, None]

    def take(wire, i):
        got[i] = wire.take(size)

    takers = [threading.Thread(target=take, args=(wire, i))
              for i, wire in enumerate((service, user))]
    for thread in senders + takers:
        thread.start()
    for thread in senders + takers:
        thread.join()
    return [hashlib.sha256(part or b"").hexdigest() for part in data + got]
