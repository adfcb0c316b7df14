"""Stacks of thousands of frames, and some that call each other."""

import sys

sys.setrecursionlimit(5000)
kept = []


def down(depth):
    if depth == 0 or depth % 500 == 0:
        kept.append(bytearray(1000 + depth))
    if depth > 0:
        down(depth - 1)
    if depth % 700 == 0:
        kept.append(bytearray(2000 + depth))


def even(n):
    kept.append(bytearray(1100))
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def fail(depth):
    if depth == 0:
        raise ValueError(bytearray(9000))
    try:
        fail(depth - 1)
    finally:
        kept.append(bytearray(1300))


down(3000)
even(40)
try:
    fail(30)
except ValueError as error:
    kept.append(error.args[0])
