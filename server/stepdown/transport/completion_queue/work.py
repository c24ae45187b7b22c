"""Begins the calls whose turn it is, takes in what arrives for them, and ends those that are done.

Everything here is done by the one thread of the lane, but for the calls that take a thread of their own.
Refuses to work on one batch for so long that new calls are not looked at.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from typing import cast

from google.rpc.status_pb2 import Status

from stepdown.ports import Clock
from stepdown.transport.admission import Admission
from stepdown.transport.calls import enter_call
from stepdown.transport.completion_queue.call import LaneCall
from stepdown.transport.completion_queue.context import LaneContext
from stepdown.transport.completion_queue.departure import Departures, Ending, settle
from stepdown.transport.completion_queue.door import properties_of
from stepdown.transport.completion_queue.gathering import GatheredQuestions
from stepdown.transport.completion_queue.methods import LaneMethods
from stepdown.transport.completion_queue.queue import CallQueue
from stepdown.transport.interference import Interference
from stepdown.transport.refusals import overloaded
from stepdown.transport.stepwise import StepTerms

_SLICE_S = 0.005
# An answer whose time is over and that has not ended for it is asked again after this.
_AGAIN_S = 0.01
_SPARE_TIMERS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkParts:
    """What the work is done with. `threads` answer what is not answered in steps; `interference` holds answers back."""

    admission: Admission
    departures: Departures
    queue: CallQueue
    methods: LaneMethods
    chain: GatheredQuestions
    threads: ThreadPoolExecutor
    clock: Clock
    interference: Interference | None
    incident: Callable[[BaseException], object]


class Work:
    """Every call that was begun and has not ended."""

    def __init__(self, parts: WorkParts, *, wake: Callable[[LaneCall], None]) -> None:
        """`wake` is called, from any thread, when something has arrived for a call."""
        self._parts = parts
        self._wake = wake
        self._arrivals: deque[tuple[LaneCall, object]] = deque()
        self._open: dict[int, LaneCall] = {}
        self._begun: list[LaneCall] = []
        self._timers: list[tuple[float, int]] = []
        self._numbers = count()

    @property
    def is_due(self) -> bool:
        """Whether there is something to do at once."""
        return bool(self._arrivals) or bool(self._parts.queue)

    def wait_s(self, longest_s: float) -> float:
        """How long nothing need be done unless something happens."""
        if not self._timers:
            return longest_s
        return min(longest_s, max(0.0, self._timers[0][0] - self._parts.chain.now_s()))

    def go_on(self) -> float:
        """One turn: what has arrived, what is late, then new calls for a while. Returns the seconds spent beginning."""
        self._take_in()
        self._expire()
        begun_s = self._begin_some()
        self._ask()
        return begun_s

    def gone(self, call: LaneCall) -> None:
        """Its caller has left."""
        answer = call.answer
        settle(call)
        if answer is not None:
            answer.abandon()

    def _ask(self) -> None:
        """Ask the chain for all that were begun in this turn. Where that fails, each is answered by what is in hand."""
        begun, self._begun = self._begun, []
        try:
            self._parts.chain.flush()
        except Exception as error:  # noqa: BLE001  # our own fault must not cost a patient the answer in hand
            self._parts.incident(error)
            for call in begun:
                if call.answer is not None:
                    self._advance(call, call.answer.give_up)

    # --- beginning -------------------------------------------------------------------------------------------------

    def _begin_some(self) -> float:
        parts, spent_s = self._parts, 0.0
        while parts.queue and spent_s < _SLICE_S:
            since_s = parts.clock.monotonic_s()
            call, heavy = parts.queue.take()
            size, kind = call.size, parts.queue.kind(call)
            try:
                begun = self._hand_over(call) if heavy else self._begin(call, since_s)
            except Exception as error:  # noqa: BLE001  # becomes a status of this one call
                parts.departures.refuse(call, error)
                begun = False
            took_s = parts.clock.monotonic_s() - since_s
            spent_s += took_s
            if begun and not heavy:
                parts.queue.costs.cost(kind, size, took_s)
        return spent_s

    def _begin(self, call: LaneCall, now_s: float) -> bool:
        """Put its question. False where it was not begun after all."""
        parts = self._parts
        waited_s, remaining_s = now_s - call.came_s, call.remaining_s(now_s)
        if parts.queue.is_too_late(waited_s, remaining_s):
            raise overloaded()
        if parts.queue.demoted(call):
            return False
        steps = parts.methods.steps(call.method)
        if call.caller is None or steps is None:
            raise LookupError(call.method)
        call.caller = replace(call.caller, waited_s=waited_s)
        enter_call(call.caller)
        request = call.request
        if request is None:
            request = parts.admission.parse(call.method, steps.parse, call.message)
        call.message, call.request = b"", None
        terms = StepTerms(call=call.caller, remaining_s=remaining_s)
        call.answer = steps.begin(request, terms, partial(self._arrived, call))
        number = next(self._numbers)
        self._open[number] = call
        call.at_end(partial(self._forget, number))
        self._time(call, number)
        self._begun.append(call)
        return True

    def _hand_over(self, call: LaneCall) -> bool:
        """To a thread, which goes the whole way of the guard."""
        parts = self._parts
        if parts.queue.demoted(call):
            return False
        parts.queue.heavy_places -= 1
        message, call.message, call.request = call.message, b"", None
        parts.threads.submit(self._attend, call, message, parts.clock.monotonic_s())
        return True

    def _attend(self, call: LaneCall, message: bytes, since_s: float) -> None:
        """In a thread: what the guard and the servicer do with it."""
        parts = self._parts
        context = LaneContext(call, properties=properties_of(call.arrival.rpc), clock=parts.clock)
        ending: Ending | Exception
        try:
            handler = parts.methods.handler(call.method)
            answered = cast("Callable[..., bytes]", handler.stream_unary)(iter((message,)), context)
            ending = Ending(answer=answered, code=0, details="", trailing=context.trailing)
        except Exception as error:  # noqa: BLE001
            code = context.code()
            if code is None:
                ending = error
            else:
                ending = Ending(
                    answer=None, code=code.value[0], details=context.ending_details, trailing=context.trailing
                )
        took_s = parts.clock.monotonic_s() - since_s
        self._arrived(call, _Attended(ending=ending, size=len(message), took_s=took_s))

    # --- going on --------------------------------------------------------------------------------------------------

    def _arrived(self, call: LaneCall, what: object) -> None:
        """From any thread."""
        self._arrivals.append((call, what))
        self._wake(call)

    def _take_in(self) -> None:
        for _ in range(len(self._arrivals)):
            call, what = self._arrivals.popleft()
            if isinstance(what, _Attended):
                self._attended(call, what)
            elif isinstance(what, _Released):
                self._release(call, what)
            elif call.answer is not None:
                self._advance(call, partial(call.answer.arrived, what))

    def _expire(self) -> None:
        now_s = self._parts.chain.now_s()
        while self._timers and self._timers[0][0] <= now_s:
            _, number = heappop(self._timers)
            call = self._open.get(number)
            if call is None or call.answer is None:
                continue
            if call.answer.until_s <= now_s:
                self._advance(call, call.answer.expire)
            self._time(call, number)

    def _advance(self, call: LaneCall, step: Callable[[], None]) -> None:
        """Take the step, and end the call if that was the last."""
        if call.caller is not None:
            enter_call(call.caller)
        try:
            step()
            ending = call.answer.ending() if call.answer is not None else None
        except Exception as error:  # noqa: BLE001
            self._parts.departures.refuse(call, error)
            return
        if isinstance(ending, Status):
            self._parts.departures.status(call, ending)
        elif ending is not None:
            self._answer(call, ending)

    def _answer(self, call: LaneCall, answer: bytes) -> None:
        interference = self._parts.interference
        if interference is None or not interference.holds(call.name):
            self._parts.departures.answer(call, answer)
            return
        settle(call)
        self._parts.threads.submit(self._hold, interference, call, answer)

    def _hold(self, interference: Interference, call: LaneCall, answer: bytes) -> None:
        """In a thread: a drill holds this answer back."""
        context = LaneContext(call, properties={}, clock=self._parts.clock)
        error: Exception | None = None
        try:
            interference.hold(call.name, context)
        except Exception as refusal:  # noqa: BLE001
            error = refusal
        self._arrived(call, _Released(answer=answer, error=error))

    def _release(self, call: LaneCall, released: "_Released") -> None:
        call.is_settled = call.is_over
        if released.error is not None:
            self._parts.departures.refuse(call, released.error)
        elif not call.is_over:
            self._parts.departures.answer(call, released.answer)

    def _attended(self, call: LaneCall, attended: "_Attended") -> None:
        queue = self._parts.queue
        queue.heavy_places += 1
        queue.costs.cost(queue.kind(call), attended.size, attended.took_s)
        if isinstance(attended.ending, Ending):
            self._parts.departures.end(call, attended.ending)
        else:
            self._parts.departures.refuse(call, attended.ending)

    def _forget(self, number: int) -> None:
        del self._open[number]

    def _time(self, call: LaneCall, number: int) -> None:
        """Come back to it when its time is over."""
        if call.answer is None:
            return
        until_s = max(call.answer.until_s, self._parts.chain.now_s() + _AGAIN_S)
        heappush(self._timers, (until_s, number))
        if len(self._timers) > 2 * len(self._open) + _SPARE_TIMERS:
            self._timers = [timer for timer in self._timers if timer[1] in self._open]
            heapify(self._timers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attended:
    """A thread has answered a call, or failed to."""

    ending: Ending | Exception
    size: int
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Released:
    """A drill holds an answer back no longer, or cuts its client off."""

    answer: bytes
    error: Exception | None
