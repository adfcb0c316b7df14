"""Code that has no file of its own, and calls that take several lines."""

import functools

kept = []
source = """
def made(count):
    return [
        bytearray(1000 + i)
        for i in range(
            count
        )
    ]

class Made:
    block = bytearray(6000)

    def method(self):
        self.block = bytearray(
            7000
        )
        return self

kept.append(made(5))
kept.append(Made().method())
"""
exec(compile(source, "<made up>", "exec"), {"kept": kept})
kept.append(eval(compile("[bytearray(2000) for _ in range(3)]", "<evaluated>", "eval")))
exec("kept.append(bytearray(3000))\n\n\nkept.append(bytearray(3001))")


def twice(function):
    @functools.wraps(function)
    def wrapper(*args):
        return (
            function(*args),
            function(
                *args,
            ),
        )

    return wrapper


@twice
def größe(n):
    return bytearray(n)


kept.append(größe(4000))
by_name = (lambda n: [bytearray(n), (lambda: bytearray(n + 1))()])(5000)
kept.append(
    dict(
        a=bytearray(1),
        b=bytearray(2000),
        c=max(
            len(bytearray(3000)),
            len(
                bytearray(4000)
            ),
        ),
    )
)
for size in range(3): kept.append(bytearray(size + 8000)); kept.append(bytes(size + 9000))
