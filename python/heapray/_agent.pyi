"""The extension module, native/python/module.cc."""

from typing import Any, Dict, Optional


def start(settings: Dict[str, Any], /) -> None:
    """Begins to record. The keys, each with a default:

    destination: str            what messages call the place that the capture goes to
    path: str                   the capture's file; or
    listener: a listener        that has a client; or
    discard: bool               nothing is kept
    overwrite, buffered: bool   False
    aggregate: bool             False
    native_traces: bool         False
    trace_python_allocators: bool  False
    memory_interval_ms: int     10
    metadata: str               the capture's header, JSON (docs/capture-format.md)

    Raises OSError where the file cannot be made, RuntimeError where a recording is active.
    """


def stop(reason: str, /) -> bool:
    """Ends the recording: whether the capture is complete."""


def is_active() -> bool: ...
def listen(address: str, port: int, /) -> object:
    """A listener, for accept() and start(). Raises OSError."""


def accept(listener: object, milliseconds: int, /) -> bool:
    """Waits for a client: whether one has connected. Raises OSError, and what handlers of signals raise."""


def close_listener(listener: object, /) -> None: ...
def name_thread(native_id: int, name: str, /) -> None:
    """The thread with that kernel id is called so in the capture from now on."""


def end_with_parent(parent: int, /) -> None:
    """The process is killed when its parent, of this id, ends. For the main thread."""


def after_fork() -> None:
    """To be called in a forked child: it has nothing to do with its parent's recording."""


def numbered_form(file: int, /) -> Optional[object]:
    """The numbered form (docs/capture-format.md) of the capture of single allocations in a file, from the descriptor's
    position on; None where it has none."""


def next_piece(form: object, bytes: int, /) -> bytes:
    """Its next bytes, so many or a few more; none at its end. Raises ValueError where the capture is damaged, OSError,
    MemoryError."""
