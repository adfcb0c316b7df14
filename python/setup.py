"""Builds the package out of the checkout: the agent from ../native, the version from ../package.json."""

import json
import os
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from build_agent import ROOT, BuildError, build_agent, tag  # noqa: E402


def version() -> str:
    package = ROOT / "package.json"
    if not package.is_file():
        raise SystemExit(
            f"heapray is built from its whole checkout, and there is no {package}: run `pip install ./python` in the "
            "checkout, with pip 21.3 or newer (an older one copies the folder python/ away first)."
        )
    return str(json.loads(package.read_text())["version"])


def build_base() -> str:
    """A folder for what setuptools leaves behind, outside of the sources."""
    folder = ROOT / "build" / "python" / tag() / "setuptools"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return tempfile.mkdtemp(prefix="heapray-build-")
    return str(folder) if os.access(folder, os.W_OK) else tempfile.mkdtemp(prefix="heapray-build-")


class BuildPackage(build_py):
    """Adds the version to the package."""

    def run(self) -> None:
        super().run()
        folder = HERE if self.editable_mode else Path(self.build_lib)
        (folder / "heapray" / "_version.py").write_text(f'__version__ = "{version()}"\n')


class BuildAgent(build_ext):
    """Has the agent made by native/Makefile, whose flags it needs."""

    def build_extension(self, ext: Extension) -> None:
        try:
            build_agent(Path(self.get_ext_fullpath(ext.name)).absolute())
        except BuildError as error:
            raise SystemExit(str(error)) from None


base = build_base()
setup(
    version=version(),
    ext_modules=[Extension("heapray._agent", [])],
    cmdclass={"build_py": BuildPackage, "build_ext": BuildAgent},
    options={"build": {"build_base": base}, "egg_info": {"egg_base": base}},
)
