"""Blocks that grow and shrink where they are, or move."""

kept = []


def grown(steps, by):
    block = bytearray()
    for _ in range(steps):
        block += b"x" * by
    return block


def shrunk(size):
    block = bytearray(size)
    del block[100:]
    return block


for by in (10, 1000, 40_000):
    kept.append(grown(50, by))
kept.append(shrunk(500_000))
numbers = list(range(10_000))
del numbers[20:]
numbers.extend(range(40_000))
numbers.clear()
table = {i: None for i in range(5000)}
table.clear()
