"""One soak: a server of its own, callers and faults for so many minutes, and a verdict.

at rest ─ callers and faults, looked at again and again ─ at rest ─ verdict
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from stepdown.client.drills import DrillClient
from stepdown.client.encounter import DEMO_PATHWAY
from tests.faults.running_server import RunningServer
from tests.soak.callers import Callers
from tests.soak.hurting import Hurting
from tests.soak.sampling import Sample, sample
from tests.soak.server import records, release_others, signed_answers, soaked_server
from tests.soak.tally import Tally
from tests.soak.verdict import Allowance, Finding, at_rest, growth

_SEEN_EVERY_S = 1.0
_FULL_WITHIN_S = 90.0
_LOOKED_EVERY_S = 0.1
_CALM_LOOKS = 20
_MOST_LOOKS = 200
_NEVER = (
    "lost",
    "mislabelled",
    "differing",
    "blamed on the server",
    "turned away without a word",
    "caller failed",
    "operator failed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakPlan:
    """How long and how hard. Pauses are averages: of one caller between two calls, between two acts against the server.

    `warm_up_s` comes before the first look at rest, so that what is made once is there.
    """

    duration_s: float
    seed: int
    warm_up_s: float = 10.0
    call_pause_s: float = 0.08
    act_pause_s: float = 4.0
    allowance: Allowance = field(default_factory=Allowance)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakReport:
    """What was found, and what it rests on."""

    plan: SoakPlan
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    acts: Mapping[str, int]
    problems: tuple[str, ...]
    samples: tuple[Sample, ...]

    @property
    def passed(self) -> bool:
        """Whether every finding is within what is allowed."""
        return all(finding.met for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        return {"passed": self.passed, **asdict(self), "findings": [_judged(finding) for finding in self.findings]}


def soak(plan: SoakPlan, *, tell: Callable[[str], None] = lambda _: None) -> SoakReport:
    """Run it. Raises: AssertionError when the server does not start or never becomes whole."""
    with soaked_server() as server:
        others = release_others(server)
        with DrillClient(server.ready["grpc"], server.credentials("operator")) as operator:
            first = {tier.name: (tier.sha256, tier.signers) for tier in operator.tiers(DEMO_PATHWAY)}
        tally = Tally({tier: {label, others.get(tier, label)} for tier, label in first.items()})
        with _callers(server, tally, plan):
            time.sleep(plan.warm_up_s)
        before = _settled(server)
        tell("at rest before: " + _in_words(before))
        with (
            Hurting(server, tally, others=others, seed=plan.seed, pause_s=plan.act_pause_s) as hurting,
            _callers(server, tally, plan),
        ):
            samples = _watched(server, tally, plan, tell)
        came_back = _comes_back(server)
        after = _settled(server)
        tell("at rest after: " + _in_words(after))
        incidents = _incidents(server)
        findings = (
            *(Finding(what=what, found=tally.counts[what], allowed=0) for what in _NEVER),
            Finding(what="incidents in the log", found=len(incidents), allowed=0),
            Finding(what="capabilities not back at the end", found=0 if came_back else 1, allowed=0),
            *_of_the_ledger(server, tally),
            *growth(samples, plan.allowance),
            *at_rest(before, after),
        )
        return SoakReport(
            plan=plan,
            findings=findings,
            counts=dict(tally.counts),
            acts=dict(hurting.acts),
            problems=(*tally.problems, *(str(incident) for incident in incidents[:10])),
            samples=samples,
        )


def _watched(server: RunningServer, tally: Tally, plan: SoakPlan, tell: Callable[[str], None]) -> tuple[Sample, ...]:
    """Look again and again, until the time is over."""
    samples: list[Sample] = []
    told = 0
    begun_s = time.monotonic()
    while (now_s := time.monotonic()) < begun_s + plan.duration_s:
        samples.append(sample(server.process.pid, at_s=now_s - begun_s))
        if len(samples) % 60 == 1:
            tell(f"{now_s - begun_s:5.0f} s  {_in_words(samples[-1])}  {len(tally.problems)} problems")
        told = _tell_new(tally, told, tell)
        time.sleep(_SEEN_EVERY_S)
    return tuple(samples)


def _callers(server: RunningServer, tally: Tally, plan: SoakPlan) -> Callers:
    return Callers(server.ready["grpc"], server.credentials(), tally, seed=plan.seed, pause_s=plan.call_pause_s)


def _tell_new(tally: Tally, told: int, tell: Callable[[str], None]) -> int:
    """Say at once what should not have been, while it can still be looked at."""
    problems = tally.problems[told:]
    for problem in problems:
        tell(problem)
    return told + len(problems)


def _incidents(server: RunningServer) -> list[dict[str, Any]]:
    """What the server blames itself for, but for certificates met in the middle of being replaced: it keeps the old."""
    log = server.log()
    replacing = {line["incident"] for line in log if line["event"] == "tls_reload_failed"}
    return [line for line in log if line["event"] == "incident" and line["incident_id"] not in replacing]


def _of_the_ledger(server: RunningServer, tally: Tally) -> tuple[Finding, ...]:
    """All that was answered is on it in the end, a full disk or not, and it verifies."""
    answers = tally.counts["answers recorded"] + tally.counts["answers not recorded"]
    return (
        Finding(what="records missed", found=records(server, "missed"), allowed=0),
        Finding(what="records that still wait", found=records(server, "waiting"), allowed=0),
        Finding(what="answers without a record", found=max(0, answers - signed_answers(server)), allowed=0),
    )


def _comes_back(server: RunningServer) -> bool:
    deadline_s = time.monotonic() + _FULL_WITHIN_S
    while time.monotonic() < deadline_s:
        tiers = server.pathway()["tiers"]
        if all(tier["state"] == "SERVING" for tier in tiers) and server.pathway()["capability"] == "FULL":
            return True
        time.sleep(0.1)
    return False


def _settled(server: RunningServer) -> Sample:
    """The server at rest: connections closed at the other end take it a moment to let go of."""
    seen = sample(server.process.pid, at_s=0.0)
    calm_looks = 0
    for _ in range(_MOST_LOOKS):
        time.sleep(_LOOKED_EVERY_S)
        before, seen = seen, sample(server.process.pid, at_s=0.0)
        same = seen.server.descriptors == before.server.descriptors and len(seen.workers) == len(before.workers)
        calm_looks = calm_looks + 1 if same else 0
        if calm_looks == _CALM_LOOKS:
            break
    return seen


def _in_words(seen: Sample) -> str:
    server = seen.server
    return (
        f"rss {server.rss_bytes / 2**20:.1f} MiB, pss {(server.pss_bytes or 0) / 2**20:.1f} MiB, "
        f"{server.descriptors} descriptors, {server.threads} threads, {len(seen.workers)} workers "
        f"of {seen.workers_rss_bytes / 2**20:.0f} MiB, {seen.zombies} zombies"
    )


def _judged(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "met": finding.met}


def unmet(findings: Sequence[Finding]) -> list[str]:
    """The findings beyond what is allowed, in words."""
    return [
        f"{each.what}: {each.found:g}, allowed {each.allowed:g} ({each.detail})" for each in findings if not each.met
    ]
