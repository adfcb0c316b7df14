"""Modules imported while tracking: their bodies' allocations are below the import."""

import importlib
import sys
from pathlib import Path

MODULES = ["imported_module", "fractions", "difflib", "csv", "xml.dom.minidom", "wave"]


def main() -> None:
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.path.insert(0, str(Path(__file__).parent / "modules"))
    try:
        import imported_module

        assert len(imported_module.TABLE) == 5_000
        for name in MODULES[1:]:
            importlib.import_module(name)
    finally:
        sys.path.pop(0)
