"""What imports.py imports."""

TABLE = [bytearray(100) for _ in range(5_000)]
LONG = bytes(70_000)


def build(size: int) -> bytearray:
    return bytearray(size)


BUILT = build(12_345)
