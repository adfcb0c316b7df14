"""The captures of the processes that were followed."""

import os
from glob import escape, glob

from heapray._compression import compress_capture


def compress_ended_children(path: str, since_ns: int) -> None:
    """Compresses the captures of children that could not do so themselves: those that were killed, for one.

    Args:
        path: The leading process's capture, after which theirs are named.
        since_ns: When tracking began, in nanoseconds since the Unix epoch: older files are of other runs.
    """
    for file in glob(f"{escape(path)}.*"):
        pid = file[len(path) + 1 :]
        try:
            if pid.isdecimal() and os.stat(file).st_mtime_ns >= since_ns - 1_000_000_000 and _has_ended(int(pid)):
                compress_capture(file)
        except OSError:
            pass


def _has_ended(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The state comes after the name, which may hold anything.
            return file.read().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except FileNotFoundError:
        return True
