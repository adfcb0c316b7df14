"""Holds memory by lines of its own, of a package, of the standard library, of a thread, and of code without a file."""

import sys
import threading

from heapray import Tracker

kept = []


class Store:
    def __init__(self, size):
        self.rows = bytearray(size)  # @rows


def work():
    kept.append(bytearray(3_000_011))  # @thread


def main():
    kept.append(Store(4_000_037))
    import lodge  # @import

    kept.append(lodge.fill(2_000_003))
    exec("kept.append(bytearray(1_000_003))", {"kept": kept})
    source = "[" + "1.5," * 200_000 + "1.5]"
    kept.append(__import__("json").loads(source))  # @json
    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join()


if __name__ == "__main__":
    with Tracker(sys.argv[1], trace_python_allocators="pymalloc" in sys.argv, native_traces="native" in sys.argv):
        main()
