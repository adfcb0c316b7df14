"""What memray reads captures with. heapray's are read by its command line; these names say so when they are used."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from heapray._file_format import FileFormat


class MemorySnapshot(NamedTuple):
    """The process's memory at a moment."""

    time: int
    """Milliseconds since the Unix epoch."""
    rss: int
    """Resident memory, bytes."""
    heap: int
    """Memory that was tracked, bytes."""


@dataclass
class Metadata:
    """What a capture tells of its process."""

    start_time: datetime
    end_time: datetime
    total_allocations: int
    total_frames: int
    peak_memory: int
    command_line: str
    pid: int
    main_thread_id: int
    python_allocator: str
    has_native_traces: bool
    trace_python_allocators: bool
    file_format: FileFormat


class AllocationRecord:
    """For annotations: there is none to be had."""

    def __init__(self, *_: Any, **__: Any) -> None:
        _refuse("records", "heapray parse <capture>")


class FileReader:
    """
    Raises:
        NotImplementedError: Always; it names the command to use.
    """

    def __init__(self, file_name: Any, **_: Any) -> None:
        _refuse("captures", f"heapray stats {file_name}")


class SocketReader:
    """
    Raises:
        NotImplementedError: Always; it names the command to use.
    """

    def __init__(self, port: int) -> None:
        _refuse("a running program's records", f"heapray live {port}")


def dump_all_records(file_name: Any) -> None:
    """
    Raises:
        NotImplementedError: Always; it names the command to use.
    """
    _refuse("records", f"heapray parse {file_name}")


def load_ipython_extension(ipython: Any) -> None:
    """
    Raises:
        NotImplementedError: Always; it names what to use instead.
    """
    _refuse("captures", "with heapray.Tracker(path): in the cell, and `heapray flamegraph <path>` afterwards", "use")


def _refuse(what: str, instead: str, verb: str = "run") -> NoReturn:
    shown = instead if verb == "use" else f"`{instead}`"
    raise NotImplementedError(f"heapray's Python package records; {what} are read by its command line: {verb} {shown}.")
