"""A second implementation of the tunnel protocol, from man/ptp-protocol.7.

Noise is python3-dissononce's, AEADs are python3-cryptography's. It can play
the client (Client) and, as far as a login goes, the server (Impostor), and
it does what its test wants, not what is right.
"""

import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.private import PrivateKey
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.hash.blake2b import Blake2bHash
from dissononce.processing.handshakepatterns.interactive.XX import \
    XXHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState

from .cpace import CPace, lv
from .lab import DEADLINE
from .wire import Truncated, Wire, connect

MAGIC = b"\x8eptp"
VERSION = 1
SESSION, TICKET = 1, 2
BY_SECRET, BY_KEY, BY_PLAIN = 1, 2, 3
CHALLENGE, CONFIRM, ABORT, ACCEPTED, REFUSED = 1, 2, 3, 4, 5
UNKNOWN_ID, WRONG_SECRET, WRONG_KEY, NEED_SECRET, NEED_KEY = 1, 2, 3, 4, 5
BUSY, LIMIT, LOCKED = 7, 8, 11
NONE, CHACHA, AES = 0, 1, 2
CIPHERS = {NONE: b"none", CHACHA: b"chacha20-poly1305", AES: b"aes256-gcm"}
(OPEN, OPENED, DATA, FIN, RESET, CREDIT, SERVICES, GRANTED, PING, PONG,
 GOAWAY, WANT, TICKETS, DGRAM, PART) = range(1, 16)
WINDOW = 32768


class Refused(Exception):
    """The server said no: args[0] is its code."""


def str8(text):
    data = text if isinstance(text, bytes) else text.encode()
    return bytes([len(data)]) + data


def preface(low=VERSION, high=VERSION, kind=SESSION, flags=0, ticket=b""):
    return MAGIC + bytes([low, high, kind, flags]) + ticket


def noise(initiator, prologue, static):
    state = HandshakeState(
        SymmetricState(CipherState(ChaChaPolyCipher()), Blake2bHash()),
        X25519DH())
    state.initialize(XXHandshakePattern(), initiator, prologue, s=static)
    return state


def key_pair(private=None):
    return X25519DH().generate_keypair(PrivateKey(private) if private
                                       else None)


class Direction:
    """The records of one direction; with the cipher "none" there are none."""

    def __init__(self, cipher, split_key):
        self.cipher, self.number = cipher, 0
        key = hashlib.blake2b(CIPHERS[cipher], key=split_key,
                              digest_size=32).digest()
        self.aead = AESGCM(key) if cipher == AES else ChaCha20Poly1305(key)

    def _nonce(self):
        order = "<" if self.cipher == CHACHA else ">"
        self.number += 1
        return bytes(4) + struct.pack(order + "Q", self.number - 1)

    def seal(self, plain):
        head = struct.pack(">H", len(plain) + 16)
        return head + self.aead.encrypt(self._nonce(), plain, head)

    def open(self, head, body):
        return self.aead.decrypt(self._nonce(), body, head)


class End:
    """What both ends do: blobs, then records of frames."""

    def __init__(self, wire):
        self.wire, self.plain = wire, b""
        self.sent = []

    def blob(self, data):
        self.sent.append(struct.pack(">H", len(data)) + data)
        self.wire.send(self.sent[-1])

    def read_blob(self):
        size, = struct.unpack(">H", self.wire.take(2))
        return self.wire.take(size)

    def sealed(self, payload):
        self.blob(self.tx_noise.encrypt_with_ad(b"", payload))

    def read_sealed(self):
        return self.rx_noise.decrypt_with_ad(b"", self.read_blob())

    def begin_records(self, cipher):
        # dissononce's rekey() leaves the tag on: section 4.2 takes 32 bytes.
        self.tx, self.rx = (
            Direction(cipher, state.cipher.rekey(state._key)[:32])
            for state in (self.tx_noise, self.rx_noise))

    def frame(self, stream, kind, payload=b"", length=None):
        """Sends one frame in a record of its own."""
        size = len(payload) if length is None else length
        head = struct.pack(">IB", stream, kind) + struct.pack(">I", size)[1:]
        data = head + payload
        self.wire.send(self.tx.seal(data) if self.cipher else data)

    def _more(self, count):
        """Has at least count bytes of frames ready, by one record or bare."""
        if not self.cipher:
            self.plain += self.wire.take(count - len(self.plain))
            return
        head = self.wire.take(2)
        self.plain += self.rx.open(
            head, self.wire.take(struct.unpack(">H", head)[0]))

    def read_frame(self):
        """(stream, type, payload)."""
        while len(self.plain) < 8:
            self._more(8)
        stream, kind = struct.unpack(">IB", self.plain[:5])
        size = int.from_bytes(self.plain[5:8], "big")
        while len(self.plain) < 8 + size:
            self._more(8 + size)
        payload = self.plain[8:8 + size]
        self.plain = self.plain[8 + size:]
        return stream, kind, payload

    def expect(self, kind, ignore=(PING, CREDIT)):
        """The next frame of that kind; those of `ignore` may come before."""
        while True:
            stream, got, payload = self.read_frame()
            if got == PING and kind != PING:
                self.frame(0, PONG, payload)
            if got == kind:
                return stream, payload
            if got not in ignore:
                raise ValueError(f"frame {got} instead of {kind}")


