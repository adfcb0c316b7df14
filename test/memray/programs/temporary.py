"""Blocks that are freed right away, or after a few others: growing lists, joined strings, swapped buffers."""


def grow(count):
    items = []
    for i in range(count):
        items.append(i)
    return len(items)


def join(count):
    text = b""
    for _ in range(count):
        text = text + b"x" * 700
    return len(text)


def swap(rounds):
    one, two, three = (bytearray(2000) for _ in range(3))
    for i in range(rounds):
        one, two, three = two, three, bytearray(2000 + i)
    return one


def short_lived(count):
    for size in range(count):
        bytearray(1000 + size)


grow(3000)
join(50)
swap(40)
short_lived(60)
