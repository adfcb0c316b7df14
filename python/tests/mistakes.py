"""Makes the mistakes that a program can make with a Tracker, and prints what each raises, as JSON:
`python mistakes.py heapray`, or `memray`. They are compared by test/python/memray.test.ts.
"""

import importlib
import json
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
from typing import Any, Callable, Dict, List

profiler: Any = importlib.import_module(sys.argv[1])
Tracker = profiler.Tracker
FileDestination = profiler.FileDestination
SocketDestination = profiler.SocketDestination
AGGREGATED = profiler.FileFormat.AGGREGATED_ALLOCATIONS


def enter(*args: Any, **kwargs: Any) -> None:
    with Tracker(*args, **kwargs):
        pass


def to_file(path: str, **options: Any) -> None:
    enter(destination=FileDestination(path, **options))


def to_socket(*args: Any, **options: Any) -> None:
    Tracker(destination=SocketDestination(*args), **options)


def raises(error: BaseException) -> None:
    with Tracker("raises.bin"):
        raise error


def two_trackers() -> None:
    with Tracker("first.bin"):
        enter("second.bin")


def two_trackers_in_threads() -> None:
    errors: List[BaseException] = []

    def second() -> None:
        try:
            enter("second-in-thread.bin")
        except BaseException as error:
            errors.append(error)

    with Tracker("first-in-thread.bin"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    raise errors[0]


def nested() -> None:
    tracker = Tracker("nested.bin")
    with tracker:
        with tracker:
            pass


def reuse() -> None:
    tracker = Tracker("reuse.bin")
    with tracker:
        pass
    with tracker:
        pass


def leave_twice() -> None:
    tracker = Tracker("left.bin")
    with tracker:
        pass
    tracker.__exit__(None, None, None)


def in_thread() -> None:
    thread = threading.Thread(target=enter, args=("thread.bin",))
    thread.start()
    thread.join()
    assert os.path.exists("thread.bin")


def in_child() -> None:
    """Of a child that leaves the block; its status is looked at here."""
    with Tracker("parent.bin"):
        pid = os.fork()
    if pid == 0:
        enter("child.bin")
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert status == 0 and os.path.exists("child.bin"), status


def taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        to_socket(taken.getsockname()[1])


MISTAKES: Dict[str, Callable[[], Any]] = {
    "neither": lambda: Tracker(),
    "both": lambda: Tracker("a.bin", destination=FileDestination("b.bin")),
    "positional": lambda: Tracker("a.bin", True),
    "unknown argument": lambda: Tracker("a.bin", nope=1),
    "exists": lambda: Tracker("exists.bin"),
    "exists, as a destination": lambda: to_file("exists.bin"),
    "exists, overwritten": lambda: to_file("replaced.bin", overwrite=True),
    "folder missing": lambda: Tracker("missing/a.bin"),
    "a folder": lambda: Tracker("/tmp"),
    "a folder, overwritten": lambda: to_file("/tmp", overwrite=True),
    "not writable": lambda: Tracker("/proc/a.bin"),
    "no name": lambda: Tracker(""),
    "NUL in the name": lambda: Tracker("a\0b"),
    "a number for a name": lambda: Tracker(5),
    "bytes for a name": lambda: Tracker(b"bytes.bin"),
    "a Path": lambda: enter(pathlib.Path("path.bin")),
    "a text as the destination": lambda: Tracker(destination="a.bin"),
    "a bare destination": lambda: Tracker(destination=profiler.Destination()),
    "an interval below zero": lambda: Tracker("a1.bin", memory_interval_ms=-1),
    "an interval of zero": lambda: enter("a2.bin", memory_interval_ms=0),
    "an interval beyond 32 bits": lambda: Tracker("a3.bin", memory_interval_ms=2**33),
    "a text as the interval": lambda: Tracker("a4.bin", memory_interval_ms="10"),
    "None as the interval": lambda: Tracker("a5.bin", memory_interval_ms=None),
    "a fraction as the interval": lambda: Tracker("a6.bin", memory_interval_ms=1.5),
    "anything as a flag": lambda: Tracker("a7.bin", native_traces="yes"),
    "a number as the format": lambda: Tracker("a8.bin", file_format=1),
    "an unknown format": lambda: Tracker("a9.bin", file_format=7),
    "a text as the format": lambda: Tracker("a10.bin", file_format="ALL_ALLOCATIONS"),
    "None as the format": lambda: Tracker("a11.bin", file_format=None),
    "lifetimes": lambda: Tracker("a12.bin", track_object_lifetimes=True),
    "surviving objects": lambda: Tracker("a13.bin").get_surviving_objects(),
    "aggregated to a socket": lambda: to_socket(1, file_format=AGGREGATED),
    "children to a socket": lambda: to_socket(1, follow_fork=True),
    "a text as the port": lambda: to_socket("1"),
    "a port below zero": lambda: to_socket(-1),
    "an address that is not this machine's": lambda: to_socket(4242, "203.0.113.1"),
    "a number as the address": lambda: to_socket(4242, 5),
    "a port that is taken": taken_port,
    "two trackers": two_trackers,
    "two trackers in threads": two_trackers_in_threads,
    "nested": nested,
    "used again": reuse,
    "left twice": leave_twice,
    "left before it is entered": lambda: Tracker("a14.bin").__exit__(None, None, None),
    "an exception in the block": lambda: raises(ValueError("of the program")),
    "an exit in the block": lambda: raises(SystemExit(3)),
    "a tracker in a thread": in_thread,
    "a tracker in a child": in_child,
    "a path missing": lambda: FileDestination(),
    "a port missing": lambda: SocketDestination(),
    "a destination that is changed": lambda: setattr(FileDestination("a"), "path", "b"),
    "a text as the log level": lambda: profiler.set_log_level("WARNING"),
}


def outcome(mistake: Callable[[], Any]) -> Dict[str, Any]:
    """Of what is raised: its class and those above it, and its text."""
    try:
        mistake()
    except BaseException as error:
        return {"classes": [cls.__name__ for cls in type(error).__mro__], "message": str(error)}
    return {"classes": [], "message": ""}


def main() -> None:
    # What waits for ever is a mistake too.
    signal.alarm(60)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("exists.bin", "replaced.bin"):
            pathlib.Path(name).touch()
        outcomes = {name: outcome(mistake) for name, mistake in MISTAKES.items()}
        os.chdir("/")
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
