"""New versions of bundles on the wire. Refuses a wish that leaves open which version, or asks for more than all."""

import re
from typing import cast

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.domain.activations import ActivationState, ActivationStatus, ActivationWish
from stepdown.domain.reasons import RejectReason
from stepdown.transport.codec.enumerations import REASONS
from stepdown.transport.codec.identities import encode_bundle
from stepdown.transport.codec.times import duration, span_s, timestamp
from stepdown.transport.refusals import refused
from stepdown.trust.semantic_version import is_version

MAXIMUM_OBSERVATION_S = 86_400.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STATES = {
    state: cast("wire.ActivationState", wire.ActivationState.Value(f"ACTIVATION_STATE_{state}"))
    for state in ActivationState
}


def decode_wish(message: wire.ActivateBundleRequest) -> ActivationWish:
    """What is asked for. Raises: RequestRejectedError ACTIVATION_MALFORMED."""
    if not is_version(message.version):
        raise _malformed("version", "name the version, such as 1.2.0")
    if message.sha256 and not _SHA256.fullmatch(message.sha256):
        raise _malformed("sha256", "64 lower-case hexadecimal digits, or nothing")
    if message.HasField("canary_share") and not 0 <= message.canary_share <= 1:
        raise _malformed("canary_share", "a share from 0 to 1")
    observation_s = span_s(message.observation)
    if not 0 <= observation_s <= MAXIMUM_OBSERVATION_S:
        raise _malformed("observation", f"from 0 to {MAXIMUM_OBSERVATION_S:g} s")
    return ActivationWish(
        pathway=message.pathway,
        tier=message.tier,
        version=message.version,
        sha256=message.sha256,
        canary_share=message.canary_share if message.HasField("canary_share") else None,
        observation_s=observation_s if message.HasField("observation") else None,
    )


def encode_activation(activation: ActivationStatus) -> wire.ActivationReport:
    """How it stands, or how it ended."""
    return wire.ActivationReport(
        bundle=encode_bundle(activation.bundle),
        replaced_bundle=None if activation.replaces is None else encode_bundle(activation.replaces),
        state=_STATES[activation.state],
        canary_share=activation.canary_share,
        observation=duration(activation.observation_s),
        start_time=timestamp(activation.start_time_s),
        state_start_time=timestamp(activation.since_time_s),
        answers=activation.answers,
        worker_pid=activation.worker_pid,
        reason=None if activation.reason is None else REASONS[activation.reason],
        detail=activation.detail,
    )


def _malformed(field: str, description: str) -> Exception:
    return refused(RejectReason.ACTIVATION_MALFORMED, field=field, description=description)
