"""NumPy: a diffusion on a grid, statistics of many small arrays, and a table sorted and grouped."""

import numpy as np

from work_time import measure


def diffuse(grid: "np.ndarray", steps: int) -> "np.ndarray":
    for _ in range(steps):
        inner = grid[1:-1, 1:-1]
        around = grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]
        grid = grid.copy()
        grid[1:-1, 1:-1] = inner + 0.1 * (around - 4 * inner)
    return grid


def small_statistics(source: "np.random.Generator", count: int) -> float:
    sum_of_all = 0.0
    for _ in range(count):
        values = source.normal(size=48)
        shifted = values - values.mean()
        weights = np.exp(-np.abs(shifted))
        sum_of_all += float((shifted * weights).sum() / weights.sum())
        sum_of_all += float(np.concatenate([values[:8], weights[8:]]).max())
    return sum_of_all


def grouped(source: "np.random.Generator", rows: int) -> "np.ndarray":
    keys = source.integers(0, 500, rows)
    values = source.random(rows)
    order = np.argsort(keys, kind="stable")
    starts = np.searchsorted(keys[order], np.arange(500))
    return np.add.reduceat(values[order], starts)


def work(rounds: int) -> None:
    source = np.random.default_rng(3)
    for _ in range(rounds):
        grid = source.random((200, 200))
        assert diffuse(grid, 20).shape == grid.shape
        small_statistics(source, 600)
        assert grouped(source, 20_000).size == 500


if __name__ == "__main__":
    measure(work, 100)
