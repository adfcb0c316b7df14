"""Exceptions: frames left by them are left in the stacks too."""

import contextlib


def failing(depth: int) -> bytearray:
    block = bytearray(800 + depth)
    if depth == 0:
        raise ValueError(bytearray(3_000))
    try:
        return failing(depth - 1)
    finally:
        block.extend(bytes(1_700))


def caught() -> "list[BaseException]":
    kept: list[BaseException] = []
    for depth in range(8):
        try:
            failing(depth)
        except ValueError as error:
            kept.append(error)
            bytearray(5_000)
    return kept


def in_generator():
    try:
        yield bytearray(1_000)
    except KeyError:
        yield bytearray(2_000)


def main() -> None:
    kept = caught()
    after = bytearray(4_000)
    text = str(kept[0])
    with contextlib.suppress(ZeroDivisionError):
        [bytearray(900)][0][0] / 0
    source = in_generator()
    blocks = [next(source), source.throw(KeyError("thrown"))]
    assert text and after and blocks
