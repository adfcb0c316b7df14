"""Frames that stop and go on: generators, what they delegate to, coroutines, asynchronous generators, comprehensions."""

import asyncio
import contextlib

kept = []


def numbers(count):
    for i in range(count):
        kept.append(bytearray(1200))
        yield i


def delegated(count):
    kept.append(bytearray(1300))
    yield from numbers(count)
    kept.append(bytearray(1400))


@contextlib.contextmanager
def held(size):
    block = bytearray(size)
    try:
        yield block
    finally:
        del block


async def arriving(count):
    for _ in range(count):
        await asyncio.sleep(0)
        yield bytearray(1500)


async def gather(name):
    async for block in arriving(5):
        kept.append(block)
    return bytearray(1600)


async def main():
    kept.extend(await asyncio.gather(gather("a"), gather("b")))


sums = [sum(delegated(5)), sum(i for i in numbers(3)), max({i: i for i in numbers(2)})]
with held(50_000) as block:
    kept.append(bytes(block))
asyncio.run(main())
