"""What heapray's command line asks a Python before it runs a program with it. Runs on any Python, however old.

Writes to descriptor 3, each ended by a zero byte: the implementation, the version, the flags of its ABI, the
executable, whether the system forbids pip to install for it, and of its heapray: "found", the version; or "missing",
or "broken", why.
"""

import os
import sys

# The first entry is this file's folder.
del sys.path[0]


def find_heapray():  # noqa: ANN201
    try:
        import heapray
    except ImportError as error:
        if getattr(error, "name", "heapray") == "heapray":
            return ["missing", ""]
        return ["broken", str(error)]
    except Exception as error:
        return ["broken", "%s: %s" % (type(error).__name__, error)]
    return ["found", str(getattr(heapray, "__version__", ""))]


implementation = getattr(sys, "implementation", None)
in_environment = sys.prefix != getattr(sys, "base_prefix", sys.prefix)
marker = os.path.join(os.path.dirname(os.__file__), "EXTERNALLY-MANAGED")
facts = [
    implementation.name if implementation else ("pypy" if "PyPy" in sys.version else "cpython"),
    ".".join(map(str, sys.version_info[:3])),
    getattr(sys, "abiflags", ""),
    sys.executable or "",
    "managed" if os.path.exists(marker) and not in_environment else "",
]
is_supported = facts[0] == "cpython" and sys.version_info >= (3, 9) and "t" not in facts[2]
facts += find_heapray() if is_supported else ["missing", ""]
text = "".join(fact + "\0" for fact in facts)
os.write(3, text.encode("utf-8", "surrogateescape") if sys.version_info[0] > 2 else text)
