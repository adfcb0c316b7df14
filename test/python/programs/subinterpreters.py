"""Interpreters beside the main one, each with a GIL of its own, on threads that run at the same time.

subinterpreters.py <capture>: what importing heapray in one of them says goes to standard output.
"""

import sys
import threading

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

import heapray

PROGRAM = """
def inner(size):
    return bytearray(size)
def outer(size):
    return inner(size)
def numbers():
    yield outer(1_300_007)
for number in range(300):
    exec(compile("def made():\\n return [0] * 50\\nmade()", "<made>", "exec"), {})
kept = [outer(1_200_003), next(numbers())]
"""
IMPORT = f"""
import sys
sys.path[:] = {sys.path!r}
try:
    import heapray
except ImportError as error:
    print(error, flush=True)
"""


def run() -> None:
    made = interpreters.create()
    interpreters.run_string(made, PROGRAM)
    interpreters.destroy(made)


with heapray.Tracker(sys.argv[1]):
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
interpreter = interpreters.create()
interpreters.run_string(interpreter, IMPORT)
interpreters.destroy(interpreter)
