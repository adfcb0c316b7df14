"""What `heapray attach` has a running process do: src/attach/remote-calls.ts. Answers are dicts that JSON can carry."""

import _thread
import os
import time
from typing import Any, Dict, List, Optional

from heapray._client import Client
from heapray._loaded_agent import agent
from heapray._session import Session, start_session, stop_session
from heapray._settings import Settings
from heapray._version import __version__

Answer = Dict[str, Any]

_ADDRESS = "127.0.0.1"
_CLIENT_PATIENCE_S = 5.0
_ACCEPT_MS = 50
_ROOT = 0

_session: Optional[Session] = None


def attach(settings: Dict[str, Any]) -> Answer:
    """Starts to track this process.

    Args:
        settings: src/tracker/attach-settings.ts, and the `version` of who asks.
    """
    global _session
    if settings["version"] != __version__:
        return _error("HEAPRAY_VERSION", __version__)
    if agent.is_active():
        return _error("HEAPRAY_TRACKER_ACTIVE", "a tracker is active in this process")
    to = settings["to"]
    file = to.get("file")
    wanted = Settings(
        path=file,
        overwrite=to.get("overwrite", False),
        buffered=False,
        # Who attached compresses the capture: here it would hold up the program.
        compress=False,
        native_traces=settings["nativeTraces"],
        memory_interval_ms=settings["memoryIntervalMs"],
        follow_fork=settings["followFork"],
        trace_python_allocators=settings["tracePythonAllocators"],
        aggregate=settings["aggregate"],
    )
    try:
        client = None if file is not None else _connected(to["port"], to["user"])
    except OSError as error:
        return _error("HEAPRAY_NO_CLIENT", str(error))
    session = Session(wanted, client)
    end = _end_later(session, settings["durationMs"] / 1000) if "durationMs" in settings else None
    try:
        start_session(session)
    except OSError as error:
        return _error("HEAPRAY_CAPTURE_WRITE", f"Cannot write the capture {error.filename}: {error.strerror}")
    finally:
        if end is not None:
            end.release()
    _session = session
    return {}


def detach(settings: Dict[str, Any]) -> Answer:
    """Ends that."""
    global _session
    session, _session = _session, None
    was_active = agent.is_active()
    # One that a full disk has ended is put away, too.
    complete = None if session is None else stop_session(session, "stop")
    return {"trackedOtherwise": was_active} if complete is None or not was_active else {"complete": complete}


def _end_later(session: Session, seconds: float) -> "_thread.LockType":
    """Starts a thread that ends the session; what that needs itself is not to be recorded.

    Returns:
        A lock, to be released when the time begins.
    """
    runs, begun = _thread.allocate_lock(), _thread.allocate_lock()
    runs.acquire()
    begun.acquire()

    def wait_and_end() -> None:
        runs.release()
        begun.acquire()
        time.sleep(seconds)
        stop_session(session, "stop")

    _thread.start_new_thread(wait_and_end, ())
    runs.acquire()
    return begun


def _connected(port: int, user: int) -> Client:
    """The client, who may be one.

    Raises:
        OSError: There is none.
    """
    listener = agent.listen(_ADDRESS, port)
    try:
        deadline = time.monotonic() + _CLIENT_PATIENCE_S
        while not agent.accept(listener, _ACCEPT_MS):
            if time.monotonic() > deadline:
                raise OSError("no client has connected to it; try again")
        users = _users_connected_to(port)
        if not users:
            raise OSError("its client has gone again; try again")
        if any(one not in (_ROOT, os.geteuid(), user) for one in users):
            raise OSError("another user of this machine has connected to it first; try again")
    except BaseException:
        agent.close_listener(listener)
        raise
    return Client(listener, f"{_ADDRESS}:{port}")


def _users_connected_to(port: int) -> List[int]:
    """Whose connections lead to a port of this machine, by the kernel's tables of connections."""
    remote = f"0100007F:{port:04X}"
    users = []
    # A socket of IPv6 reaches the same address, and is in the other table.
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/self/net/{table}", encoding="latin-1") as file:
                rows = [line.split() for line in file]
        except OSError:  # A kernel without IPv6.
            continue
        users += [int(row[7]) for row in rows[1:] if row[2].endswith(remote)]
    return users


def _error(code: str, message: str) -> Answer:
    return {"error": {"code": code, "message": message}}
