"""What both screens say of values and times, in the same words. Decides nothing about use."""

from stepdown.clinical.channel import Channel
from stepdown.clinical.findings import Findings
from stepdown.clinical.measurement import Refusal
from stepdown.domain.reasons import InputIssue

NO_TIME = Refusal(issue=InputIssue.TIME_REQUIRED, hint="send effective_time")
FUTURE = Refusal(issue=InputIssue.FUTURE_OBSERVATION, hint="observed after as_of_time: check the clocks")
PAST = Refusal(issue=InputIssue.STALE, hint="older than the 48 hours that are looked at")


def remark_on_time(channel: Channel, findings: Findings, *, field: str, count: int = 1) -> None:
    """Flag readings a little ahead of the assessed instant."""
    findings.flag(
        InputIssue.CLOCK_SKEW,
        channel=channel.name,
        field=field,
        detail="observed shortly after as_of_time: clocks differ",
        count=count,
    )


def remark_on_assay(channel: Channel, findings: Findings, *, field: str, count: int = 1) -> None:
    """Flag results of an assay that does not agree with the one the models were trained on."""
    findings.flag(
        InputIssue.ASSAY_NOT_INTERCHANGEABLE,
        channel=channel.name,
        field=field,
        detail="high-sensitivity assay: its results differ from those that the models know",
        count=count,
    )


def remark_on_doubt(doubt: Refusal, channel: Channel, findings: Findings, *, field: str, count: int = 1) -> None:
    """Drop for the models, and flag for the clinician, what looks like another unit and may yet be true."""
    hint = f"not given to the models: {doubt.hint}"
    findings.drop(doubt.issue, field=field, channel=channel.name, hint=hint, count=count)
    detail = "looks like another unit: kept from the models, still read by the rules"
    findings.flag(doubt.issue, channel=channel.name, field=field, detail=detail, count=count)


def remark_on_rarity(channel: Channel, findings: Findings, *, field: str, count: int = 1) -> None:
    """Flag a value that is possible but rare."""
    detail = "possible but rare: check the measurement"
    findings.flag(InputIssue.IMPLAUSIBLE, channel=channel.name, field=field, detail=detail, count=count)
