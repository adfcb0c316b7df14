"""JSON: orders of a shop are written as text, read back, changed, and written again."""

import json
import random
from datetime import date, timedelta
from typing import Any

from work_time import measure

WORDS = "anchor birch copper delta ember flint garnet harbor indigo juniper kestrel lantern".split()


def text(source: random.Random, words: int) -> str:
    return " ".join(source.choice(WORDS) for _ in range(words))


def make_order(source: random.Random, number: int) -> dict[str, Any]:
    lines = [
        {
            "article": f"A-{source.randrange(10_000):05}",
            "title": text(source, 4),
            "quantity": source.randrange(1, 9),
            "price": round(source.uniform(1, 300), 2),
            "tags": source.sample(WORDS, 3),
        }
        for _ in range(source.randrange(1, 8))
    ]
    return {
        "order": number,
        "placed": (date(2024, 1, 1) + timedelta(days=number % 700)).isoformat(),
        "customer": {"name": text(source, 2).title(), "vip": number % 7 == 0, "notes": text(source, 60)},
        "lines": lines,
        "weights": [source.random() for _ in range(12)],
        "coupon": None,
    }


def totals(order: dict[str, Any]) -> dict[str, Any]:
    order["total"] = round(sum(line["quantity"] * line["price"] for line in order["lines"]), 2)
    return order


def work(rounds: int) -> None:
    source = random.Random(17)
    orders = [make_order(source, number) for number in range(120)]
    page = json.dumps(orders)
    for _ in range(rounds):
        read = json.loads(page)
        page = json.dumps([totals(order) for order in read])
        # One by one, and with Python's own encoder, which indenting needs.
        for order in read[:40]:
            assert json.loads(json.dumps(order, separators=(",", ":")))["order"] == order["order"]
        json.dumps(read[0], indent=2)


if __name__ == "__main__":
    measure(work, 420)
