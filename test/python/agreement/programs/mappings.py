"""Mapped memory."""

import mmap
import tempfile


def anonymous(pages: int) -> mmap.mmap:
    mapped = mmap.mmap(-1, pages * mmap.PAGESIZE)
    mapped[:5] = b"hello"
    return mapped


def main() -> None:
    kept = [anonymous(pages) for pages in range(1, 9)]
    for mapped in kept[:5]:
        mapped.close()
    with tempfile.TemporaryFile() as file:
        file.truncate(40 * mmap.PAGESIZE)
        with mmap.mmap(file.fileno(), 0) as view:
            copied = view[: 10 * mmap.PAGESIZE]
    assert len(copied) == 10 * mmap.PAGESIZE
