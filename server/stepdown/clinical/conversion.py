"""Exact conversion between units of a quantity, and rounding as a chart does it. Never decides which unit was meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import log10
from typing import Protocol

# Converted values keep nine decimals: far below any charting resolution, and few enough for packed values, which are
# converted in binary floating point, to land on the decimal result rather than one binary digit beside it.
KEPT_DECIMALS = 9

_DECIMALS = {Decimal(1): 0, Decimal("0.1"): 1}


class Conversion(Protocol):
    """From a unit as sent to the canonical unit of a channel, monotonically."""

    def exact(self, value: Decimal) -> Decimal:
        """One value, in decimal arithmetic."""

    def inverse(self, canonical: Decimal) -> Decimal:
        """The value as sent that becomes `canonical`."""

    def packed(self, values: Sequence[float]) -> list[float]:
        """Many values, to `KEPT_DECIMALS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearConversion:
    """canonical = (value - shift) x numerator / denominator; two factors, so that 5/9 and 1/88.40 stay exact."""

    shift: Decimal = Decimal(0)
    numerator: Decimal = Decimal(1)
    denominator: Decimal = Decimal(1)

    def exact(self, value: Decimal) -> Decimal:
        """One value, in decimal arithmetic."""
        return (value - self.shift) * self.numerator / self.denominator

    def inverse(self, canonical: Decimal) -> Decimal:
        """The value as sent that becomes `canonical`."""
        return canonical * self.denominator / self.numerator + self.shift

    def packed(self, values: Sequence[float]) -> list[float]:
        """Many values, to `KEPT_DECIMALS`."""
        shift, numerator, denominator = float(self.shift), float(self.numerator), float(self.denominator)
        return [round((value - shift) * numerator / denominator, KEPT_DECIMALS) for value in values]


@dataclass(frozen=True, slots=True, kw_only=True)
class HydrogenIonConversion:
    """pH = 9 - log10 of the hydrogen ion concentration in nmol/L; falls as the value rises."""

    def exact(self, value: Decimal) -> Decimal:
        """One value above zero, in decimal arithmetic."""
        return 9 - value.log10()

    def inverse(self, canonical: Decimal) -> Decimal:
        """The concentration in nmol/L at this pH."""
        return Decimal(10) ** (9 - canonical)

    def packed(self, values: Sequence[float]) -> list[float]:
        """Many values above zero, to `KEPT_DECIMALS`."""
        return [round(9.0 - log10(value), KEPT_DECIMALS) for value in values]


IDENTITY = LinearConversion()


def scaled(numerator: str, denominator: str = "1") -> LinearConversion:
    """A conversion by a factor, written as decimal digits."""
    return LinearConversion(numerator=Decimal(numerator), denominator=Decimal(denominator))


def convert(value: float, conversion: Conversion) -> float:
    """One value in the canonical unit, to `KEPT_DECIMALS`. What was sent is the shortest decimal that reads so."""
    if conversion is IDENTITY:
        return value
    return float(round(conversion.exact(Decimal(repr(value))), KEPT_DECIMALS))


def round_half_up(value: float, resolution: Decimal) -> float:
    """`value` at charting resolution, halves away from zero, decided on its decimal digits (38.05 -> 38.1)."""
    decimals = _DECIMALS.get(resolution)
    if decimals is not None and round(value, decimals) == value:
        return value  # charted already, as most values are when they arrive
    steps = (Decimal(repr(value)) / resolution).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return float(steps * resolution)
