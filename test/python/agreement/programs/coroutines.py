"""Coroutines: tasks of an event loop take turns, and each keeps its own stack."""

import asyncio
from contextlib import asynccontextmanager
from typing import AsyncIterator


async def fetched(size: int) -> bytearray:
    block = bytearray(size)
    await asyncio.sleep(0)
    block += bytes(size)
    return block


async def pages(count: int) -> AsyncIterator[bytearray]:
    for page in range(count):
        await asyncio.sleep(0)
        yield bytearray(3_000 + page)


@asynccontextmanager
async def buffer(size: int) -> AsyncIterator[bytearray]:
    made = bytearray(size)
    await asyncio.sleep(0)
    yield made


async def collected() -> int:
    blocks = await asyncio.gather(*(fetched(1_000 * size) for size in range(1, 9)))
    read = [page async for page in pages(12)]
    async with buffer(50_000) as held:
        inner = asyncio.ensure_future(fetched(len(held)))
        blocks.append(await inner)
    return len(blocks) + len(read)


def main() -> None:
    assert asyncio.run(collected()) == 21
