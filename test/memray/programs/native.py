"""C and C++ below Python: extension modules, callbacks from C into Python, and the C library by way of ctypes."""

import bisect
import ctypes
import functools
import json
import re
import zlib

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.calloc.restype = ctypes.c_void_p
libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
libc.qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]

kept = []


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def compare(left, right):
    kept.append(bytearray(2000))
    return 0


class Key:
    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        kept.append(bytearray(1500))
        return self.value < other.value


def squeeze(text):
    packer = zlib.compressobj(9)
    return packer.compress(text) + packer.flush()


for size in (100, 10_000, 300_000):
    kept.append(libc.malloc(size))
    libc.free(libc.malloc(size + 1))
    kept.append(libc.calloc(size, 3))
items = (ctypes.c_int * 6)(*range(6))
libc.qsort(items, 6, ctypes.sizeof(ctypes.c_int), compare)
squeezed = [squeeze(bytes(range(256)) * 100) for _ in range(5)]
restored = [zlib.decompress(data) for data in squeezed]
ordered = sorted((Key(i % 7) for i in range(20)))
bisect.insort(ordered, Key(3))
total = functools.reduce(lambda so_far, text: so_far + bytes(text), [b"x" * 1000] * 10, b"")
replaced = re.sub("a", lambda match: "b" * 1000, "a" * 50)
texts = json.dumps([{"key": list(range(50))} for _ in range(100)])
loaded = json.loads(texts)
mapped = list(map(lambda n: bytearray(n), range(1000, 1020)))
