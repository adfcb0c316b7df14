"""The names of threading's threads, told to the agent while tracking."""

import threading
from types import FrameType
from typing import Any, Dict, List, Tuple, Type

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
        self._patched: List[Tuple[Type[threading.Thread], _ToldAttribute]] = []

    def watch(self) -> None:
        """From now on, until unwatch(). Whatever threading has become in this program, it goes on to work."""
        thread_class = threading.Thread
        for name in ("_name", "_native_id"):
            if isinstance(thread_class, type) and not hasattr(thread_class, name):
                attribute = _ToldAttribute(name)
                setattr(thread_class, name, attribute)
                self._patched.append((thread_class, attribute))

    def tell_running(self) -> None:
        """Once the agent records."""
        try:
            threads = threading.enumerate()
        except Exception:  # Of what a program has put in its place.
            return
        for thread in threads:
            _tell(getattr(thread, "__dict__", {}))

    def unwatch(self) -> None:
        for thread_class, attribute in self._patched:
            if thread_class.__dict__.get(attribute.name) is attribute:
                delattr(thread_class, attribute.name)
        self._patched.clear()
