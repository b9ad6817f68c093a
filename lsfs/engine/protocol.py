"""protocol: how the daemon and its engine speak over their socket pair.

A frame is a 4-byte big-endian length and one msgpack value. The daemon asks {"id", "call", "args"} and gets {"id", "ok"} or
{"id", "error": [errno, sentence]}; what the engine says unasked is {"event", …}. Text is str (lone surrogates survive), paths and digests
are bytes, tuples arrive as lists.

Threading: pure functions, and a Reader that belongs to whoever feeds it. Both processes import this; it loads msgpack alone.
"""

import socket
import struct
from collections.abc import Iterator

import msgpack

# a request to index 20,000 paths is 2 MB; anything near this is a broken stream, not a message
MAX_FRAME = 256 << 20
_LENGTH = struct.Struct(">I")


class ProtocolError(Exception):
    """What came in is no message of this protocol: the stream cannot be used any more."""


def pack(message: dict) -> bytes:
    """`message` as one frame. Raises ProtocolError where it is larger than MAX_FRAME."""
    body = msgpack.packb(message, use_bin_type=True, unicode_errors="surrogatepass")
    if len(body) > MAX_FRAME:
        raise ProtocolError(f"A message of {len(body)} bytes is larger than a frame may be.")
    return _LENGTH.pack(len(body)) + body


def _unpack(body: bytes) -> dict:
    try:
        message = msgpack.unpackb(body, raw=False, unicode_errors="surrogatepass", strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise ProtocolError(f"A frame does not hold msgpack ({error}).") from error
    if not isinstance(message, dict):
        raise ProtocolError("A frame does not hold a message.")
    return message


def _size(header: bytes) -> int:
    size: int = _LENGTH.unpack(header)[0]
    if size > MAX_FRAME:
        raise ProtocolError(f"A frame of {size} bytes was announced; the stream is out of step.")
    return size


class Reader:
    """Takes bytes as they come, gives whole messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[dict]:
        """The messages that are whole after `data`. Raises ProtocolError."""
        self._bytes += data
        while len(self._bytes) >= _LENGTH.size:
            end = _LENGTH.size + _size(bytes(self._bytes[: _LENGTH.size]))
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            yield _unpack(body)


def send(sock: socket.socket, message: dict) -> None:
    """Send one message on a blocking socket. The caller holds a lock where several threads send."""
    sock.sendall(pack(message))


def receive(sock: socket.socket) -> dict | None:
    """The next message of a blocking socket, None at its end. Raises ProtocolError."""
    header = _exactly(sock, _LENGTH.size)
    if header is None:
        return None
    body = _exactly(sock, _size(header))
    return None if body is None else _unpack(body)


def _exactly(sock: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = sock.recv(min(size - len(data), 1 << 20))
        if not part:
            return None
        data += part
    return bytes(data)
