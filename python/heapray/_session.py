"""What is recorded in this process: at most one session at a time, that of the Tracker that was entered."""

import atexit
import os
import threading
import time
from typing import Any, Dict, Optional

from heapray._capture_header import capture_header
from heapray._child_captures import compress_ended_children
from heapray._client import Client
from heapray._compression import compress_capture
from heapray._loaded_agent import agent
from heapray._messages import warn
from heapray._multiprocessing import follow_processes, leave_processes
from heapray._settings import Settings, is_null_device
from heapray._thread_names import ThreadNames


class Session:
    """One recording; with follow_fork, it goes on in the processes forked from this one, each with its own file."""

    def __init__(self, settings: Settings, client: Optional[Client] = None, leads: bool = True) -> None:
        """
        Args:
            client: Who is sent the records, where there is no file.
            leads: Whether this process is where tracking began: the others' captures are its to look after.
        """
        self._settings = settings
        self._client = client
        self._leads = leads
        self._file = settings.path if leads else _file_of_child(settings)
        self._threads = ThreadNames()
        self._started_ns = 0

    def start(self) -> None:
        """
        Raises:
            RuntimeError: A session is recording already.
            OSError: The file cannot be made (FileExistsError where it exists meanwhile).
        """
        global _current
        if agent.is_active():
            raise RuntimeError("A tracker is active in this process already: leave it before entering another")
        if _current is not None:  # What a full disk has ended.
            _current.stop("stop")
        follows = self._settings.follow_fork and self._file is not None
        if follows:
            follow_processes(self._settings, stop_at_process_end)
        self._threads.watch()
        try:
            self._begin()
        except BaseException:
            self._threads.unwatch()
            leave_processes()
            raise
        _current = self
        self._threads.tell_running()

    def _begin(self) -> None:
        settings = self._settings
        wanted: Dict[str, Any] = {
            "aggregate": settings.aggregate,
            "native_traces": settings.native_traces,
            "trace_python_allocators": settings.trace_python_allocators,
            "memory_interval_ms": settings.memory_interval_ms,
            "metadata": capture_header(settings.header_options()),
        }
        if self._client is not None:
            wanted.update(destination=self._client.place, listener=self._client.listener)
        elif self._file is not None:
            wanted["destination"] = _as_text(self._file)
            if is_null_device(self._file):
                wanted["discard"] = True
            else:
                overwrite = settings.overwrite or not self._leads
                wanted.update(path=self._file, overwrite=overwrite, buffered=settings.buffered)
        self._started_ns = time.time_ns()
        agent.start(wanted)

    def stop(self, reason: str) -> Optional[bool]:
        """Ends it, and compresses the capture if that was asked for.

        Args:
            reason: "stop" or "exit".

        Returns:
            Whether the capture is complete; None where there was nothing to end: afterwards, or in a child that is not
            followed.
        """
        global _current
        if _current is not self:
            return None
        _current = None
        complete = agent.stop(reason)
        self._threads.unwatch()
        leave_processes()
        if self._file is not None and self._settings.compress:
            compress_capture(self._file)
            if self._leads and self._settings.follow_fork:
                compress_ended_children(self._file, self._started_ns)
        return complete

    def go_on_in_child(self) -> None:
        """In a process that was just forked."""
        global _current
        self._threads.unwatch()
        _current = None
        if not self._settings.follow_fork or self._settings.path is None:
            leave_processes()
            return
        self._leads = False
        self._file = _file_of_child(self._settings)
        try:
            self.start()
        except Exception as error:
            warn(f"process {os.getpid()} is not tracked: {error}")


def _as_text(path: str) -> str:
    return os.fsencode(path).decode(errors="replace")


def _file_of_child(settings: Settings) -> Optional[str]:
    """This process's file, named after that of the process where tracking began, as memray names it."""
    path = settings.path
    return path if path is None or is_null_device(path) else f"{path}.{os.getpid()}"


_current: Optional[Session] = None
lock = threading.RLock()
"""Sessions start and stop with it held."""


def start_session(session: Session) -> None:
    with lock:
        session.start()


def stop_session(session: Session, reason: str) -> Optional[bool]:
    with lock:
        return session.stop(reason)


def start_in_spawned_process(settings: Settings) -> None:
    """In a process that multiprocessing has made of a program, before it works."""
    start_session(Session(settings, leads=False))


def stop_at_process_end() -> None:
    """At the end of a process of multiprocessing's, which does not run atexit's handlers."""
    # Threads that go on are recorded to their end; the agent completes the capture then.
    if threading.active_count() == 1:
        _stop_at_exit()


def _stop_at_exit() -> None:
    session = _current
    if session is not None:
        stop_session(session, "exit")


def _after_fork_in_child() -> None:
    global lock
    lock = threading.RLock()  # Another thread may have held it.
    agent.after_fork()
    session = _current
    if session is not None:
        session.go_on_in_child()


# Those that the program registers later run before.
atexit.register(_stop_at_exit)
os.register_at_fork(after_in_child=_after_fork_in_child)
