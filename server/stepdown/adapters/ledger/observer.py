"""Puts on the ledger what is not an answer: tier and capability changes, and what people did or were kept from doing.

Acts come by the names that the log gives them, so that what is logged as an act of somebody is on the ledger too.
Refuses what neither changes an answer nor says who did something: the log has that.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from stepdown.domain.notices import ActivationMoved, CapabilityChanged, Notice, TierMoved
from stepdown.domain.records import Draft, Fact, RecordKind
from stepdown.ports import Clock, Ledger

ACTS: Mapping[str, RecordKind] = MappingProxyType(
    {
        "call_denied": RecordKind.DENIAL,
        "tier_disabled": RecordKind.OPERATOR_ACT,
        "tier_enabled": RecordKind.OPERATOR_ACT,
        "fault_injected": RecordKind.OPERATOR_ACT,
        "fault_refused": RecordKind.OPERATOR_ACT,
        "fault_ended": RecordKind.OPERATOR_ACT,
        "bundle_activated": RecordKind.ACTIVATION,
        "bundle_rolled_back": RecordKind.ACTIVATION,
        "activation_refused": RecordKind.ACTIVATION,
        "policy_changed": RecordKind.POLICY_CHANGE,
        "bundle_denied": RecordKind.POLICY_CHANGE,
        "version_floor_raised": RecordKind.POLICY_CHANGE,
        "version_floor_lowered": RecordKind.OPERATOR_ACT,
        "ledger_read": RecordKind.LEDGER_READ,
    }
)
"""The lines of the log that are records as well."""


class LedgerObserver:
    """Meets `ports.Observer`, and listens to the log's events."""

    def __init__(self, ledger: Ledger, *, clock: Clock) -> None:
        """Every record is of the moment at which this is told."""
        self._ledger = ledger
        self._clock = clock

    def notice(self, notice: Notice) -> None:
        """A tier changed its state, a pathway what it can do, or a new version went a step."""
        if isinstance(notice, TierMoved):
            self._put(
                RecordKind.TIER_CHANGE,
                {
                    "pathway": notice.pathway,
                    "tier": notice.tier,
                    "previous": notice.previous.value,
                    "state": notice.state.value,
                    "reason": notice.reason.value if notice.reason is not None else None,
                    "detail": notice.detail,
                },
            )
        elif isinstance(notice, CapabilityChanged):
            change = {"previous": notice.previous.value, "capability": notice.capability.value}
            self._put(RecordKind.CAPABILITY_CHANGE, {"pathway": notice.pathway, **change})

        elif isinstance(notice, ActivationMoved):
            self._put(RecordKind.ACTIVATION, _step(notice))

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        """Somebody did something, or was kept from it."""
        kind = ACTS.get(name)
        if kind is not None:
            self._put(kind, {"act": name, **{key: _fact(value) for key, value in fields.items()}})

    def started(self, facts: Mapping[str, Fact]) -> None:
        """The server began to serve."""
        self._put(RecordKind.SERVER_STARTED, facts)

    def stopped(self, facts: Mapping[str, Fact]) -> None:
        """It ended in order: a start without an end before it was a crash."""
        self._put(RecordKind.SERVER_STOPPED, facts)

    def _put(self, kind: RecordKind, facts: Mapping[str, Fact]) -> None:
        self._ledger.submit(Draft(kind=kind, time_s=self._clock.wall_s(), facts=facts))


def _step(notice: ActivationMoved) -> dict[str, Fact]:
    activation = notice.activation
    return {
        "pathway": notice.pathway,
        "tier": notice.tier,
        "state": activation.state.value,
        "bundle": f"{activation.bundle.name}@{activation.bundle.version}",
        "bundle_sha256": activation.bundle.sha256,
        "signers": activation.bundle.signers,
        "reason": activation.reason.value if activation.reason is not None else None,
        "detail": activation.detail,
    }


def _fact(value: object) -> Fact:
    """Fractions become text: a record holds none."""
    return value if isinstance(value, str | int | None) else str(value)


def heard_by(log: Callable[..., None], observer: "LedgerObserver | None") -> Callable[..., None]:
    """A log whose events the observer hears as well."""
    if observer is None:
        return log
    told = observer

    def event(name: str, /, **fields: object) -> None:
        log(name, **fields)
        told.event(name, fields)

    return event
