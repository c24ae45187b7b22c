"""How much the first tier can answer here: a few callers who ask again as soon as they are answered.

The generator's own use of the processors is part of the answer: both share the machine.
"""

import time

import gevent
import grpc

from loadtests.generator.capacity import Capacity
from loadtests.generator.questions import Questions
from loadtests.generator.users import SERVICE
from loadtests.order import Order
from stepdown.api.v1.assessment_service_pb2 import AssessRiskResponse

_CALLERS = 8
_DEADLINE_S = 0.5
_WARM_UP_S = 2.0


def measure_capacity(order: Order, questions: Questions) -> Capacity:
    """Ask for a while. What is answered within the warm-up does not count."""
    begun_s = time.monotonic() + _WARM_UP_S
    ends_s = begun_s + order.calibrate_s
    tiers: list[str] = []
    gevent.joinall([gevent.spawn(_ask, order, questions, (begun_s, ends_s), tiers) for _ in range(_CALLERS)])
    answered = [tier for tier in tiers if tier]
    first = order.chain[0].name
    return Capacity(
        first_tier_per_s=sum(tier == first for tier in answered) / order.calibrate_s,
        any_tier_per_s=len(answered) / order.calibrate_s,
    )


def _ask(order: Order, questions: Questions, span_s: tuple[float, float], tiers: list[str]) -> None:
    begun_s, ends_s = span_s
    with order.credentials.channel(order.addresses, own_connection=True) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"{SERVICE}/AssessRisk")
        while (now_s := time.monotonic()) < ends_s:
            _, frame = questions.next("routine")
            try:
                tier = AssessRiskResponse.FromString(call(frame, timeout=_DEADLINE_S)).assessment.answered_by.tier
            except grpc.RpcError:
                tier = ""
            if now_s >= begun_s:
                tiers.append(tier)
