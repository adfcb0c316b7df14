"""The header of a capture, docs/capture-format.md."""

import json
import os
import platform
import sys
import threading
import time
from typing import Any, Dict, List

from heapray._version import __version__


def capture_header(options: Dict[str, Any]) -> str:
    """The header, as JSON, of a capture that starts now in this thread."""
    version = platform.python_version()
    return json.dumps(
        {
            "pid": os.getpid(),
            "mainThreadId": threading.get_native_id(),
            "commandLine": _command_line(),
            "cwd": _working_directory(),
            "runtime": {"name": "python", "version": version, "engine": f"cpython {version}"},
            "arch": "x64",
            "platform": sys.platform,
            "startTimeMs": time.time_ns() // 1_000_000,
            "heaprayVersion": __version__,
            "options": options,
        }
    )


def _command_line() -> List[str]:
    orig_argv = getattr(sys, "orig_argv", None)  # From Python 3.10 on.
    if orig_argv:
        return [str(argument) for argument in orig_argv]
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return [os.fsdecode(argument) for argument in file.read().split(b"\0")[:-1]]
    except OSError:
        return list(getattr(sys, "argv", []))


def _working_directory() -> str:
    """Empty where the program has removed it."""
    try:
        return os.getcwd()
    except OSError:
        return ""
