"""What stays: a cache that is never emptied, a cycle, and what the module's own names hold."""

cache = {}


def remember(key):
    cache[key] = bytearray(3000 + key)
    return cache[key]


class Node:
    def __init__(self):
        self.payload = bytearray(4096)
        self.other = None


def cycle():
    one, two = Node(), Node()
    one.other, two.other = two, one
    return one


for key in range(60):
    remember(key)
    if key % 4 == 0:
        del cache[key]
ring = cycle()
cycle()
