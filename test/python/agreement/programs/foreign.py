"""The C library's allocators, called directly."""

import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.calloc.restype = ctypes.c_void_p
libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
libc.realloc.restype = ctypes.c_void_p
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.posix_memalign.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def buffers() -> None:
    kept = [ctypes.create_string_buffer(3_000) for _ in range(20)]
    array = (ctypes.c_double * 4_000)()
    assert len(kept) == 20 and len(array) == 4_000


def copies() -> None:
    block = ctypes.create_string_buffer(b"x" * 2_000)
    for _ in range(10):
        assert len(block.raw) == 2_001


def main() -> None:
    buffers()
    copies()
    blocks = [libc.malloc(1_000 + step) for step in range(15)]
    for block in blocks:
        libc.free(block)
    libc.free(libc.realloc(libc.calloc(30, 100), 9_000))
    aligned = ctypes.c_void_p()
    assert libc.posix_memalign(ctypes.byref(aligned), 64, 5_000) == 0
    libc.free(aligned)
