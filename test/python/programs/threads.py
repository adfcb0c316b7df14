"""Threads with names, at work at the same time."""

import threading

TOGETHER = 4


def fill(barrier: threading.Barrier, kept: "list[bytearray]", size: int) -> None:
    barrier.wait()
    for step in range(60):
        kept.append(bytearray(size + step))
        bytes(size)
    barrier.wait()
    del kept[::2]


def main() -> None:
    barrier = threading.Barrier(TOGETHER)
    kept: list[list[bytearray]] = [[] for _ in range(TOGETHER)]
    threads = [
        threading.Thread(target=fill, args=(barrier, kept[index], 1_000 * (index + 1)), name=f"filler-{index}")
        for index in range(TOGETHER)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(len, kept)) == TOGETHER * 30
