"""The one error tree.

Mechanisms raise; the cascade decides what to tolerate; `transport/status.py` alone turns the rest into a gRPC status.
No message may carry an observation's value, a token or free text from a client: it can reach a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stepdown.domain.reasons import Reason, RejectReason


class StepdownError(Exception):
    """Root of every error this product raises on purpose."""


class ConfigurationError(StepdownError):
    """The configuration cannot be used; `problems` lists every one found, not only the first."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep each problem as one line naming file, key, why and what is allowed."""
        super().__init__("\n".join(problems))
        self.problems = problems


class TrustError(StepdownError):
    """A bundle, signature, manifest or policy is not acceptable; `rule` names the rule that refused it."""

    def __init__(self, *, rule: str, detail: str) -> None:
        """Name the rule (UPPER_SNAKE) and say what was found, without quoting file contents."""
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail


class RuleSetError(StepdownError):
    """A declarative rule set does not satisfy its schema (edges not rising, gap in cover, no citation)."""


class DriftReferenceError(StepdownError):
    """A bundle's drift reference cannot be used; `field` names the entry, and no value of it is quoted."""

    def __init__(self, *, field: str, problem: str) -> None:
        """Name the entry and say what it must be."""
        super().__init__(f"reference.json: {field or 'document'}: {problem}")
        self.field = field
        self.problem = problem


class IllegalMoveError(StepdownError):
    """A state machine was asked for a move that its table does not hold. Always a defect of ours."""


class WorkerError(StepdownError):
    """A worker cannot do what was asked; `reason` is the shared degradation reason."""

    def __init__(self, *, reason: Reason, detail: str) -> None:
        """Keep the reason for the roster and a detail fit for an operator."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """One thing wrong with a request: where, why (UPPER_SNAKE) and how to mend it. Never echoes the value."""

    field: str
    reason: RejectReason
    description: str


class RequestRejectedError(StepdownError):
    """The request as a whole cannot be trusted; nothing was assessed."""

    def __init__(
        self,
        *,
        reason: RejectReason,
        violations: tuple[FieldViolation, ...],
        limits: Mapping[str, int] = MappingProxyType({}),
        retry_after_s: float | None = None,
    ) -> None:
        """Keep the leading reason and every violation found.

        `limits` names each limit that was passed and its value; `retry_after_s` is set where trying again may help.
        """
        super().__init__(f"{reason}: {len(violations)} violation(s)")
        self.reason = reason
        self.violations = violations
        self.limits = limits
        self.retry_after_s = retry_after_s


class NoAnswerError(StepdownError):
    """No tier that the request accepts could answer: the only way a tier outage becomes an error."""

    def __init__(self, *, reason: Reason, detail: str) -> None:
        """Keep the reason of the last tier tried."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
