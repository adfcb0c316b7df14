"""The context manager that tracks."""

import os
from types import TracebackType
from typing import NoReturn, Optional, Tuple, Type, Union, overload

from heapray._client import Client, wait_for_client
from heapray._destinations import Destination, FileDestination, SocketDestination
from heapray._file_format import FileFormat
from heapray._session import Session, start_session, stop_session
from heapray._settings import Settings, file_of, format_of, interval_of


class Tracker:
    """Records every allocation of this process, on all threads, from entering its `with` block until that is left.

    There is one active tracker per process, and each is entered once. One that is never left ends with the process.

    Args:
        file_name: The capture's path; the file must not exist. This or `destination`, not both.
        destination: A FileDestination or a SocketDestination. With the latter, the constructor waits for the client.
        native_traces: Record the C, C++ and Rust frames too.
        memory_interval_ms: Milliseconds between looks at the process's memory.
        follow_fork: Track the processes that are forked from this one or that multiprocessing starts, each into a file
            `<path>.<pid>`.
        trace_python_allocators: Record what Python's own allocators hand out, not only what they ask the system for.
        file_format: Whether to record every allocation, or their sums.
        track_object_lifetimes: False. Of memray's arguments, the one that has no counterpart here.

    Raises:
        TypeError: Both or neither of file_name and destination, or an argument of a wrong type.
        OverflowError: memory_interval_ms is negative or has more than 32 bits, or there is no such port.
        RuntimeError: follow_fork or an aggregated capture without a file; track_object_lifetimes.
        OSError: The file exists (FileExistsError) or cannot be made, or the port cannot be listened on.
    """

    @overload
    def __init__(
        self,
        file_name: Union[str, "os.PathLike[str]"],
        *,
        native_traces: bool = ...,
        memory_interval_ms: int = ...,
        follow_fork: bool = ...,
        trace_python_allocators: bool = ...,
        track_object_lifetimes: bool = ...,
        file_format: FileFormat = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        *,
        destination: Destination,
        native_traces: bool = ...,
        memory_interval_ms: int = ...,
        follow_fork: bool = ...,
        trace_python_allocators: bool = ...,
        track_object_lifetimes: bool = ...,
        file_format: FileFormat = ...,
    ) -> None: ...
    def __init__(
        self,
        file_name: Union[str, "os.PathLike[str]", None] = None,
        *,
        destination: Optional[Destination] = None,
        native_traces: bool = False,
        memory_interval_ms: int = 10,
        follow_fork: bool = False,
        trace_python_allocators: bool = False,
        track_object_lifetimes: bool = False,
        file_format: FileFormat = FileFormat.ALL_ALLOCATIONS,
    ) -> None:
        interval = interval_of(memory_interval_ms)
        aggregate = format_of(file_format) is FileFormat.AGGREGATED_ALLOCATIONS
        if (file_name is None) == (destination is None):
            raise TypeError("Exactly one of file_name and destination has to be given")
        if track_object_lifetimes:
            raise RuntimeError("track_object_lifetimes is not supported: heapray records allocations, not objects")
        if file_name is not None:
            destination = FileDestination(file_name)
        if not isinstance(destination, FileDestination):
            if follow_fork:
                raise RuntimeError("follow_fork needs a file: each process writes its own")
            if aggregate:
                raise RuntimeError("AGGREGATED_ALLOCATIONS needs a file: it is written at the end")
        client: Optional[Client] = None
        path: Optional[str] = None
        file = FileDestination("")
        if isinstance(destination, FileDestination):
            file = destination
            path = file_of(destination)
        elif isinstance(destination, SocketDestination):
            client = wait_for_client(destination)
        else:
            raise TypeError(f"destination is a FileDestination or a SocketDestination, not {destination!r}")
        settings = Settings(
            path=path,
            overwrite=bool(file.overwrite),
            buffered=bool(file.buffered),
            compress=bool(file.compress_on_exit),
            native_traces=bool(native_traces),
            memory_interval_ms=interval,
            follow_fork=bool(follow_fork),
            trace_python_allocators=bool(trace_python_allocators),
            aggregate=aggregate,
        )
        self._session: Optional[Session] = Session(settings, client)
        self._used: Optional[Session] = None

    def __reduce__(self) -> NoReturn:
        raise TypeError("A tracker is of one process: it cannot be copied or pickled")

    def __enter__(self) -> "Tracker":
        """Begins to record.

        Raises:
            RuntimeError: A tracker is active in this process, or this one was used before.
            OSError: The file cannot be made.
        """
        session = self._session
        if session is None:
            raise RuntimeError("A tracker cannot be entered again: make a new one, with a capture of its own")
        start_session(session)
        self._session, self._used = None, session
        return self

    def __exit__(
        self,
        exception_type: Optional[Type[BaseException]],
        exception: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Ends recording, and compresses the capture unless its destination says otherwise."""
        if self._used is not None:
            stop_session(self._used, "stop")

    def get_surviving_objects(self) -> Tuple[object, ...]:
        """
        Raises:
            RuntimeError: Always: no objects are tracked.
        """
        raise RuntimeError("track_object_lifetimes is not supported: heapray records allocations, not objects")
