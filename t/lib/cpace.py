"""CPACE-RISTR255-SHA512 once more, by its draft, over libsodium's group."""

import ctypes
import ctypes.util
import hashlib
import hmac

_sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")


def lv(*parts):
    """lv_cat: each part behind its length (LEB128)."""
    out = b""
    for part in parts:
        size = len(part)
        while size >= 0x80:
            out += bytes([size & 0x7F | 0x80])
            size >>= 7
        out += bytes([size]) + part
    return out


def _generator(secret, channel, session):
    name = b"CPaceRistretto255"
    zeros = max(0, 128 - 1 - len(lv(secret)) - len(lv(name)))
    digest = hashlib.sha512(
        lv(name, secret, bytes(zeros), channel, session)).digest()
    point = ctypes.create_string_buffer(32)
    _sodium.crypto_core_ristretto255_from_hash(point, digest)
    return point.raw


def _multiply(scalar, point):
    out = ctypes.create_string_buffer(32)
    if _sodium.crypto_scalarmult_ristretto255(out, scalar, point) != 0:
        raise ValueError("no valid point")
    return out.raw


class CPace:
    """One side: .share is its Ya or Yb."""

    def __init__(self, secret, channel, session):
        scalar = ctypes.create_string_buffer(32)
        _sodium.crypto_core_ristretto255_scalar_random(scalar)
        self._scalar, self._session = scalar.raw, session
        self.share = _multiply(
            self._scalar, _generator(secret, channel, session))

    def tags(self, ya, yb):
        """(Ta, Tb), once both shares are known."""
        theirs = yb if ya == self.share else ya
        key = hashlib.sha512(
            lv(b"CPaceRistretto255_ISK", self._session,
               _multiply(self._scalar, theirs))
            + lv(ya, b"") + lv(yb, b"")).digest()
        mac = hashlib.sha512(b"CPaceMac" + self._session + key).digest()
        return tuple(hmac.new(mac, lv(y, b""), hashlib.sha512).digest()
                     for y in (ya, yb))
