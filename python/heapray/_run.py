"""Tracks a program that `heapray run` starts: called by python/launch/preload before the program begins."""

import json
import os
import signal
from typing import Any, Dict, Optional

from heapray._destinations import FileDestination, SocketDestination
from heapray._file_format import FileFormat
from heapray._loaded_agent import agent
from heapray._tracker import Tracker


def begin(text: str) -> None:
    """Starts a tracker, which ends with the process.

    Args:
        text: The settings of the run, as JSON: src/tracker/run-settings.ts.

    Raises:
        Exception: It cannot be started; the message is for the user.
    """
    settings: Dict[str, Any] = json.loads(text)
    agent.end_with_parent(settings["parent"])
    port: Optional[int] = settings.get("livePort")
    if port is None:
        tracker = _tracker(settings, _file(settings))
    else:
        # Ctrl-C ends the waiting for a client, and this process.
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            tracker = _tracker(settings, SocketDestination(server_port=port))
        finally:
            signal.signal(signal.SIGINT, before)
    tracker.__enter__()


def _file(settings: Dict[str, Any]) -> FileDestination:
    return FileDestination(
        settings["file"].replace("{pid}", str(os.getpid())),
        overwrite=settings["overwrite"],
        # heapray compresses captures when the program has ended.
        compress_on_exit=False,
        buffered=settings["buffered"],
    )


def _tracker(settings: Dict[str, Any], destination: Any) -> Tracker:
    return Tracker(
        destination=destination,
        native_traces=settings["nativeTraces"],
        memory_interval_ms=settings["memoryIntervalMs"],
        follow_fork=settings["followFork"],
        trace_python_allocators=settings["tracePythonAllocators"],
        file_format=FileFormat.AGGREGATED_ALLOCATIONS if settings["aggregate"] else FileFormat.ALL_ALLOCATIONS,
    )
