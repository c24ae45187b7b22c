"""LOINC codes: their shape and their Mod 10 check digit (LOINC Users' Guide). Holds no list of codes."""

import re

_SHAPE = re.compile(r"([0-9]{1,7})-([0-9])", re.ASCII)


def check_digit(number: str) -> int:
    """The Mod 10 check digit of the digits before the hyphen: every second digit from the right counts double."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in number[::-2])
    return -(doubled + sum(int(digit) for digit in number[-2::-2])) % 10


def is_well_formed(code: str) -> bool:
    """Whether `code` has the shape of a LOINC code and its check digit is right; an unknown code can be well formed."""
    match = _SHAPE.fullmatch(code)
    return match is not None and check_digit(match[1]) == int(match[2])
