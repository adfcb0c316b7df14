"""The names of threading's threads, told to the agent while tracking."""

import threading
from types import FrameType
from typing import Any, Callable, Dict, List, Type

from heapray._loaded_agent import agent


def start_thread_trace(frame: FrameType, event: str, arg: Any) -> Any:
    """Does nothing: memray has it set as a profile function for threads that it does not see, and heapray sees all."""
    return start_thread_trace


class _ToldAttribute:
    """Stands for an attribute of each Thread: what is assigned to it is kept as before, and told.

    Without a `__get__`, reading the attribute costs nothing more.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __set__(self, thread: threading.Thread, value: object) -> None:
        attributes = thread.__dict__
        attributes[self.name] = value
        _tell(attributes)

    def __delete__(self, thread: threading.Thread) -> None:
        del thread.__dict__[self.name]


def _tell(attributes: Dict[str, Any]) -> None:
    native_id = attributes.get("_native_id")
    name = attributes.get("_name")
    if native_id is None or name is None:
        return
    try:
        agent.name_thread(native_id, str(name))
    except Exception:  # A name that is no text, say.
        pass


class ThreadNames:
    """Tells the agent how threads are called: those that run, those that start, and those that are renamed."""

    def __init__(self) -> None:
        self._undo: List[Callable[[], None]] = []

    def watch(self) -> None:
        """From now on, until unwatch(). Whatever threading has become in this program, it goes on to work."""
        # Not by "_name" and "_ident": memray's Tracker, which a program may use, needs them for itself.
        thread_class = threading.Thread
        if isinstance(thread_class, type):
            self._watch_starts(thread_class)
            self._watch_renames(thread_class)

    def _watch_starts(self, thread_class: Type[threading.Thread]) -> None:
        name = "_native_id"
        if hasattr(thread_class, name):
            return
        attribute = _ToldAttribute(name)
        setattr(thread_class, name, attribute)

        def undo() -> None:
            if thread_class.__dict__.get(name) is attribute:
                delattr(thread_class, name)

        self._undo.append(undo)

    def _watch_renames(self, thread_class: Type[threading.Thread]) -> None:
        name = "name"
        original = thread_class.__dict__.get(name)
        if not isinstance(original, property) or original.fset is None:
            return
        rename = original.fset

        def rename_and_tell(thread: threading.Thread, new_name: str) -> None:
            rename(thread, new_name)
            _tell(thread.__dict__)

        told = property(original.fget, rename_and_tell, original.fdel, original.__doc__)
        setattr(thread_class, name, told)

        def undo() -> None:
            if thread_class.__dict__.get(name) is told:
                setattr(thread_class, name, original)

        self._undo.append(undo)

    def tell_running(self) -> None:
        """Once the agent records."""
        try:
            threads = threading.enumerate()
        except Exception:  # Of what a program has put in its place.
            return
        for thread in threads:
            _tell(getattr(thread, "__dict__", {}))

    def unwatch(self) -> None:
        for undo in self._undo:
            undo()
        self._undo.clear()
