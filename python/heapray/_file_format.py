"""What a capture holds."""

import enum


class FileFormat(enum.IntEnum):
    """How much a capture tells."""

    ALL_ALLOCATIONS = 1
    """Every allocation and every free."""
    AGGREGATED_ALLOCATIONS = 2
    """Their sums by place, at the high-water mark and at the end: a small capture, however long the run."""
