"""Containers that grow: each growth is an allocation of the line that caused it."""


def numbers(count: int) -> list[int]:
    kept = []
    for number in range(count):
        kept.append(number)
    return kept


def table(rows: int) -> "dict[str, bytearray]":
    return {f"row {row}": bytearray(600 + row) for row in range(rows)}


def joined(parts: int) -> str:
    text = ""
    for part in range(parts):
        text += f"part {part}, "
    return text


def main() -> None:
    kept = numbers(20_000)
    rows = table(300)
    rows.update({f"more {row}": bytearray(1000) for row in range(50)})
    unique = set(kept) | set(range(30_000))
    text = joined(3_000)
    matrix = [[column * row for column in range(100)] for row in range(40)]
    copies = (kept * 3, tuple(kept), frozenset(unique), text.encode(), bytes(5_000), [None] * 9_000)
    del rows, matrix
    assert len(copies) == 6
