"""What tests look at in a capture, docs/capture-format.md."""

import gzip
import json
import struct
from pathlib import Path
from typing import Any, Dict, Union

MAGIC = b"heapray\0"


def is_compressed(path: Union[str, Path]) -> bool:
    return Path(path).read_bytes()[:2] == b"\x1f\x8b"


class Capture:
    """A capture's header, and how it ends."""

    def __init__(self, path: Union[str, Path]) -> None:
        data = Path(path).read_bytes()
        self.raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        if self.raw[:8] != MAGIC:
            raise ValueError(f"{path} is no capture: {self.raw[:8]!r}")
        self.version, length = struct.unpack_from("<II", self.raw, 8)
        self.header: Dict[str, Any] = json.loads(self.raw[16 : 16 + length])
        self.records = self.raw[16 + length :]

    @property
    def reason(self) -> str:
        """How tracking ended; empty where the capture has no trailer."""
        start = self.records.rfind(b'{"endTimeMs"')
        return str(json.loads(self.records[start:])["reason"]) if start >= 0 else ""

    def holds(self, text: str) -> bool:
        """Whether a string, like a function's or a thread's name, is in it."""
        return text.encode() in self.records
