"""Gathers what intake dropped and flagged, in an order of its own, not the request's. Takes no value and no token."""

import re
from dataclasses import dataclass

from stepdown.clinical.channels import CHANNEL_ORDER
from stepdown.domain.intake import DroppedInput, InputFlag
from stepdown.domain.reasons import InputIssue

_ISSUE_ORDER = {issue: place for place, issue in enumerate(InputIssue)}


def place_in_request(field: str) -> tuple[str | int, ...]:
    """Sort key under which `observations[10]` follows `observations[2]`."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", field))


@dataclass(slots=True)
class _Tally:
    """How many, and where the first of them is: the shorter path first, so that 2 comes before 10."""

    field: str
    count: int = 0

    def add(self, field: str, count: int) -> None:
        self.count += count
        self.field = min(self.field, field, key=_length_then_text)


def _length_then_text(field: str) -> tuple[int, str]:
    return len(field), field


class Findings:
    """What was dropped, an entry for each place, and what was flagged, an entry for each issue, channel and wording."""

    __slots__ = ("_dropped", "_flagged", "_unsupported")

    def __init__(self) -> None:
        """Start with nothing found."""
        self._dropped: list[DroppedInput] = []
        self._flagged: dict[tuple[InputIssue, str, str], _Tally] = {}
        self._unsupported: _Tally | None = None

    def drop(self, issue: InputIssue, *, field: str, channel: str, hint: str, count: int = 1) -> None:
        """Note that what stands at `field` is ignored, and how the sender can mend it."""
        self._dropped.append(DroppedInput(field=field, channel=channel, issue=issue, hint=hint, count=count))

    def drop_unsupported(self, *, field: str, count: int = 1) -> None:
        """Note a well-formed code that nothing reads: records carry many, so they share one entry."""
        self._unsupported = self._unsupported or _Tally(field)
        self._unsupported.add(field, count)

    def flag(self, issue: InputIssue, *, channel: str = "", field: str = "", detail: str, count: int = 1) -> None:
        """Note a warning about something that is used; the same warning about one channel is counted, not repeated."""
        self._flagged.setdefault((issue, channel, detail), _Tally(field)).add(field, count)

    def dropped(self) -> tuple[DroppedInput, ...]:
        """Everything dropped, by place in the request."""
        entries = list(self._dropped)
        if self._unsupported is not None:
            entries.append(
                DroppedInput(
                    field=self._unsupported.field,
                    channel="",
                    issue=InputIssue.CODE_UNSUPPORTED,
                    hint="no tier reads this code; send the codes listed in docs/channels.md",
                    count=self._unsupported.count,
                )
            )
        return tuple(sorted(entries, key=_dropped_place))

    def flags(self) -> tuple[InputFlag, ...]:
        """Every warning, by issue and channel; `detail` ends in how many values it is about, where they are several."""
        flags = (
            InputFlag(
                issue=issue,
                channel=channel,
                field=tally.field,
                detail=detail if tally.count == 1 else f"{detail} ({tally.count} values)",
            )
            for (issue, channel, detail), tally in self._flagged.items()
        )
        return tuple(sorted(flags, key=_flag_place))


def _dropped_place(entry: DroppedInput) -> tuple[tuple[str | int, ...], int, str, str]:
    return place_in_request(entry.field), _ISSUE_ORDER[entry.issue], entry.channel, entry.hint


def _flag_place(flag: InputFlag) -> tuple[int, int, str]:
    return _ISSUE_ORDER[flag.issue], CHANNEL_ORDER.get(flag.channel, -1), flag.detail
