"""Follows the processes that multiprocessing starts, by whatever method.

Forked ones are seen by os.register_at_fork. Those of the methods spawn and forkserver begin as programs of their own,
and are sent a dict of how to prepare themselves; what stands in it for heapray starts tracking as it is unpickled.
"""

from dataclasses import asdict
from os.path import abspath, dirname
from typing import Any, Callable, Dict, Optional, Tuple

from heapray._settings import Settings

_START = """
try:
    import sys
    sys.path.append({folder!r})
    try:
        from heapray._session import start_in_spawned_process
        from heapray._settings import Settings
    finally:
        sys.path.remove({folder!r})
    start_in_spawned_process(Settings(**{settings!r}))
except Exception as error:
    print(f"heapray: process {{__import__('os').getpid()}} is not tracked: {{error}}", file=sys.stderr)
"""


class _StartsTracking:
    """Is unpickled by running code that needs nothing of heapray's to be found."""

    def __init__(self, settings: Settings) -> None:
        folder = dirname(dirname(abspath(__file__)))
        self._code = _START.format(folder=folder, settings=asdict(settings))

    def __reduce__(self) -> Tuple[Any, ...]:
        return exec, (self._code, {})


class _Marker:
    """What multiprocessing keeps a function for, that runs in its children."""

    is_registered = False


_MARKER = _Marker()
_original: Optional[Callable[..., Dict[str, Any]]] = None
_replacement: Optional[Callable[..., Dict[str, Any]]] = None


def follow_processes(settings: Settings, at_end: Callable[[], None]) -> None:
    """From now on, until leave_processes().

    Args:
        at_end: To be called when such a process ends.
    """
    global _original, _replacement
    import multiprocessing.spawn
    import multiprocessing.util

    leave_processes()
    original = multiprocessing.spawn.get_preparation_data

    def get_preparation_data(*args: Any, **kwargs: Any) -> Dict[str, Any]:
        data = original(*args, **kwargs)
        # Whoever wraps this one in turn may keep it for longer than it is wanted.
        if _replacement is get_preparation_data:
            data["heapray"] = _StartsTracking(settings)
        return data

    _original, _replacement = original, get_preparation_data
    multiprocessing.spawn.get_preparation_data = get_preparation_data
    if not _MARKER.is_registered:
        _MARKER.is_registered = True
        # The program's own have higher numbers, and run before.
        multiprocessing.util.register_after_fork(
            _MARKER, lambda _: multiprocessing.util.Finalize(None, at_end, exitpriority=-1000)
        )


def leave_processes() -> None:
    global _original, _replacement
    if _original is None:
        return
    import multiprocessing.spawn

    if multiprocessing.spawn.get_preparation_data is _replacement:
        multiprocessing.spawn.get_preparation_data = _original
    _original = _replacement = None