class Client(End):
    """Logs in at a server; after that frames go both ways."""

    def __init__(self, port, ident="id1", secret="secret1", cipher=CHACHA,
                 method=BY_SECRET, key=None, instance=None, confirm=True,
                 wire=None, first=None):
        super().__init__(wire or connect(port))
        self.static = key_pair(key)
        self.ident, self.secret = ident.encode(), secret.encode()
        self.cipher, self.method = cipher, method
        self.instance = instance or os.urandom(16)
        opening = first or preface()
        self.sent.append(opening)
        self.wire.send(opening)
        self.noise = noise(True, b"ptp1" + opening + b"\0", self.static)
        self._handshake()
        if method == BY_SECRET:
            self._prove(confirm)
        self._verdict()

    def _message(self, payload):
        out = bytearray()
        pair = self.noise.write_message(payload, out)
        self.blob(bytes(out))
        return pair

    def _handshake(self):
        self._message(b"")
        hello = bytearray()
        self.noise.read_message(self.read_blob(), hello)
        size = hello[0]
        self.version = hello[1:1 + size].decode()
        self.ciphers = hello[1 + size]
        self.session = self.noise.symmetricstate.get_handshake_hash()
        self.server = self.noise.rs.data
        login = bytes([self.method, self.cipher]) + self.instance \
            + str8(self.ident) + str8("peer.py")
        if self.method == BY_SECRET:
            self.cpace = CPace(
                self.secret,
                lv(self.ident, self.static.public.data, self.server),
                self.session)
            login += self.cpace.share
        elif self.method == BY_PLAIN:
            login += str8(self.secret) + b"\0"
        self.tx_noise, self.rx_noise = self._message(login)

    def _prove(self, confirm):
        answer = self.read_sealed()
        if answer[0] == REFUSED:
            raise Refused(answer[1])
        if answer[0] != CHALLENGE:
            raise ValueError(f"login message {answer[0]}")
        yb, tb = answer[1:33], answer[33:97]
        ta, want = self.cpace.tags(self.cpace.share, yb)
        self.verified = tb == want
        if confirm is True:
            self.sealed(bytes([CONFIRM]) + ta)
        elif confirm:
            self.sealed(confirm)

    def _verdict(self):
        answer = self.read_sealed()
        if answer[0] == REFUSED:
            raise Refused(answer[1])
        if answer[0] != ACCEPTED:
            raise ValueError(f"login message {answer[0]}")
        self.begin_records(self.cipher)

    def services(self, *names, serial=1):
        """Offers one service with these names (none: the id)."""
        body = struct.pack(">IHHBBB", serial, 1, 0, 1, 0, len(names))
        rest = struct.pack(">HHIQIBBBB", 0, 0, 0, 0, 0, 0, 0, 0, 0)
        self.frame(0, SERVICES,
                   body + b"".join(str8(n) for n in names) + rest)
        return self.expect(GRANTED)[1]


class Datagrams(Client):
    """A client with one UDP service on a public port."""

    def offer(self, port, idle=60000, serial=1):
        self.frame(0, SERVICES,
                   struct.pack(">IHHBBB", serial, 1, 0, 4, 0, 0)
                   + struct.pack(">HHIQIBBBB", port, port, 0, 0, idle,
                                 0, 0, 0, 0))
        return self.expect(GRANTED)[1]

    def send(self, stream, data):
        """One datagram, in as many pieces as it needs."""
        while len(data) > 16360:
            self.frame(stream, PART, data[:16360])
            data = data[16360:]
        self.frame(stream, DGRAM, data)


class Impostor(End):
    """A server that does not know the secret, up to the client's answer."""

    def __init__(self, sock, secret=b"", static=None):
        super().__init__(Wire(sock))
        opening = self.wire.take(8)
        static = static or key_pair()
        state = noise(False, b"ptp1" + opening + b"\0", static)
        state.read_message(self.read_blob(), bytearray())
        out = bytearray()
        state.write_message(str8("1.0") + b"\x07", out)
        session = state.symmetricstate.get_handshake_hash()
        self.blob(bytes(out))
        login = bytearray()
        self.rx_noise, self.tx_noise = state.read_message(
            self.read_blob(), login)
        self.login = bytes(login)
        size = login[18]
        ident = bytes(login[19:19 + size])
        if login[0] == BY_SECRET:
            ya = bytes(login[-32:])
            cpace = CPace(secret, lv(ident, state.rs.data,
                                     static.public.data), session)
            _, tb = cpace.tags(ya, cpace.share)
            self.sealed(bytes([CHALLENGE]) + cpace.share + tb)
        self.answer = self.read_sealed()


def ends(wire, deadline=DEADLINE):
    """The server closes: "end" or "reset", or "open" after the deadline."""
    wire.sock.settimeout(deadline)
    return wire.ending()


__all__ = [name for name in dir() if not name.startswith("_")] + ["Truncated"]
