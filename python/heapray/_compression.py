"""Compresses a finished capture: its numbered form, in gzip members that tell their length, docs/capture-format.md."""

import json
import os
import stat
import struct
import zlib
from typing import Iterator, Tuple

from heapray._file_format import FileFormat
from heapray._loaded_agent import agent

MAGIC = b"heapray\0"
MEMBER_BYTES = 4 * 1024 * 1024
"""Bytes of the capture in a member, but for the last one."""
LEVEL = 4
_LARGEST_HEADER_BYTES = 16 * 1024 * 1024

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
    try:
        facts = os.fstat(source)
        if not stat.S_ISREG(facts.st_mode) or os.pread(source, len(MAGIC), 0) != MAGIC:
            return False
        try:
            return _replace(path, facts, _numbered_pieces(source))
        except (ValueError, LookupError, TypeError, struct.error):  # It is damaged, and packed as it is.
            return _replace(path, facts, _pieces(source))
    except (OSError, MemoryError, zlib.error):
        return False
    finally:
        os.close(source)


def _replace(path: str, facts: os.stat_result, pieces: Iterator[bytes]) -> bool:
    unfinished = f"{path}.compressing"
    _remove(unfinished)
    target = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    made = True
    try:
        with open(target, "wb") as file:
            os.fchmod(target, stat.S_IMODE(facts.st_mode) & 0o777)
            for piece in pieces:
                file.writelines(_member(piece))
        # Another process may have put a capture of its own in this place.
        if os.stat(path, follow_symlinks=False).st_ino != facts.st_ino:
            return False
        os.rename(unfinished, path)
        made = False
        return True
    finally:
        if made:
            _remove(unfinished)


def _numbered_pieces(source: int) -> Iterator[bytes]:
    """Those of the form that compresses best, where the capture has one; otherwise its own."""
    form = None if _is_aggregated(source) else agent.numbered_form(source)
    if form is None:
        return _pieces(source)
    return iter(lambda: agent.next_piece(form, MEMBER_BYTES), b"")


def _is_aggregated(source: int) -> bool:
    (length,) = struct.unpack("<I", os.pread(source, 4, 12))
    if length > _LARGEST_HEADER_BYTES:
        raise ValueError("the header is damaged")
    header = json.loads(os.pread(source, length, 16))
    return bool(header["options"]["fileFormat"] == FileFormat.AGGREGATED_ALLOCATIONS.name)


def _pieces(source: int) -> Iterator[bytes]:
    at = 0
    while True:
        piece = os.pread(source, MEMBER_BYTES, at)
        if not piece:
            return
        at += len(piece)
        yield piece


def _member(piece: bytes) -> Tuple[bytes, bytes]:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    plain = packer.compress(piece) + packer.flush()
    length = len(_HEADER) + 4 + len(plain) - _PLAIN_HEADER_BYTES
    return _HEADER + struct.pack("<I", length), plain[_PLAIN_HEADER_BYTES:]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
