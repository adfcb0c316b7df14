"""Trackers of which one is to record Python's own allocators, and the next one finds what that one left behind.

allocators.py <folder> <what happens>: records `last.bin` there, in which 5,000 tuples are made.
"""

import os
import sys
import tracemalloc
from pathlib import Path

import heapray

BLOCKS = 5000
FOLDER = Path(sys.argv[1])


def record(name: str, pymalloc: bool, then=lambda: None) -> None:
    with heapray.Tracker(FOLDER / name, trace_python_allocators=pymalloc):
        kept = [(number,) for number in range(BLOCKS)]
        then()
    del kept


def fork_inside() -> None:
    def child() -> None:
        if (pid := os.fork()) != 0:
            os.waitpid(pid, 0)
            return
        record("last.bin", pymalloc=False)
        os._exit(0)

    record("first.bin", pymalloc=True, then=child)


def tracemalloc_stops_inside() -> None:
    tracemalloc.start()
    record("first.bin", pymalloc=True, then=tracemalloc.stop)
    record("last.bin", pymalloc=True)


def tracemalloc_starts_inside() -> None:
    record("first.bin", pymalloc=True, then=tracemalloc.start)
    record("last.bin", pymalloc=True)


def tracemalloc_stays() -> None:
    record("first.bin", pymalloc=True, then=tracemalloc.start)
    record("last.bin", pymalloc=False)


globals()[sys.argv[2]]()
