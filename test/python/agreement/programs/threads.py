"""Threads with names, which take turns: each step is another thread's."""

import threading

TOGETHER = 4
STEPS = 40


def block(size: int) -> bytearray:
    return bytearray(size)


def fill(turns: "list[threading.Lock]", kept: "list[bytearray]", index: int) -> None:
    for step in range(STEPS):
        turns[index].acquire()
        kept.append(block(1_000 * (index + 1) + step))
        bytes(2_500)
        if step % 3 == 2:
            del kept[0]
        turns[(index + 1) % TOGETHER].release()


def main() -> None:
    turns = [threading.Lock() for _ in range(TOGETHER)]
    for lock in turns:
        lock.acquire()
    kept: list[list[bytearray]] = [[] for _ in range(TOGETHER)]
    threads = [
        threading.Thread(target=fill, args=(turns, kept[index], index), name=f"filler-{index}")
        for index in range(TOGETHER)
    ]
    for thread in threads:
        thread.start()
    turns[0].release()
    for thread in threads:
        thread.join()
    assert sum(map(len, kept)) == TOGETHER * (STEPS - STEPS // 3)
