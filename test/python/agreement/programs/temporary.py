"""What is freed at once, in loops."""


def sliced(source: bytes) -> int:
    total = 0
    for step in range(0, 4_000, 10):
        total += len(source[step : step + 1_000])
    return total


def rendered(count: int) -> int:
    return sum(len("%-700d" % number) for number in range(count))


def big_numbers(count: int) -> int:
    number = 3
    for _ in range(count):
        number = number * number
    return number.bit_length()


def main() -> None:
    source = bytes(5_000)
    assert sliced(source) > 0
    assert rendered(100) == 70_000
    assert big_numbers(16) > 0
    for _ in range(30):
        list(range(500))
        dict.fromkeys(range(200))
        [number for number in range(300)]
