"""What heapray says of itself, on standard error."""

import logging
import operator
import sys

_threshold = logging.WARNING


def set_log_level(level: int) -> None:
    """Sets how severe a message of heapray's must be to be printed: one of logging's levels, `logging.WARNING` at first.

    Raises:
        TypeError: The level is not an integer.
    """
    global _threshold
    _threshold = operator.index(level)


def warn(text: str) -> None:
    """Prints a warning. Fails silently: the program comes first."""
    if _threshold > logging.WARNING:
        return
    try:
        print(f"heapray: {text}", file=sys.stderr, flush=True)
    except Exception:
        pass
