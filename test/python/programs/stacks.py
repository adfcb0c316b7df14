"""Allocates blocks of sizes that nothing else has, in many situations, and tells what stack each was made on.

    stacks.py <capture> <truth> [native] [python-allocators]

The truth is JSON: {"<size>": [[function, file, line], ... innermost first]}, as sys._getframe() has it. Each block is made in
the same line that the frames are asked in.
"""

import asyncio
import functools
import gc
import json
import marshal
import re
import sys
import threading
import types

import heapray

truth = {}
sizes = iter(range(1_000_001, 2_000_000, 8))
lock = threading.Lock()


def stack(frame):
    frames = []
    while frame is not None:
        frames.append([frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno])
        frame = frame.f_back
    return frames


def note(frame):
    """The size for a block that the frame is about to make."""
    with lock:
        size = next(sizes)
    truth[size] = stack(frame)
    return size


def block():
    return bytearray(note(sys._getframe()) - 1)


class Shape:
    made_in_body = bytearray(note(sys._getframe()) - 1)

    def __init__(self):
        self.area = bytearray(note(sys._getframe()) - 1)

    @property
    def lazily(self):
        return block()

    @staticmethod
    def of(*args, **kwargs):
        return block()

    @classmethod
    def make(cls):
        return [block() for _ in range(2)], {i: block() for i in range(2)}, list(block() for _ in range(2))

    def __lt__(self, other):
        block()
        return id(self) < id(other)

    def __del__(self):
        block()

    def __iter__(self):
        yield block()
        yield from self.nested()

    def nested(self):
        for _ in range(2):
            kept = block()
            yield kept

    def __enter__(self):
        return block()

    def __exit__(self, *what):
        block()


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        before = bytearray(note(sys._getframe()) - 1)
        return before, function(*args)

    return wrapper


@decorated
def recursive(depth):
    return block() if depth == 0 else recursive(depth - 1)


def deep(depth):
    if depth == 0:
        return block()
    return deep(depth - 1)


def callbacks():
    sorted([Shape(), Shape(), Shape()])
    sorted(range(4), key=lambda x: block() and x)
    list(map(lambda x: block(), range(2)))
    list(filter(lambda x: block(), range(2)))
    functools.reduce(lambda a, b: block(), range(3))
    re.sub("a", lambda match: "b" if block() else "", "aaa")
    json.dumps({"a": object()}, default=lambda o: "x" if block() else "")
    json.loads('{"a": {}}', object_hook=lambda o: block() and None)
    max(range(2), key=lambda x: block() and x)


def executed():
    exec("block()\n\nblock()")
    eval("[block() for _ in range(2)]")
    exec(compile("def inner():\n    block()\ninner()\n", "made-up.py", "exec"), globals())
    # Code that dies, and whose address the next one gets.
    for i in range(50):
        space = {"block": block}
        exec(compile("\n" * i + f"def f{i}():\n\n    return block()\nf{i}()\n", f"dies-{i}.py", "exec"), space)
        del space
        if i % 10 == 0:
            gc.collect()


def function_texts(count):
    """Code objects of one size, of functions that differ in name, file and line."""
    texts = []
    for i in range(count):
        source = "\n" * i + f"def g{i}():\n    return bytearray(note(sys._getframe()) - 1)\n"
        module = compile(source, f"replaced-{i}.py", "exec")
        code = next(const for const in module.co_consts if isinstance(const, types.CodeType))
        texts.append(marshal.dumps(code))
    return texts


def replaced():
    # Nothing large enough to be recorded is made between one call and the next, whose code lies where the last one's did.
    texts = function_texts(10)
    for text in texts:
        function = types.FunctionType(marshal.loads(text), globals())
        function()
        del function


async def coroutine(depth):
    if depth > 0:
        return await coroutine(depth - 1)
    block()
    await asyncio.sleep(0)
    return block()


async def asynchronous():
    async def generator():
        for _ in range(2):
            yield block()
            await asyncio.sleep(0)

    async for _ in generator():
        block()
    [block() async for _ in generator()]
    await asyncio.gather(coroutine(0), coroutine(5), *(coroutine(i) for i in range(4)))


def generators():
    for _ in Shape():
        block()
    first, *rest = Shape()
    generator = (block() for _ in range(3))
    next(generator)
    deep_in_other_stack(generator)
    sender = accumulate()
    next(sender)
    sender.send(1)
    sender.close()


def deep_in_other_stack(generator, depth=7):
    return deep_in_other_stack(generator, depth - 1) if depth else next(generator)


def accumulate():
    try:
        while True:
            kept = yield block()
    finally:
        block()


def errors():
    try:
        try:
            raise ValueError(block())
        except ValueError:
            block()
            raise KeyError(block())
        finally:
            block()
    except KeyError:
        block()
    with Shape() as held:
        block()


def lines():
    a = block(); b = block()
    c = [
        block(),
        block(),
        Shape.of(
            block(),
            key=block(),
        ),
    ]
    return (
        block()
        if a
        else
        None
    ), b, c


def everything():
    block()
    Shape.of(1, 2, a=3)
    Shape.make()
    Shape().lazily
    recursive(3)
    for depth in (1, 2, 40, 41, 3, 500):
        deep(depth)
    callbacks()
    executed()
    replaced()
    asyncio.run(asynchronous())
    generators()
    errors()
    lines()
    (lambda: (lambda: block())())()


def main(capture, truth_file, *options):
    # What is there already was made before.
    truth.clear()
    with heapray.Tracker(
        capture, native_traces="native" in options, trace_python_allocators="python-allocators" in options
    ):
        everything()
        threads = [threading.Thread(target=everything, name=f"thread {i}") for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _ in range(3):
            everything()
    with open(truth_file, "w", encoding="utf-8") as file:
        json.dump(truth, file)


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main(*sys.argv[1:])
