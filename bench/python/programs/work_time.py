"""Times a program's work: what tracking costs the program itself, without its start and its end."""

import sys
import time
from typing import Callable


def measure(work: Callable[[int], object], rounds: int) -> None:
    """Do `work` with as many rounds as the first argument says, else `rounds`; print the milliseconds of it."""
    if len(sys.argv) > 1:
        rounds = int(sys.argv[1])
    start = time.perf_counter()
    work(rounds)
    print((time.perf_counter() - start) * 1000)
