"""Threads with names of their own, some that share a name, and one that outlives its work."""

import threading

kept = []
done = threading.Event()


def allocate(count, size):
    return [bytearray(size + i) for i in range(count)]


def work(number):
    kept.append(allocate(50, 1000 * (number + 1)))
    for _ in range(20):
        allocate(3, 5000)


def wait():
    mine = allocate(10, 7000)
    done.wait()
    kept.append(mine)


waiting = threading.Thread(target=wait, name="waiting")
waiting.start()
threads = [threading.Thread(target=work, args=(i,), name=f"worker {i % 2}") for i in range(4)]
for thread in threads:
    thread.start()
work(9)
for thread in threads:
    thread.join()
done.set()
waiting.join()
