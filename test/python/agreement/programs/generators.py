"""Generators: what they allocate is below whoever resumes them."""

from typing import Generator, Iterator


def blocks(count: int) -> Iterator[bytearray]:
    for index in range(count):
        yield bytearray(2_000 + index)


def doubled(source: Iterator[bytearray]) -> Iterator[bytearray]:
    for block in source:
        yield block + block


def delegating(count: int) -> Generator[bytearray, None, int]:
    yield from doubled(blocks(count))
    yield from blocks(count)
    return count


def receiver() -> Generator[int, int, None]:
    held = []
    size = 0
    while True:
        size = yield len(held)
        held.append(bytes(size))


def main() -> None:
    kept = list(delegating(40))
    first = next(doubled(blocks(3)))
    receiving = receiver()
    next(receiving)
    for size in (700, 1_400, 2_800):
        receiving.send(size)
    receiving.close()
    total = sum(len(block) for block in blocks(50))
    assert len(kept) == 80 and len(first) == 4_000 and total > 0
