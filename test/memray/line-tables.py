"""The line tables of this Python's own code objects, and the line of each instruction, as JSON."""

import base64
import dis
import json
import sys

SOURCE = '''
import os


def plain(a, b):
    c = a + b
    return c


def backwards(values):
    for value in values:
        if (
            value > 3
            and value % 2
            or value == 7
        ):
            continue
        while value:
            value -= 1
    return [
        f(
            value,
            *values,
        )
        for value in values
        for f in (
            lambda *x: x,
            plain,
        )
    ]


class Wide:
    """Of a docstring."""

    x = {
        "a": 1,
        "b": [
            i
            for i in range(3)
        ],
    }

    async def method(self, other):
        try:
            async with other as one:
                yield one
        except (
            ValueError,
            OSError,
        ) as error:
            raise RuntimeError(
                "message"
            ) from error
        finally:
            del self


''' + "\n" * 300 + '''
def far(x): return (x,
''' + "\n" * 200 + '''
    x)
long = [''' + ",\n".join(f"max({i}, {i})" for i in range(300)) + "]\n" + "value = " + " + ".join(f"len('{i}')" for i in range(200)) + "\n"


def objects(code):
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from objects(constant)


def lines(code):
    """By offset of an instruction in bytes: its line; none where it has none."""
    if sys.version_info < (3, 10):
        starts = dict(dis.findlinestarts(code))
        line, found = code.co_firstlineno, {}
        for offset in range(0, len(code.co_code), 2):
            line = starts.get(offset, line)
            found[offset] = line
        return found
    return {o: line for start, end, line in code.co_lines() for o in range(start, end, 2)}


def table(code):
    return code.co_lnotab if sys.version_info < (3, 10) else code.co_linetable


json.dump(
    {
        "hexversion": sys.hexversion,
        "codes": [
            {
                "name": code.co_name,
                "first": code.co_firstlineno,
                "table": base64.b64encode(table(code)).decode(),
                "lines": lines(code),
            }
            for code in objects(compile(SOURCE, "source.py", "exec"))
        ],
    },
    sys.stdout,
)
