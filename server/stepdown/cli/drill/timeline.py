"""A drill as a picture: every question one dot, when it was due and how long it took. SVG, made here and whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from stepdown.cli.drill.record import DrillRecord

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 1000, 320, 60, 20, 10, 40
_COLOURS = ("#1a7f37", "#b58900", "#c0392b", "#6c3fa0")
_LOST = "#000000"
_MARKS = 8
_TICKS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """From seconds after the fault and milliseconds to places in the picture."""

    first_s: float
    last_s: float
    highest_ms: float

    def across(self, at_s: float) -> float:
        return _LEFT + (at_s - self.first_s) / (self.last_s - self.first_s) * (_WIDTH - _LEFT - _RIGHT)

    def up(self, latency_ms: float) -> float:
        return _TOP + (1 - latency_ms / self.highest_ms) * (_HEIGHT - _TOP - _BOTTOM)


def timeline(record: DrillRecord, *, deadline_ms: float) -> str:
    """The SVG. The colour of a dot says which tier answered, black that none did."""
    zero_s = record.fault_start_s - record.clock_ahead_s
    times = [each.intended_s - zero_s for each in record.asked] or [0.0]
    scale = _Scale(
        first_s=min(times),
        last_s=max(*times, min(times) + 1.0),
        highest_ms=max([deadline_ms, *(each.latency_ms for each in record.asked)]),
    )
    colours = dict(zip(record.tiers, _COLOURS, strict=False))
    parts = (
        *_marks(record, scale),
        *(
            f'<circle cx="{scale.across(each.intended_s - zero_s):.1f}" cy="{scale.up(each.latency_ms):.1f}" r="2" '
            f'fill="{colours.get(each.tier, _LOST)}"/>'
            for each in record.asked
        ),
        *_axes(scale, deadline_ms),
        *_legend(colours),
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="11" font-family="system-ui,sans-serif" role="img" '
        f'aria-label="Latency of every question over time">{"".join(parts)}</svg>'
    )


def _marks(record: DrillRecord, scale: _Scale) -> Iterator[str]:
    """The fault, what became of the tier, and the end of what does not end with a process."""
    marks = [
        (move.at_s - record.fault_start_s, f"{move.tier} {move.state}")
        for move in record.moves
        if move.tier == record.faulted and move.at_s >= record.fault_start_s
    ]
    if not record.ends_with_process:
        marks.append((record.fault_end_s - record.fault_start_s, "taken back"))
    for row, (at_s, text) in enumerate([(0.0, "fault"), *sorted(marks)[:_MARKS]]):
        place = scale.across(at_s)
        yield (
            f'<line x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" stroke="#888" '
            f'stroke-dasharray="4"/><text x="{place + 3:.1f}" y="{_TOP + 10 + 12 * row}">{escape(text)}</text>'
        )


def _axes(scale: _Scale, deadline_ms: float) -> Iterator[str]:
    step = max(1, int((scale.last_s - scale.first_s) / _TICKS))
    for second in range(int(scale.first_s), int(scale.last_s) + 1, step):
        yield f'<text x="{scale.across(second):.1f}" y="{_HEIGHT - 24}">{second} s</text>'
    limit = scale.up(deadline_ms)
    yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{limit:.1f}" y2="{limit:.1f}" stroke="#c0392b"/>'
    yield f'<text x="2" y="{limit + 4:.1f}">{deadline_ms:g} ms</text>'
    yield f'<text x="2" y="{scale.up(0) + 4:.1f}">0 ms</text>'


def _legend(colours: dict[str, str]) -> Iterator[str]:
    for place, (text, colour) in enumerate((*colours.items(), ("no answer", _LOST))):
        yield f'<circle cx="{_LEFT + 130 * place}" cy="{_HEIGHT - 8}" r="4" fill="{colour}"/>'
        yield f'<text x="{_LEFT + 8 + 130 * place}" y="{_HEIGHT - 4}">{escape(text)}</text>'
