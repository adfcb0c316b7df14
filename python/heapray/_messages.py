"""What heapray says of itself, on standard error."""

import operator
import sys

_WARNING = 30
"""logging's number, without logging: what heapray imports, the program no longer does while it is tracked."""
_threshold = _WARNING


def set_log_level(level: int) -> None:
    """Sets how severe a message must be to be printed: one of logging's levels, `logging.WARNING` at first.

    Raises:
        TypeError: The level is not an integer.
    """
    global _threshold
    _threshold = operator.index(level)


def warn(text: str) -> None:
    """Prints a warning. Fails silently: the program comes first."""
    if _threshold > _WARNING:
        return
    try:
        print(f"heapray: {text}", file=sys.stderr, flush=True)
    except Exception:
        pass
