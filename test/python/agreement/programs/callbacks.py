"""C functions that call back into Python: the stack has the callback below the line that called the C function."""

import functools
import json
import re
from typing import Any


def by_padding(text: str) -> bytes:
    return text.encode() + bytes(800)


def upper(match: "re.Match[str]") -> str:
    return match[0].upper() * 300


def folded(before: bytearray, after: int) -> bytearray:
    return before + bytearray(after)


def enlarged(number: int) -> bytearray:
    return bytearray(number * 100)


def rows(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    return {name: [value] * 200 for name, value in pairs}


class Shape:
    def __init__(self, points: int) -> None:
        self.points = [0.0] * points

    def __getattr__(self, name: str) -> bytearray:
        return bytearray(2_222)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shape) and bytes(900) == bytes(900)

    __hash__ = object.__hash__


def main() -> None:
    ordered = sorted((f"name {number % 7}" for number in range(60)), key=by_padding)
    text = re.sub(r"\b[a-z]+\b", upper, "some words of a short sentence")
    sum_of_all = functools.reduce(folded, [600, 700, 800], bytearray(500))
    mapped = list(map(enlarged, range(10, 30)))
    read = json.loads('[{"a": 1, "b": 2}, {"c": 3}]', object_pairs_hook=rows)
    shapes = [Shape(300) for _ in range(5)]
    assert Shape(200) in shapes and len(shapes[0].missing) == 2_222
    cached = functools.lru_cache(maxsize=4)(enlarged)
    kept = [cached(number % 6 + 10) for number in range(20)]
    partial = functools.partial(enlarged, 77)()
    assert len(ordered) == 60 and text and sum_of_all and mapped and read and kept and partial
