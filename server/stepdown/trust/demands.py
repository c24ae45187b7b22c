"""What a policy demands of a bundle whose signatures are good: by whom, by how many, which version, how built, how old.

Each check says what it found good. Refuses to read anything: everything here was verified before.
"""

from collections.abc import Mapping

from stepdown import __version__
from stepdown.domain.bundles import Manifest, SignerIdentity
from stepdown.domain.errors import TrustError
from stepdown.domain.provenance import Provenance
from stepdown.trust.bundle_rules import BundleRule
from stepdown.trust.certificates import CLOCK_TOLERANCE_S
from stepdown.trust.distinct_signers import people, unfilled_roles
from stepdown.trust.documents import quoted
from stepdown.trust.policy import TrustPolicy
from stepdown.trust.refusal import TrustRule
from stepdown.trust.semantic_version import precedence

_DAY_S = 86_400.0


def check_identity(manifest: Manifest, *, name: str, version: str) -> None:
    """Whether this is what was asked for. Raises: TrustError NAME_MISMATCH, VERSION_MISMATCH or SERVER_TOO_OLD."""
    if manifest.name != name:
        raise TrustError(
            rule=TrustRule.NAME_MISMATCH, detail=f"asked for {name!a}, and the signed manifest says {manifest.name!a}"
        )
    if manifest.version != version:
        raise TrustError(
            rule=TrustRule.VERSION_MISMATCH,
            detail=f"asked for version {version!a}, and the signed manifest says {manifest.version!a}",
        )
    if precedence(__version__) < precedence(manifest.minimum_server_version):
        raise TrustError(
            rule=TrustRule.SERVER_TOO_OLD,
            detail=f"needs server {manifest.minimum_server_version} or newer, and this is {__version__}",
        )


def check_signers(rule: BundleRule, signers: tuple[SignerIdentity, ...]) -> None:
    """Whether everybody who signed may. Raises: TrustError SIGNER_NOT_ACCEPTED."""
    for signer in signers:
        if signer.name not in rule.signers:
            raise TrustError(
                rule=TrustRule.SIGNER_NOT_ACCEPTED,
                detail=f"signed by {signer.name!a}, whom the policy does not accept for this bundle",
            )


def check_people(rule: BundleRule, signers: tuple[SignerIdentity, ...], policy: TrustPolicy) -> str:
    """Whether enough distinct people signed, one for each role. Raises: SIGNERS_TOO_FEW or SIGNER_ROLE_MISSING."""
    roles = people(signers, policy)
    if len(roles) < rule.minimum_signers:
        raise TrustError(
            rule=TrustRule.SIGNERS_TOO_FEW,
            detail=f"signed by {len(roles)} distinct signer(s), the policy asks for {rule.minimum_signers}",
        )
    unfilled = unfilled_roles(rule.roles, roles)
    if unfilled:
        raise TrustError(
            rule=TrustRule.SIGNER_ROLE_MISSING,
            detail=f"nobody signed as {', '.join(map(ascii, unfilled))} who is not counted for another role",
        )
    asked = f"{rule.minimum_signers} asked for; roles: {', '.join(rule.roles) or '-'}"
    return f"people who signed: {len(roles)}, {asked}"


def check_version(rule: BundleRule, manifest: Manifest, floors: Mapping[str, str]) -> str:
    """Whether the version is not below what the policy asks for, nor below what has served here already.

    Raises: TrustError VERSION_TOO_LOW or VERSION_ROLLED_BACK.
    """
    version, floor = manifest.version, floors.get(manifest.name)
    if rule.minimum_version is not None and precedence(version) < precedence(rule.minimum_version):
        raise TrustError(
            rule=TrustRule.VERSION_TOO_LOW,
            detail=f"version {version} is below {rule.minimum_version}, the lowest the policy accepts",
        )
    if floor is not None and precedence(version) < precedence(floor):
        raise TrustError(
            rule=TrustRule.VERSION_ROLLED_BACK,
            detail=f"version {floor} has served here, and only an operator's act leads back to {version}",
        )
    return f"{version} is not below {rule.minimum_version or '-'} (policy) nor {floor or '-'} (served here)"


def check_builder(rule: BundleRule, provenance: Provenance) -> str:
    """Whether its provenance names a builder that is allowed, and says all that it must.

    Raises: TrustError BUILDER_NOT_ALLOWED or PROVENANCE_INCOMPLETE.
    """
    if rule.builders and provenance.builder not in rule.builders:
        raise TrustError(
            rule=TrustRule.BUILDER_NOT_ALLOWED,
            detail=f"built by {quoted(provenance.builder)}, which the policy does not allow for this bundle",
        )
    silent = [field.value for field in rule.provenance if not provenance.says(field)]
    if silent:
        raise TrustError(
            rule=TrustRule.PROVENANCE_INCOMPLETE, detail=f"the provenance does not say: {', '.join(silent)}"
        )
    return f"built by {provenance.builder}; demanded and said: {', '.join(rule.provenance) or '-'}"


def check_age(rule: BundleRule, provenance: Provenance, *, now_s: float) -> str:
    """Whether it was built recently enough, and not in the future.

    Raises: TrustError BUNDLE_TOO_OLD, PROVENANCE_INCOMPLETE when it must say when it was built and does not, or
    PROVENANCE_INVALID for a time that has not come yet.
    """
    built_s = provenance.finished_time_s
    if built_s is not None and built_s > now_s + CLOCK_TOLERANCE_S:
        raise TrustError(rule=TrustRule.PROVENANCE_INVALID, detail="the provenance says it was built in the future")
    if rule.maximum_age_s is None:
        return "the policy sets no maximum age"
    if built_s is None:
        raise TrustError(
            rule=TrustRule.PROVENANCE_INCOMPLETE, detail="the provenance does not say: finished_on, and age counts"
        )
    age_d, maximum_d = (now_s - built_s) / _DAY_S, rule.maximum_age_s / _DAY_S
    if age_d > maximum_d:
        raise TrustError(
            rule=TrustRule.BUNDLE_TOO_OLD, detail=f"built {age_d:.0f} days ago, the policy accepts {maximum_d:.0f}"
        )
    return f"built {max(age_d, 0.0):.0f} days ago, at most {maximum_d:.0f}"
