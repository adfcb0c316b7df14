"""Class bodies, decorators, metaclasses, descriptors and special methods."""

import functools
from dataclasses import dataclass, field
from typing import Any, Callable


def keeps_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    table = bytearray(1_111)

    @functools.wraps(function)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named), len(table), bytes(1_500)

    return wrapper


class Registered(type):
    def __new__(mcs, name: str, bases: "tuple[type, ...]", body: "dict[str, Any]") -> "Registered":
        made = super().__new__(mcs, name, bases, body)
        made.registry = bytearray(2_500)
        return made


class Field:
    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name + " " * 700

    def __get__(self, instance: object, owner: type) -> bytes:
        return bytes(1_234)


def made_classes() -> "list[type]":
    class Base(metaclass=Registered):
        constants = [bytearray(900 + step) for step in range(6)]
        described = Field()

        @property
        def size(self) -> bytearray:
            return bytearray(5_000)

        @classmethod
        @keeps_arguments
        def built(cls, size: int) -> bytearray:
            return bytearray(size)

    class Derived(Base):
        more = bytes(3_210)

        def __init__(self) -> None:
            self.block = bytearray(4_000)

        def __len__(self) -> int:
            return len(bytes(2_345))

    return [Base, Derived]


@dataclass
class Row:
    name: str
    cells: "list[int]" = field(default_factory=lambda: [0] * 400)


def main() -> None:
    base, derived = made_classes()
    one = derived()
    assert len(one) == 2_345 and len(one.size) == 5_000 and len(one.described) == 1_234
    built = [base.built(size) for size in range(1_000, 1_010)]
    rows = [Row(str(number)) for number in range(20)]
    assert built and rows
