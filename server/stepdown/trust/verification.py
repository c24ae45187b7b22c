"""From bytes to a bundle that may be loaded: the one place a `VerifiedBundle` is made.

Every signature there is must be good and by a signer whom the policy accepts for this bundle; every file outside
`signatures/` must be signed and none may be missing; name and version must be those that were asked for. Refuses
partial trust: one bad signature beside a good one refuses the bundle, because somebody meddled with it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from stepdown.domain.bundles import SignerIdentity, VerifiedBundle
from stepdown.trust.examination import Examination, Finding
from stepdown.trust.policy import TrustPolicy


def verify_bundle(
    name: str, version: str, files: Mapping[str, bytes], policy: TrustPolicy, now_s: float
) -> VerifiedBundle:
    """The bundle in `files` (path in the bundle -> bytes), when it is the one asked for and the policy accepts it.

    `now_s` is the time in Unix seconds at which certificates must be valid. The result holds the bytes that were
    checked, without the signatures.

    Raises: TrustError naming the rule that refused it. Nothing else, whatever the bytes.
    """
    examination = Examination(name, version, files, policy=policy, now_s=now_s)
    examination.decide()
    return VerifiedBundle(
        manifest=examination.manifest,
        files=MappingProxyType(examination.contents),
        signers=_distinct(examination.signers),
        sha256=examination.digest,
        provenance=examination.provenance,
    )


def explain_bundle(
    name: str, version: str, files: Mapping[str, bytes], policy: TrustPolicy, now_s: float
) -> tuple[Finding, ...]:
    """Every step of the same verification, with how it ended. All passed: `verify_bundle` accepts the bundle."""
    return Examination(name, version, files, policy=policy, now_s=now_s).explain()


def _distinct(signers: tuple[SignerIdentity, ...]) -> tuple[SignerIdentity, ...]:
    """One of each, in order; a signer with two certificates stays twice, so that either can be denied."""
    return tuple(dict.fromkeys(signers))
