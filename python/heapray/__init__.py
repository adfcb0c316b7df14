"""A memory profiler: records every allocation of this process, with its stack, until the `with` block ends.

    import heapray

    with heapray.Tracker("out.bin"):
        work()

The names, arguments and errors are those of memray: `import heapray as memray` runs a program written for its Tracker.
Captures are read by heapray's command line: `heapray flamegraph out.bin`.
"""

from heapray._allocator_type import AllocatorType
from heapray._destinations import Destination, FileDestination, SocketDestination
from heapray._file_format import FileFormat
from heapray._messages import set_log_level
from heapray._readers import (
    AllocationRecord,
    FileReader,
    MemorySnapshot,
    Metadata,
    SocketReader,
    dump_all_records,
    load_ipython_extension,
)
from heapray._sizes import size_fmt
from heapray._thread_names import start_thread_trace
from heapray._tracker import Tracker
from heapray._version import __version__

__all__ = [
    "AllocationRecord",
    "AllocatorType",
    "Destination",
    "FileDestination",
    "FileFormat",
    "FileReader",
    "MemorySnapshot",
    "Metadata",
    "SocketDestination",
    "SocketReader",
    "Tracker",
    "__version__",
    "dump_all_records",
    "load_ipython_extension",
    "set_log_level",
    "size_fmt",
    "start_thread_trace",
]
