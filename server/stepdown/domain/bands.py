"""The ordinal risk band: the only quantity allowed to cross tiers."""

from enum import IntEnum


class Band(IntEnum):
    """Ordinal risk band. Numbers are the wire's and never change; INDETERMINATE is not a rank."""

    INDETERMINATE = 1
    LOW = 2
    LOW_MEDIUM = 3
    MEDIUM = 4
    HIGH = 5
