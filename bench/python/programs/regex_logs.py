"""Regular expressions: a web server's log is taken apart, anonymized, searched, and split."""

import random
import re
from collections import Counter

from work_time import measure

LINE = re.compile(
    r'(?P<address>\d+\.\d+\.\d+\.\d+) - (?P<user>\S+) \[(?P<time>[^\]]+)\] '
    r'"(?P<method>[A-Z]+) (?P<path>[^ "]+) HTTP/[\d.]+" (?P<status>\d{3}) (?P<size>\d+)'
)
QUERY = re.compile(r"[?&](\w+)=([^&\s]*)")
ADDRESS = re.compile(r"\b(\d+)\.(\d+)\.(\d+)\.(\d+)\b")
NUMBER = re.compile(r"(?<=/)\d+(?=/|\?|\s)")
REPORT = re.compile(r"(?:[a-z]+/)*reports?/(?:[a-z]+/)*N/(?:[a-z]-)*[a-z](?=\?)")


def make_log(lines: int) -> str:
    source = random.Random(5)
    words = ["alpha", "beta", "gamma", "report", "reports", "omega"]
    made = []
    for number in range(lines):
        address = ".".join(str(source.randrange(256)) for _ in range(4))
        path = "/".join(source.choice(words) for _ in range(source.randrange(1, 5)))
        query = "&".join(f"{source.choice(words)}={source.randrange(1000)}" for _ in range(3))
        made.append(
            f"{address} - u{source.randrange(40)} [12/Mar/2025:10:{number % 60:02}:00 +0000] "
            f'"GET /{path}/{number}/a-b-c?{query} HTTP/1.1" {source.choice([200, 200, 304, 404])} '
            f"{source.randrange(90_000)}"
        )
    return "\n".join(made)


def masked(match: "re.Match[str]") -> str:
    return f"{match[1]}.{match[2]}.x.x"


def work(rounds: int) -> None:
    log = make_log(900)
    for _ in range(rounds):
        sizes: Counter[str] = Counter()
        keys: Counter[str] = Counter()
        for match in LINE.finditer(log):
            fields = match.groupdict()
            sizes[fields["user"]] += int(fields["size"])
            keys.update(key for key, _ in QUERY.findall(fields["path"]))
        hidden = ADDRESS.sub(masked, log)
        plain = NUMBER.sub("N", hidden)
        assert len(REPORT.findall(plain)) > 0
        for line in re.split(r"\n+", plain):
            re.split(r"[\s\"\[\]]+", line)


if __name__ == "__main__":
    measure(work, 80)
