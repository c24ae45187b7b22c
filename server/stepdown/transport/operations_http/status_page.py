"""The status as one small page for people: no script, no resource from elsewhere, renewed by the browser itself."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

from stepdown.domain.activations import ActivationState
from stepdown.domain.records import LedgerState, LedgerStatus
from stepdown.domain.status import PathwayStatus, TierStatus
from stepdown.domain.tiers import Capability, TierState
from stepdown.transport.operations_http.status_json import ServerStatus

_STYLE = (files(__package__) / "status_page.css").read_text(encoding="utf-8")
_STYLE_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()
_REFRESH_S = 3
_DIGEST_SHOWN = 12
_UNKNOWN = "&mdash;"

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Allows this page's own style and nothing else."""

_CAPABILITY_MARK: Mapping[Capability, str] = {
    Capability.FULL: "good",
    Capability.DEGRADED: "warn",
    Capability.RULES_ONLY: "warn",
    Capability.NONE: "bad",
}
_STATE_MARK: Mapping[TierState, str] = {
    TierState.SERVING: "good",
    TierState.STARTING: "still",
    TierState.PROBATION: "still",
    TierState.SUSPENDED: "warn",
    TierState.DISABLED: "still",
    TierState.QUARANTINED: "bad",
    TierState.REFUSED: "bad",
}
_COLUMNS = ("tier", "state", "why", "runs on", "bundle", "p50 ms", "p99 ms", "probe s", "restarts", "answers")
_NUMBERS = frozenset(_COLUMNS[5:])


def status_page(server: ServerStatus, pathways: Sequence[PathwayStatus]) -> str:
    """The whole page."""
    head = (
        f'<meta charset="utf-8"><meta http-equiv="refresh" content="{_REFRESH_S}">'
        f'<meta name="viewport" content="width=device-width"><title>Stepdown</title><style>{_STYLE}</style>'
    )
    facts = f"version {server.build.version} · {server.environment} · up {_span(server.uptime_s)}"
    sections = _warnings(server) + "".join(_pathway(pathway) for pathway in pathways) + _ledger(server.ledger)
    links = " · ".join(f'<a href="{path}">{path}</a>' for path in ("/api/status", "/readyz", "/livez", "/metrics"))
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body><h1>Stepdown</h1>'
        f"<p>{escape(facts)}</p>{sections}<p>{links}</p></body></html>"
    )


def _warnings(server: ServerStatus) -> str:
    """Alarms, and the drills that are not some tier's, which says its own."""
    alarms = (f"{each.alarm.kind} {each.alarm.subject}: {each.alarm.detail}" for each in server.alarms)
    drills = (
        f"drill {each.injection.fault} {each.injection.client}" for each in server.injected if not each.injection.tier
    )
    marks = (*(_mark(text, "bad") for text in alarms), *(_mark(text, "warn") for text in drills))
    return "".join(f"<p>{mark}</p>" for mark in marks)


def _ledger(ledger: LedgerStatus | None) -> str:
    """One line, where a ledger is kept."""
    if ledger is None:
        return ""
    is_well = ledger.state is LedgerState.WRITING and not ledger.detail
    counts = f"{ledger.size} records · {ledger.waiting} waiting · {ledger.unrecorded} answers unrecorded"
    mark = _mark(ledger.state.value, "good" if is_well else "bad")
    return f"<h2>ledger {mark}</h2><p>{escape(' · '.join(part for part in (counts, ledger.detail) if part))}</p>"


def _pathway(pathway: PathwayStatus) -> str:
    head = "".join(f"<th{_align(column)}>{column}</th>" for column in _COLUMNS)
    rows = "".join(_tier(tier) for tier in pathway.tiers)
    mark = _mark(pathway.capability.value, _CAPABILITY_MARK[pathway.capability])
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<h2>{escape(pathway.name)} {mark}</h2>{table}{_refused_rules(pathway)}"


def _refused_rules(pathway: PathwayStatus) -> str:
    """Rules beside the answering ones that could not be loaded; those that could need no line."""
    return "".join(
        f"<p>{_mark(rules.state.value, _STATE_MARK[rules.state])} {escape(f'{rules.name}: {rules.detail}')}</p>"
        for rules in pathway.supporting
        if rules.state is TierState.REFUSED
    )


def _tier(tier: TierStatus) -> str:
    drill = f"drill {tier.injected_fault.injection.fault.value}" if tier.injected_fault is not None else ""
    why = ": ".join(part for part in (drill, tier.reason.value if tier.reason else "", tier.detail) if part)
    cells = (
        escape(tier.name),
        _mark(tier.state.value, _STATE_MARK[tier.state]),
        escape(why or tier.probe_error),
        escape(_place(tier)),
        _bundle(tier),
        _number(tier.latency_p50_ms, digits=2),
        _number(tier.latency_p99_ms, digits=2),
        _number(tier.probe_age_s, digits=1),
        str(tier.restarts),
        str(tier.answers),
    )
    pairs = zip(_COLUMNS, cells, strict=True)
    return "<tr>" + "".join(f"<td{_align(column)}>{cell}</td>" for column, cell in pairs) + "</tr>"


def _place(tier: TierStatus) -> str:
    provider = tier.execution_provider.value if tier.execution_provider is not None else ""
    process = f"pid {tier.worker_pid}" if tier.worker_pid is not None else ""
    return " · ".join(part for part in (provider, tier.device, process) if part)


def _bundle(tier: TierStatus) -> str:
    if tier.bundle is None:
        return _UNKNOWN
    signers = ", ".join(tier.bundle.signers)
    name = escape(f"{tier.bundle.name} {tier.bundle.version}")
    return f"{name} <code>{escape(tier.bundle.sha256[:_DIGEST_SHOWN])}</code> {escape(signers)}{_activation(tier)}"


def _activation(tier: TierStatus) -> str:
    """The version on its way, or why the last one is not there."""
    activation = tier.activation
    if activation is None or activation.state is ActivationState.PROMOTED:
        return ""
    why = ": ".join(part for part in (activation.reason.value if activation.reason else "", activation.detail) if part)
    share = f"{activation.canary_share:.1%}, {activation.answers} answers"
    text = f"{activation.bundle.version} {activation.state.value} ({why or share})"
    return f"<br>{escape(text)}"


def _mark(text: str, kind: str) -> str:
    return f'<span class="mark {kind}">{escape(text)}</span>'


def _align(column: str) -> str:
    return ' class="number"' if column in _NUMBERS else ""


def _number(number: float | None, *, digits: int) -> str:
    return f"{number:.{digits}f}" if number is not None else _UNKNOWN


def _span(seconds: float) -> str:
    minutes, whole_s = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole_s} s"
