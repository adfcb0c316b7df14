"""What runs when objects go: finalizers, weak references' callbacks, context managers' exits."""

import gc
import weakref


class Resource:
    def __init__(self, size: int) -> None:
        self.block = bytearray(size)

    def __enter__(self) -> "Resource":
        self.opened = bytes(1_800)
        return self

    def __exit__(self, *exception: object) -> None:
        self.closed = bytes(2_600)

    def __del__(self) -> None:
        self.last = bytearray(3_400)


def gone(_: object) -> None:
    bytearray(4_700)


def main() -> None:
    for size in range(1_000, 1_010):
        with Resource(size):
            bytearray(size)
    watched = Resource(900)
    reference = weakref.ref(watched, gone)
    del watched
    cycle = Resource(5_600)
    cycle.itself = cycle
    del cycle
    gc.collect()
    assert reference() is None
