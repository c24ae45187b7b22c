"""Numbers and tables in Markdown."""

import math
from collections.abc import Sequence

from models.training.metrics.bootstrap import Interval

NOTHING = "-"


def share(value: float, digits: int = 1) -> str:
    """Return a share as a percentage; nothing to count gives a dash."""
    return NOTHING if math.isnan(value) else f"{100 * value:.{digits}f} %"


def with_interval(found: Interval, *, digits: int = 3, signed: bool = False) -> str:
    """Return a value with its interval in brackets."""
    if math.isnan(found.value):
        return NOTHING
    sign = "+" if signed else ""
    return f"{found.value:{sign}.{digits}f} [{found.low:{sign}.{digits}f}, {found.high:{sign}.{digits}f}]"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table: first column to the left, the others to the right."""
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
