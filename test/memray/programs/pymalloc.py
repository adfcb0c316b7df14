"""Small objects, which Python's own allocator keeps in arenas."""


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y
        self.label = f"{x}:{y}"


def grid(side):
    return [[Point(x, y) for x in range(side)] for y in range(side)]


kept = grid(12)
for side in range(5):
    grid(side)
words = {str(i): [i] * (i % 9) for i in range(300)}
del words["7"]
joined = " ".join(words)
