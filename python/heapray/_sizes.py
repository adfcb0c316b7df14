"""Sizes as text."""


def size_fmt(num: float, suffix: str = "B") -> str:
    """A size in bytes as memray prints it: `size_fmt(123456)` is `123.456kB`."""
    for unit in ("", "k", "M", "G", "T", "P", "E", "Z"):
        if abs(num) < 1000:
            return f"{num:.3f}{unit}{suffix}"
        num /= 1000
    return f"{num:.1f}Y{suffix}"
