"""The only place that decides what to tolerate: asks the planned tiers in turn, answers each request exactly once."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from stepdown.domain.assessments import Degradation
from stepdown.domain.engine_effects import AnswerRequest, Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import AnswerGiven
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult
from stepdown.domain.tiers import TierState
from stepdown.resilience.extra_work import ExtraWork
from stepdown.serving.engine.case import Case, HeldAnswer
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.policy import EnginePolicy
from stepdown.serving.engine.shed_count import ShedCount
from stepdown.serving.engine.tier import Tier
from stepdown.serving.tier_plan import unfit_for

_NEVER_S = float("inf")

_SPARE_REMINDERS = 256
_NO_HEDGE = "asking it as well, to be safe, would have been too much extra work"
_GAVE_WAY = "gave way to a more urgent caller, or to one with less waiting"


class Cascade:
    """Steps one case down its plan.

    Next tier on failure, next tier beside the first when slack runs out, rules at the last.
    """

    def __init__(self, *, pathway: Pathway, policy: EnginePolicy, outbox: Outbox) -> None:
        """Serve one pathway."""
        self._pathway = pathway
        self._policy = policy
        self._outbox = outbox
        self._due: list[tuple[float, int, bool, Case]] = []
        self._ticket = 0
        self._open: dict[int, Case] = {}
        self._extra = ExtraWork(share=policy.hedge_share, burst_rows=policy.hedge_burst_rows)
        self.shed = ShedCount(pathway=pathway.name, outbox=outbox)
        self.touched: set[Tier] = set()

    # --- in ------------------------------------------------------------------------------------------------------

    def start(self, case: Case, now_s: float) -> None:
        """Ask the first tier of the plan, or answer at once when there is nobody to ask."""
        self._open[id(case.request)] = case
        self._extra.earn(case.rows)
        self._remind(case, case.answer_by_s, last=True)
        if not self._ask_next(case, now_s):
            self._settle(case, now_s)

    def succeeded(self, case: Case, *, tier: Tier, result: RowsResult, now_s: float) -> None:
        """A tier answered: take it, unless a better one asked earlier may still answer in time."""
        if case.done or tier.rank not in case.asked_s or tier.identity is None:
            return
        case.note_success(rank=tier.rank, tier=tier.name, now_s=now_s)
        if case.held is None or tier.rank < case.held.rank:
            case.held = HeldAnswer(rank=tier.rank, result=result, identity=tier.identity)
        if not self._worth_waiting(case):
            self._settle(case, now_s)

    def failed(self, cases: Iterable[Case], *, tier: Tier, reason: Reason, detail: str, now_s: float) -> None:
        """A tier will not answer these: step each down to the next."""
        for case in cases:
            if case.done or case.asked_of.get(tier.rank) is not tier:
                continue
            case.note_failure(rank=tier.rank, tier=tier.name, reason=reason, detail=detail, now_s=now_s)
            if tier.aside and case.held is None and self._ask(case, self._pathway.models[tier.rank], now_s):
                continue
            answered = case.held is not None and not self._worth_waiting(case)
            if answered or (not case.asked_s and not self._ask_next(case, now_s)):
                self._settle(case, now_s)

    def distrust(self, *, tier: Tier, reason: Reason, detail: str) -> None:
        """A worker turned out to lie: answers of its tier that are still held back are not given to anybody."""
        digest = tier.spec.bundle.sha256 if tier.spec.bundle is not None else ""
        for case in tuple(self._open.values()):
            if case.held is not None and case.held.identity.bundle.sha256 == digest and case.held.rank == tier.rank:
                case.held = None
                case.degradations[tier.rank] = Degradation(tier=tier.name, reason=reason, detail=detail)

    def distrust_rules(self) -> None:
        """The rules no longer give their known answers: what they have said to whoever waits is given to nobody."""
        for case in self._open.values():
            case.rules_distrusted = True

    def cancelled(self, request: Request) -> None:
        """The caller went away: nobody is answered and nothing more is asked."""
        case = self._open.get(id(request))
        if case is not None:
            self._end(case)

    def hurry(self, cases: Iterable[Case], now_s: float) -> None:
        """The tier asked is suspiciously silent: ask the next one beside it, or give the answer that is in hand."""
        for case in cases:
            if case.done:
                continue
            asked = case.held is None and self._ask_next(case, now_s)
            if not asked and self._nobody_to_wait_for(case):
                self._settle(case, now_s)

    def tick(self, now_s: float) -> None:
        """Hedges and deadlines that are due."""
        while self._due and self._due[0][0] <= now_s:
            _, _, last, case = heappop(self._due)
            if case.done or (case.held is not None and not last):
                continue
            if last:
                self._settle(case, now_s)
            else:
                self._hedge(case, now_s)

    def next_due_s(self) -> float:
        """When `tick` next has something to do."""
        while self._due and self._due[0][3].done:
            heappop(self._due)
        return self._due[0][0] if self._due else _NEVER_S

    def open_cases(self) -> int:
        """How many accepted requests are not answered yet."""
        return len(self._open)

    def _nobody_to_wait_for(self, case: Case) -> bool:
        """Whether an answer is in hand, from a model or the rules, and every tier that could better it is silent."""
        if case.held is not None:
            return not self._worth_waiting(case)
        in_hand = case.request.rules_in_hand and self._rules_accepted(case)
        return in_hand and all(asked.stalled() for asked in case.asked_of.values())

    def _worth_waiting(self, case: Case) -> bool:
        """Whether a tier better than the answer in hand was asked and may yet reply: one that is stalled may not."""
        held = case.held
        return held is not None and any(
            rank < held.rank and not asked.stalled() for rank, asked in case.asked_of.items()
        )

    # --- asking --------------------------------------------------------------------------------------------------

    def _ask_next(self, case: Case, now_s: float) -> bool:
        while case.position < len(case.order):
            rank = case.order[case.position]
            case.position += 1
            taker = self._pathway.taker(rank, rows=case.rows, answer_by_s=case.answer_by_s, now_s=now_s)
            if self._ask(case, taker, now_s):
                return True
        return False

    def _ask(self, case: Case, tier: Tier, now_s: float) -> bool:
        """Let the case wait for this tier, unless that is no use: then note why."""
        unfit = self._unfit(case, tier, now_s)
        if unfit is None and tier.is_full(case.request.urgency):
            self._make_room(case, tier, now_s)
            # What gave way may have been less than what comes: the bound is kept all the same.
            unfit = self._unfit(case, tier, now_s)
        if unfit is not None:
            self.skip(case, Degradation(tier=tier.name, reason=unfit[0], detail=unfit[1]), rank=tier.rank)
            return False
        case.asked_s[tier.rank] = now_s
        case.asked_of[tier.rank] = tier
        tier.queue.put(case)
        self.touched.add(tier)
        self._plan_hedge(case, now_s)
        return True

    def skip(self, case: Case, degradation: Degradation, *, rank: int) -> None:
        """A tier is not asked for this case; told to observers where that is for want of room."""
        case.note(rank, degradation)
        if degradation.reason is Reason.QUEUE_FULL:
            self.shed.count(case, degradation.tier)

    @staticmethod
    def _unfit(case: Case, tier: Tier, now_s: float) -> tuple[Reason, str] | None:
        if case.rows > 1 and case.rows > tier.maximum_rows:
            return Reason.INPUT_UNSUITABLE, "more rows than the bundle takes at once"
        view = tier.view(case.request.urgency, case.request.client, rows=case.rows)
        return unfit_for(view, case.answer_by_s - now_s)

    def _make_room(self, case: Case, tier: Tier, now_s: float) -> None:
        """A full queue gives way to the more urgent, and to a client with less waiting than another that floods it."""
        urgency, client = case.request.urgency, case.request.client
        while tier.is_full(urgency) and tier.queue.can_displace(urgency, client, rows=case.rows):
            victim = tier.queue.displaced(urgency)
            self.shed.count(victim, tier.name)
            self.failed((victim,), tier=tier, reason=Reason.QUEUE_FULL, detail=_GAVE_WAY, now_s=now_s)

    def _hedge(self, case: Case, now_s: float) -> None:
        """Ask the next tier beside the first, within what extra work may be done; else the first is waited for.

        Without it a first tier that is slow under load would double the load of the next, and both be lost.
        """
        if not self._extra.affords(case.rows):
            for rank in case.order[case.position :]:
                withheld = Degradation(tier=self._pathway.models[rank].name, reason=Reason.QUEUE_FULL, detail=_NO_HEDGE)
                self.skip(case, withheld, rank=rank)
        elif self._ask_next(case, now_s):
            self._extra.spend(case.rows)

    def _plan_hedge(self, case: Case, now_s: float) -> None:
        if case.position >= len(case.order):
            return
        following = self._pathway.models[case.order[case.position]]
        slow_s = following.latency.quantile_s(0.95) or 0.0
        wait_s = following.wait_s(case.request.urgency, case.request.client)
        # A slow run, and what stands in its queue: at least a run of the same length, which may have begun by then.
        margin_s = slow_s + max(slow_s, wait_s) + self._policy.hedge_margin_s
        self._remind(case, max(case.answer_by_s - margin_s, now_s), last=False)

    def _remind(self, case: Case, moment_s: float, *, last: bool) -> None:
        self._ticket += 1
        heappush(self._due, (moment_s, self._ticket, last, case))
        if len(self._due) > 4 * len(self._open) + _SPARE_REMINDERS:
            self._due = [reminder for reminder in self._due if not reminder[3].done]
            heapify(self._due)

    # --- out -----------------------------------------------------------------------------------------------------

    def _settle(self, case: Case, now_s: float) -> None:
        case.leave_queues()
        held = case.held
        if held is not None:
            self._note_silence(case, below=held.rank, now_s=now_s)
            outcome = Outcome(
                answered_by=held.identity,
                result=held.result,
                degradations=self._degradations(case, below=held.rank),
                attempts=tuple(case.attempts),
            )
        else:
            outcome = self._without_models(case, now_s)
        self._end(case)
        self._outbox.put(AnswerRequest(request=case.request, outcome=outcome))
        self._tell(case, outcome, now_s)

    def _end(self, case: Case) -> None:
        """Nothing more is done for it, wherever it still waits."""
        case.done = True
        self._open.pop(id(case.request), None)
        case.leave_queues()

    def _without_models(self, case: Case, now_s: float) -> Outcome:
        self._note_silence(case, below=len(self._pathway.tiers), now_s=now_s)
        rules = self._pathway.rules
        degradations = self._degradations(case, below=len(self._pathway.tiers))
        if case.request.rules_in_hand and self._rules_accepted(case) and rules is not None:
            return Outcome(
                answered_by=case.request.rules_identity or rules.identity,
                result=None,
                degradations=degradations,
                attempts=tuple(case.attempts),
            )
        last = degradations[-1] if degradations else Degradation(tier="", reason=Reason.NOT_CONFIGURED)
        return Outcome(
            answered_by=None,
            result=None,
            degradations=degradations,
            attempts=tuple(case.attempts),
            failure=last.reason,
            failure_detail=f"{last.tier}: {last.detail}" if last.tier else "no such tier",
        )

    def _rules_accepted(self, case: Case) -> bool:
        rules = self._pathway.rules
        if rules is None or rules.state is not TierState.SERVING or case.rules_distrusted:
            return False
        wish = case.request
        return wish.only_tier in {"", rules.name} and wish.minimum_tier in {"", rules.name}

    def _note_silence(self, case: Case, *, below: int, now_s: float) -> None:
        for rank in sorted(case.asked_s):
            if rank < below:
                tier = self._pathway.tiers[rank]
                silent = case.asked_of[rank].stalled()
                reason = Reason.WORKER_HUNG if silent else Reason.DEADLINE_TOO_SHORT
                case.note_failure(rank=rank, tier=tier.name, reason=reason, detail="no answer in time", now_s=now_s)

    @staticmethod
    def _degradations(case: Case, *, below: int) -> tuple[Degradation, ...]:
        return tuple(case.degradations[rank] for rank in sorted(case.degradations) if rank < below)

    def _tell(self, case: Case, outcome: Outcome, now_s: float) -> None:
        if outcome.answered_by is not None:
            self._pathway.count_answer(outcome.answered_by)
        self._outbox.tell(
            AnswerGiven(
                pathway=self._pathway.name,
                answered_by=outcome.answered_by,
                degradations=outcome.degradations,
                rows=max(case.rows, 1),
                elapsed_s=now_s - case.arrived_s,
                attempts=outcome.attempts,
                slack_s=case.request.deadline_s - case.arrived_s,
            )
        )
