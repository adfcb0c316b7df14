"""What a Tracker was asked for, checked."""

import errno
import operator
import os
import stat
from dataclasses import dataclass
from typing import Any, Dict, Optional

from heapray._destinations import FileDestination
from heapray._file_format import FileFormat

_LARGEST_INTERVAL_MS = 2**32 - 1


@dataclass(frozen=True)
class Settings:
    """How to record, and into which file, if any. Plain values only: they are handed on to other processes."""

    path: Optional[str]
    """Absolute."""
    overwrite: bool
    buffered: bool
    compress: bool
    native_traces: bool
    memory_interval_ms: int
    follow_fork: bool
    trace_python_allocators: bool
    aggregate: bool

    def header_options(self) -> Dict[str, Any]:
        """What the capture's header tells of them."""
        return {
            "fileFormat": (FileFormat.AGGREGATED_ALLOCATIONS if self.aggregate else FileFormat.ALL_ALLOCATIONS).name,
            "nativeTraces": self.native_traces,
            "embedSymbols": False,
            "memoryIntervalMs": self.memory_interval_ms,
            "tracePythonAllocators": self.trace_python_allocators,
            "buffered": self.buffered,
            "followFork": self.follow_fork,
        }


def interval_of(value: Any) -> int:
    """A number of milliseconds, as memray takes them: fractions are dropped, and 0 is as often as there is.

    Raises:
        TypeError: It is no number.
        OverflowError: It is negative, or has more than 32 bits.
    """
    try:
        interval = int(value) if isinstance(value, float) else operator.index(value)
    except TypeError:
        raise TypeError(f"memory_interval_ms is a whole number, not {type(value).__name__}") from None
    if not 0 <= interval <= _LARGEST_INTERVAL_MS:
        raise OverflowError(f"memory_interval_ms is from 0 to {_LARGEST_INTERVAL_MS}, not {interval}")
    return max(interval, 1)


def format_of(value: Any) -> FileFormat:
    """
    Raises:
        TypeError: It is no integer.
        RuntimeError: There is no such format.
    """
    try:
        return FileFormat(operator.index(value))
    except TypeError:
        raise TypeError(f"file_format is a FileFormat, not {type(value).__name__}") from None
    except ValueError:
        raise RuntimeError(f"file_format is a FileFormat, and none has the number {value}") from None


def file_of(destination: FileDestination) -> str:
    """The absolute path of a file that a capture can be written to.

    Raises:
        TypeError, ValueError: The path is not one.
        OSError: The file exists and is not to be overwritten (FileExistsError), or cannot be made there.
    """
    name = os.fspath(destination.path)
    if not isinstance(name, str):
        raise TypeError(f"the capture's path is a str or an os.PathLike of one, not {type(name).__name__}")
    if name == "":
        raise FileNotFoundError(errno.ENOENT, "The capture's path is empty", name)
    try:
        path = os.path.abspath(name)
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "The path is relative to a directory that is gone", name) from None
    if is_null_device(path):
        return path
    if not destination.overwrite and os.path.lexists(path):
        message = "The file exists already: choose another name, or pass FileDestination(path, overwrite=True)"
        raise FileExistsError(errno.EEXIST, message, name)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        _try_to_make(path, name)
    else:
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "The capture's path is a directory", name)
        if not stat.S_ISREG(mode):
            raise OSError(errno.ENOTSUP, "A capture is written to regular files only", name)
        # It is replaced.
        _check_folder(path, name)
    return path


def is_null_device(path: str) -> bool:
    """Whether the path is that of /dev/null, under whatever name."""
    try:
        return os.path.samefile(path, os.devnull)
    except OSError:
        return False


def _try_to_make(path: str, name: str) -> None:
    """Only the system knows whether a file can be made somewhere."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        os.unlink(path)
    except OSError as error:
        raise _cannot_write(error, name) from None


def _check_folder(path: str, name: str) -> None:
    if not os.access(os.path.dirname(path), os.W_OK | os.X_OK):
        raise _cannot_write(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), name)


def _cannot_write(error: OSError, name: str) -> OSError:
    return OSError(error.errno, f"Cannot write the capture: {error.strerror}", name)
