"""Processes that the tracked one forks: by hand, and by multiprocessing."""

import multiprocessing
import os

kept = [bytearray(10_000) for _ in range(10)]


def in_child(number):
    kept.append([bytearray(20_000 + i) for i in range(number + 5)])
    kept.pop(0)


def main():
    child = os.fork()
    if child == 0:
        in_child(1)
        os._exit(0)
    os.waitpid(child, 0)
    process = multiprocessing.get_context("fork").Process(target=in_child, args=(20,))
    process.start()
    process.join()
    in_child(2)


if __name__ == "__main__":
    main()
