"""Builds heapray._agent for the Python that runs this: `python build_agent.py [--tag] <path of the extension>`.

Used by setup.py and by scripts/build-python.mjs. Compiles what has changed only: the objects lie in build/python/ of the
checkout, or where that cannot be written, in a folder that is gone afterwards.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "native"


class BuildError(Exception):
    """Why the agent cannot be built: one sentence."""


def tag() -> str:
    """What tells this Python's builds from others: its version, to the last number."""
    return "cpython-" + platform.python_version()


def build_agent(out: Path) -> None:
    """Builds the extension module.

    Raises:
        BuildError: This Python or machine is not supported, or something that is needed is missing or failed.
    """
    include = Path(sysconfig.get_path("include"))
    _check(include)
    compiler = os.environ.get("CXX", "g++")
    with _objects_folder() as objects:
        variables = {
            "CXX": compiler,
            "OUT": out,
            "PYTHON_INCLUDE": include,
            "BUILD": objects / "obj",
            "RUNTIME_BUILD": objects / tag() / "obj",
        }
        make = ["make", "--silent", "--no-print-directory", "-C", str(NATIVE), f"-j{len(os.sched_getaffinity(0))}"]
        made = subprocess.run(make + [f"{name}={value}" for name, value in variables.items()], stdout=sys.stderr)
    if made.returncode != 0:
        raise BuildError(f"heapray's agent does not compile for Python {platform.python_version()}: see above.")


def _check(include: Path) -> None:
    version = platform.python_version()
    if sys.implementation.name != "cpython" or not (3, 9) <= sys.version_info < (3, 15):
        raise BuildError(f"heapray tracks CPython 3.9 to 3.14, not {sys.implementation.name} {version}.")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise BuildError("heapray does not track a free-threaded Python: use one that has the GIL.")
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise BuildError(f"heapray tracks on Linux x64 only, not on {sys.platform} {platform.machine()}.")
    if not (NATIVE / "Makefile").is_file():
        raise BuildError(
            f"heapray is built from its whole checkout, and there is no {NATIVE}: run `pip install ./python` in the "
            "checkout, with pip 21.3 or newer (an older one copies the folder python/ away first)."
        )
    compiler = os.environ.get("CXX", "g++").split()[0]
    for program, package in ((compiler, "g++"), ("make", "make")):
        if shutil.which(program) is None:
            raise BuildError(f"heapray's agent is compiled while it is installed, and {program} is missing: install {package}.")
    if not (include / "Python.h").is_file():
        raise BuildError(
            f"the headers of Python {version} are missing, there is no {include / 'Python.h'}: install "
            f"python{sys.version_info[0]}.{sys.version_info[1]}-dev, or whatever brings them for this Python."
        )


@contextmanager
def _objects_folder() -> Iterator[Path]:
    folder = ROOT / "build" / "python"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / "lock", "w")
    except OSError:
        with tempfile.TemporaryDirectory(prefix="heapray-build-") as temporary:
            yield Path(temporary)
        return
    with lock:
        # One build at a time: versions share most objects.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def main() -> int:
    if sys.argv[1:] == ["--tag"]:
        print(tag())
        return 0
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    try:
        build_agent(Path(sys.argv[1]).absolute())
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
