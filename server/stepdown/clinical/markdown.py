"""Renders the channel table as Markdown, for integrators and the clinician who reviews it. Writes no file."""

from collections.abc import Iterable
from math import isfinite

from stepdown.clinical.channel import Channel, Freshness, Limits
from stepdown.clinical.channels import CHANNEL_ORDER, CHANNELS, GRID_COLUMN, ROWS
from stepdown.clinical.laboratory_channels import IONISED_CALCIUM_CODES
from stepdown.domain.intake import CONSCIOUSNESS_LETTERS
from stepdown.domain.observations import CodeSystem

_HEADINGS = ("Channel", "Quantity", "Column", "LOINC", "UCUM units", "Possible", "Plausible", "Charted to", "Kind")
_KINDS = {
    Freshness.VITAL: "vital sign",
    Freshness.LACTATE: "lactate",
    Freshness.LABORATORY: "laboratory",
    Freshness.STATIC: "stay",
}


def channel_document() -> str:
    """The whole of `docs/channels.md`."""
    loinc = {row.name: row.loinc for row in ROWS}
    channels = sorted(CHANNELS.values(), key=lambda channel: CHANNEL_ORDER[channel.name])
    table = _table(_HEADINGS, (_cells(channel, loinc[channel.name]) for channel in channels))
    answers = _table(("Letter", "Coded answers"), _answers())
    return f"""# Channels

<!-- Written by scripts/channel_tables.py from stepdown.clinical.channels. Change the table there, not here. -->

What the server reads. An observation names its channel by a LOINC code (`{CodeSystem.LOINC}`), or by the channel's own
name under `{CodeSystem.CINC2019}`. The first LOINC code of a row is the primary one, the
first unit the canonical one.

- A LOINC observation needs one of the units listed (UCUM, case-sensitive; `{{annotations}}` are ignored). Under a
  channel name the canonical unit stands where none is sent. Nothing is converted by guess.
- *Possible*: anything else is dropped, and the unit it looks like is named. *Plausible*: anything else is used and
  flagged, or dropped if it looks like another unit. Both are in the canonical unit.
- *Charted to*: the clinical rules read the value rounded half up to this step. The models read it unrounded.
- *Kind* decides how long a value stands for the patient in the clinical rules: vital signs 60 minutes in intensive care
  and 6 hours elsewhere, lactate 6 hours, other laboratory values 24 hours. The models read the last 48 hours.
- *Column*: place in the 40 columns of the observation grid. Channels without one are read by the clinical rules alone.
- LOINC 2708-6 is read as pulse oximetry. Ionised calcium ({", ".join(sorted(IONISED_CALCIUM_CODES))}) is refused.

{table}
Level of consciousness takes a `coded_value`:

{answers}"""


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = tuple(headings)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(channel: Channel, loinc: tuple[str, ...]) -> tuple[str, ...]:
    column = GRID_COLUMN.get(channel.name)
    units = ", ".join(f"`{unit}`" for unit in channel.units if unit)
    return (
        f"`{channel.name}`",
        channel.title,
        "" if column is None else str(column + 1),
        ", ".join(loinc),
        units if channel.numeric else "coded",
        _range(channel.hard),
        _range(channel.soft),
        "" if channel.resolution is None else str(channel.resolution),
        _KINDS[channel.freshness],
    )


def _range(limits: Limits) -> str:
    if isfinite(limits.low) and isfinite(limits.high):
        return f"{limits.low:g} to {limits.high:g}"
    return f"up to {limits.high:g}" if isfinite(limits.high) else ""


def _answers() -> Iterable[tuple[str, str]]:
    answers = CHANNELS["Consciousness"].answers
    for ordinal, letter in enumerate(CONSCIOUSNESS_LETTERS):
        codes = (f"`{code}`" for code, number in answers.items() if number == ordinal)
        yield letter, ", ".join(codes)
