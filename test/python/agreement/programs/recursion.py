"""Deep stacks, and functions that call each other."""


def deep(depth: int) -> int:
    block = bytearray(600 + depth)
    if depth == 0:
        return len(block)
    return deep(depth - 1) + len(block)


def even(number: int) -> "list[object]":
    return [bytes(1_000), odd(number - 1)] if number else []


def odd(number: int) -> "list[object]":
    return [bytes(1_100), even(number - 1)] if number else []


def permutations(items: "list[int]") -> "list[list[int]]":
    if len(items) < 2:
        return [items]
    return [
        [first, *rest]
        for index, first in enumerate(items)
        for rest in permutations(items[:index] + items[index + 1 :])
    ]


def main() -> None:
    assert deep(150) > 0
    assert even(60)
    assert len(permutations(list(range(6)))) == 720
