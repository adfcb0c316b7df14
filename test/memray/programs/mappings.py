"""Mappings: whole ones, parts taken away from both ends and out of the middle, files."""

import ctypes
import mmap
import tempfile

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def reserve(pages):
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return libc.mmap(None, pages * PAGE, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)


def release(address, pages):
    libc.munmap(address, pages * PAGE)


start = reserve(100)
release(start, 10)
release(start + 90 * PAGE, 10)
release(start + 40 * PAGE, 20)
first, second = reserve(7), reserve(9)
release(first, 7)
kept = [mmap.mmap(-1, (i + 1) * PAGE) for i in range(8)]
for mapping in kept[::2]:
    mapping.close()
with tempfile.TemporaryFile() as file:
    file.write(b"x" * 10 * PAGE)
    file.flush()
    of_file = mmap.mmap(file.fileno(), 10 * PAGE, access=mmap.ACCESS_READ)
    of_file.close()
release(start + 10 * PAGE, 30)
