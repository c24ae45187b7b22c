"""Keeps the evidence of the machine fresh, and says what is lacking for a bundle.

A thread of its own collects, well before anything is too old; who asks gets the latest verdict at once. Evidence that
was refused counts no more from that moment; evidence that could not be collected counts until it is too old, so that a
busy TPM costs no tier. Refuses to let go of a policy that can no longer be read: the last one that could be holds.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stepdown.domain.alarms import Alarm, AlarmKind
from stepdown.domain.errors import TrustError
from stepdown.ports import Clock
from stepdown.trust.evidence import Demand, EvidenceKind, EvidencePolicy, named_keys, parse_evidence_policy
from stepdown.trust.refusal import TrustRule

_MAXIMUM_FILE_BYTES = 1 << 20
_LOOKS_IN_AN_AGE = 3
_FIRST_LOOK_S = 5.0
_JOIN_S = 5.0


class Collector(Protocol):
    """Collects one kind of evidence."""

    def collect(self, demand: Demand) -> None:
        """Accept the machine, now. Raises: TrustError of the EVIDENCE_ rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known of one demand. `proven_s`: monotonic time of the last proof that still counts, None without one.

    `problem`: why the last try failed; empty when it did not.
    """

    proven_s: float | None = None
    problem: str = ""


class EvidenceKeeper:
    """`lacking` is what the worker pool asks before it starts a process."""

    def __init__(
        self,
        policy_file: Path,
        collectors: Mapping[EvidenceKind, Collector],
        *,
        clock: Clock,
        lost: Callable[[], None],
        changed: Callable[[str, str], None],
    ) -> None:
        """`changed` is told of each demand whose problem changed, with it; `lost` that something may be lacking now.

        Both on the keeper's thread. Raises: TrustError POLICY_INVALID, OSError.
        """
        self._file = policy_file
        self._collectors = collectors
        self._clock = clock
        self._lost = lost
        self._changed = changed
        self._policy = read_evidence_policy(policy_file)
        self._policy_problem = ""
        self._verdicts: Mapping[str, Verdict] = {}
        self._looked = threading.Event()
        self._bell = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)

    def start(self) -> None:
        """Begin to collect."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, unless a program holds it; it ends with the process then."""
        self._closed = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def lacking(self, bundle: str) -> str:
        """What a bundle's demands lack now, in words; empty when nothing. Waits a moment for the very first look."""
        demands = self._policy.made_by(bundle)
        if demands:
            self._looked.wait(_FIRST_LOOK_S)
        return "; ".join(filter(None, map(self._lack, demands)))

    def alarms(self) -> Iterator[Alarm]:
        """One for each demand that is not met, and one for a policy that cannot be read."""
        for name, verdict in self._verdicts.items():
            if verdict.problem:
                yield Alarm(kind=AlarmKind.EVIDENCE_MISSING, subject=name, detail=verdict.problem)
        if self._policy_problem:
            yield Alarm(kind=AlarmKind.EVIDENCE_MISSING, subject="policy", detail=self._policy_problem)

    def look(self) -> None:
        """Collect everything once. The thread does; nobody else needs to."""
        self._read_policy()
        known = self._verdicts
        self._verdicts = {
            name: self._judged(demand, known.get(name, Verdict())) for name, demand in self._policy.demands.items()
        }
        self._looked.set()
        for name, verdict in self._verdicts.items():
            if verdict.problem != known.get(name, Verdict()).problem:
                self._changed(name, verdict.problem)
        if any(self._lack(demand) for demand in self._policy.demands.values()):
            self._lost()

    def _run(self) -> None:
        while not self._closed:
            self.look()
            self._bell.wait(min(demand.maximum_age_s for demand in self._policy.demands.values()) / _LOOKS_IN_AN_AGE)

    def _read_policy(self) -> None:
        try:
            self._policy, self._policy_problem = read_evidence_policy(self._file), ""
        except (TrustError, OSError) as error:
            self._policy_problem = f"{self._file} cannot be read, the last one holds: {error}"

    def _judged(self, demand: Demand, before: Verdict) -> Verdict:
        try:
            self._collectors[demand.kind].collect(demand)
        except TrustError as error:
            refused = error.rule == TrustRule.EVIDENCE_REFUSED
            return Verdict(proven_s=None if refused else before.proven_s, problem=str(error))
        return Verdict(proven_s=self._clock.monotonic_s())

    def _lack(self, demand: Demand) -> str:
        verdict = self._verdicts.get(demand.name, Verdict())
        if verdict.proven_s is None:
            return f"{demand.name}: {verdict.problem or 'EVIDENCE_UNAVAILABLE: nothing was collected yet'}"
        age_s = self._clock.monotonic_s() - verdict.proven_s
        if age_s > demand.maximum_age_s:
            return f"{demand.name}: {TrustRule.EVIDENCE_STALE}: {age_s:.0f} s old; {verdict.problem}"
        return ""


def read_evidence_policy(path: Path) -> EvidencePolicy:
    """The policy and the keys it names, relative to its own folder. Raises: TrustError POLICY_INVALID, OSError."""
    text = _content(path)
    keys = {}
    for name in named_keys(text):
        try:
            keys[name] = _content(path.parent / name)
        except OSError:
            continue  # said by `parse_evidence_policy`, beside every other problem
    return parse_evidence_policy(text, keys)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAXIMUM_FILE_BYTES)
