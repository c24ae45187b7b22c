"""Where calls wait to be begun, light ones and heavy ones apart, and what they will probably cost.

Heavy calls are answered by threads, few at a time, so that a batch of a thousand charts holds up nobody's single one.
Refuses, or gives up another caller's, when a call would be begun too late.
"""

from stepdown.domain.tiers import Urgency
from stepdown.ports import Clock
from stepdown.resilience.call_costs import CallCosts
from stepdown.resilience.load_shedding import LoadShedding
from stepdown.resilience.waiting_line import Waiting, WaitingLine
from stepdown.transport.admission import Admission
from stepdown.transport.calls import enter_call
from stepdown.transport.completion_queue.call import LaneCall
from stepdown.transport.completion_queue.departure import Departures
from stepdown.transport.completion_queue.methods import LaneMethods
from stepdown.transport.completion_queue.urgency import lesser
from stepdown.transport.refusals import overloaded

HEAVY_BYTES = 128 * 1024
HEAVY_AT_A_TIME = 2


class CallQueue:
    """The two lines, and the measured costs that decide who may join them."""

    def __init__(
        self,
        methods: LaneMethods,
        *,
        admission: Admission,
        departures: Departures,
        shedding: LoadShedding,
        clock: Clock,
    ) -> None:
        self.costs = CallCosts()
        self.heavy_places = HEAVY_AT_A_TIME
        self._methods = methods
        self._admission = admission
        self._departures = departures
        self._shedding = shedding
        self._clock = clock
        self._light: WaitingLine[LaneCall] = WaitingLine()
        self._heavy: WaitingLine[LaneCall] = WaitingLine()

    def __bool__(self) -> bool:
        """Whether a call waits that could be begun now."""
        return bool(self._light) or (bool(self._heavy) and self.heavy_places > 0)

    def has_room(self, call: LaneCall) -> bool:
        """Whether a call of its kind, of the usual size, could be begun in time."""
        return self._light.has_room(self._place(call, None))

    def put(self, call: LaneCall) -> None:
        """Let a call wait whose message is here; where there is no room, it or another is refused."""
        line = self._line(call)
        if not call.declared:
            call.urgency = Urgency.ROUTINE
        given_up = line.join(self._wait(call))
        if given_up is not None and given_up.item is call and not call.declared:
            call.urgency = self._own_urgency(call)
            call.declared = True
            given_up = line.join(self._wait(call))
        if given_up is not None:
            given_up.item.waiting = None
            self._departures.refuse(given_up.item, overloaded())

    def take(self) -> tuple[LaneCall, bool]:
        """Whose turn it is, and whether it is a heavy one. Something must wait."""
        heavy = self.heavy_places > 0 and bool(self._heavy)
        line = self._heavy if heavy else self._light
        call = line.take().item
        call.waiting = None
        return call, heavy

    def demoted(self, call: LaneCall) -> bool:
        """Whether a call that was taken is less urgent than was declared, and waits again for that, or was refused."""
        own = lesser(call.urgency, self._own_urgency(call)) if call.urgency is not Urgency.ROUTINE else call.urgency
        if own is call.urgency:
            return False
        call.urgency = own
        self.put(call)
        return True

    def forget(self, call: LaneCall) -> None:
        """Its caller has left."""
        if call.waiting is not None:
            self._line(call).leave(call.waiting)
            call.waiting = None

    def adjust(self) -> None:
        """Take over what was measured of late."""
        self._light.stretch = self._heavy.stretch = self.costs.stretch

    def is_too_late(self, waited_s: float, remaining_s: float | None) -> bool:
        """Whether it waited so long that it is not begun any more."""
        return self._shedding.refuses(waited_s, remaining_s)

    def is_heavy(self, call: LaneCall) -> bool:
        """Whether it takes a thread: for its size, or because its method is not answered in steps."""
        return call.size > HEAVY_BYTES or self._methods.steps(call.method) is None

    def kind(self, call: LaneCall) -> str:
        """What its cost is compared with."""
        return call.method if not self.is_heavy(call) else f"{call.method} in a thread"

    def _line(self, call: LaneCall) -> WaitingLine[LaneCall]:
        return self._heavy if self.is_heavy(call) else self._light

    def _wait(self, call: LaneCall) -> Waiting[LaneCall]:
        call.waiting = self._place(call, call.size)
        return call.waiting

    def _place(self, call: LaneCall, size: int | None) -> Waiting[LaneCall]:
        now_s = self._clock.monotonic_s()
        waited_s = now_s - call.came_s
        remaining_s = call.remaining_s(now_s)
        allowed_s = None if remaining_s is None else waited_s + remaining_s
        return Waiting(
            item=call,
            caller=call.name,
            urgency=call.urgency,
            cost_s=self.costs.expected_s(self.kind(call), size),
            limit_s=self._shedding.limit_s(call.urgency, allowed_s) - waited_s,
        )

    def _own_urgency(self, call: LaneCall) -> Urgency:
        """What the message says, read for this."""
        if call.caller is not None:
            enter_call(call.caller)
        steps = self._methods.steps(call.method)
        if steps is None:
            return call.urgency if call.declared else Urgency.ROUTINE
        if call.request is None:
            call.request = self._admission.parse(call.method, steps.parse, call.message)
        return steps.urgency(call.request)
