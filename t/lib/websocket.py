"""RFC 6455, as much as an echo needs: handshake, text, binary, close."""

import base64
import hashlib
import os
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE = 1, 2, 8


def accept_key(key):
    return base64.b64encode(
        hashlib.sha1(key.encode() + GUID).digest()).decode()


def frame(opcode, payload, masked):
    """One final frame; a client's is masked."""
    size, bit = len(payload), 0x80 if masked else 0
    head = bytes([0x80 | opcode])
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + _mask(payload, mask)


def _mask(payload, mask):
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big")
            ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def read_frame(wire):
    """Returns opcode, payload, masked."""
    first, second = wire.take(2)
    size = second & 0x7F
    if size == 126:
        size = struct.unpack(">H", wire.take(2))[0]
    elif size == 127:
        size = struct.unpack(">Q", wire.take(8))[0]
    masked = bool(second & 0x80)
    mask = wire.take(4) if masked else b""
    payload = wire.take(size)
    return first & 15, _mask(payload, mask) if masked else payload, masked


def echo_server(wire, request):
    """An answerer for origin.paths: echoes frames until Close."""
    wire.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
              "Connection: Upgrade\r\nSec-WebSocket-Accept: "
              f"{accept_key(request.get('Sec-WebSocket-Key'))}\r\n\r\n")
    while True:
        opcode, payload, _ = read_frame(wire)
        wire.send(frame(opcode, payload, masked=False))
        if opcode == CLOSE:
            return False


def handshake(wire, host, target="/ws"):
    """The client's handshake; returns the 101 and the key it sent."""
    key = base64.b64encode(os.urandom(16)).decode()
    wire.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n"
              "Upgrade: websocket\r\nConnection: Upgrade\r\n"
              f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n")
    return wire.response(), key
