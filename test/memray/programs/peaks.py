"""The same most is reached several times, by different functions, before, between and after smaller ones."""


def one(size):
    return bytearray(size)


def two(size):
    return bytearray(size)


base = bytearray(100_000)
for function in (one, two, one, two):
    block = function(2_000_000)
    del block
    function(1_000_000)
first = one(1_500_000)
second = two(500_000)
del first, second
