"""The agent, or a sentence that tells why there is none."""

import sys

if "free-threading" in sys.version:
    raise ImportError("heapray does not track a free-threaded Python: use one that has the GIL.")

try:
    from heapray import _agent as agent
except ImportError as error:
    if "subinterpreter" in str(error):
        raise ImportError(
            "heapray is loaded by the main interpreter only, and records what all of them do: import it there."
        ) from error
    raise ImportError(
        f"heapray's agent is not there for Python {sys.version.split()[0]}: run `pip install ./python` in heapray's "
        f"checkout, with this Python ({error})."
    ) from error

__all__ = ["agent"]
