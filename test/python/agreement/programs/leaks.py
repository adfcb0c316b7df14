"""What is still held when tracking ends, next to what is not."""

HELD: "list[object]" = []
CACHE: "dict[int, bytearray]" = {}


class Node:
    def __init__(self, size: int) -> None:
        self.payload = bytearray(size)
        self.itself = self


def cached(key: int) -> bytearray:
    if key not in CACHE:
        CACHE[key] = bytearray(10_000 + key)
    return CACHE[key]


def main() -> None:
    HELD.clear()
    CACHE.clear()
    for step in range(50):
        HELD.append(bytearray(2_000 + step))
        cached(step % 13)
        bytearray(7_000)
    # In cycles: held until the collector comes, which it does not here.
    for _ in range(4):
        Node(6_000)
    HELD.append([0] * 3_000)
