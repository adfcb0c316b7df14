"""Tracks a program that `heapray run` starts: called by python/launch/preload before the program begins."""

import atexit
import json
import os
import signal
from typing import Any, Dict, Optional

from heapray import FileDestination, FileFormat, SocketDestination, Tracker, _agent


def begin(text: str) -> None:
    """Starts a tracker, which ends with the process.

    :param text: the settings of the run, as JSON: src/tracker/run-settings.ts
    :raises Exception: it cannot be started; the sentence is for the user
    """
    settings: Dict[str, Any] = json.loads(text)
    _agent.end_with_parent(settings["parent"])
    tracker = _tracker(settings)
    port: Optional[int] = settings.get("livePort")
    if port is None:
        tracker.__enter__()
    else:
        # Ctrl-C ends the waiting for a client, and this process.
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            tracker.__enter__()
        finally:
            signal.signal(signal.SIGINT, before)
    # The first to be registered is the last to be called.
    atexit.register(tracker.__exit__, None, None, None)


def _tracker(settings: Dict[str, Any]) -> Tracker:
    destination: Any
    if settings.get("livePort") is not None:
        destination = SocketDestination(server_port=settings["livePort"])
    else:
        destination = FileDestination(
            settings["file"].replace("{pid}", str(os.getpid())),
            overwrite=settings["overwrite"],
            # heapray compresses captures when the program has ended.
            compress_on_exit=False,
            buffered=settings["buffered"],
        )
    return Tracker(
        destination=destination,
        native_traces=settings["nativeTraces"],
        memory_interval_ms=settings["memoryIntervalMs"],
        follow_fork=settings["followFork"],
        trace_python_allocators=settings["tracePythonAllocators"],
        file_format=FileFormat.AGGREGATED_ALLOCATIONS if settings["aggregate"] else FileFormat.ALL_ALLOCATIONS,
    )
