"""Compresses a finished capture: gzip members that tell their own length, docs/capture-format.md."""

import os
import stat
import struct
import zlib
from typing import Iterator

MAGIC = b"heapray\0"
MEMBER_BYTES = 4 * 1024 * 1024
"""Bytes of the capture in a member, but for the last one."""
LEVEL = 4

_PLAIN_HEADER_BYTES = 10
_HEADER = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H2sH", 8, b"hr", 4)
"""Of a member, up to the u32 with its length."""


def compress_capture(path: str) -> bool:
    """Replaces a capture by its compressed form. Until that is complete the capture stays as it is, whatever happens;
    what was written then lies beside it as `<path>.compressing`, for the next attempt to replace.

    Returns:
        Whether it did: not where the capture is compressed already, or no capture, or cannot be (a full disk, say).
    """
    try:
        source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    unfinished = f"{path}.compressing"
    made = False
    try:
        facts = os.fstat(source)
        if not stat.S_ISREG(facts.st_mode) or os.pread(source, len(MAGIC), 0) != MAGIC:
            return False
        _remove(unfinished)
        target = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        made = True
        with open(target, "wb", buffering=0) as file:
            os.fchmod(target, stat.S_IMODE(facts.st_mode) & 0o777)
            for piece in _pieces(source):
                for part in _member(piece):
                    file.write(part)
        # Another process may have put a capture of its own in this place.
        if os.stat(path, follow_symlinks=False).st_ino != facts.st_ino:
            return False
        os.rename(unfinished, path)
        made = False
        return True
    except (OSError, MemoryError, zlib.error):
        return False
    finally:
        os.close(source)
        if made:
            _remove(unfinished)


def _pieces(source: int) -> Iterator[bytes]:
    at = 0
    while True:
        piece = os.pread(source, MEMBER_BYTES, at)
        if not piece:
            return
        at += len(piece)
        yield piece


def _member(piece: bytes) -> "tuple[bytes, bytes]":
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    plain = packer.compress(piece) + packer.flush()
    length = len(_HEADER) + 4 + len(plain) - _PLAIN_HEADER_BYTES
    return _HEADER + struct.pack("<I", length), plain[_PLAIN_HEADER_BYTES:]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
