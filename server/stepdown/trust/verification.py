"""From bytes to a bundle that may be loaded: the one place a `VerifiedBundle` is made.

Every signature there is must be good and by a signer whom the policy accepts for this bundle; every file outside
`signatures/` must be signed and none may be missing; name and version must be those that were asked for. Refuses
partial trust: one bad signature beside a good one refuses the bundle, because somebody meddled with it.
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from stepdown import __version__
from stepdown.domain.bundles import Manifest, SignerIdentity, VerifiedBundle
from stepdown.domain.errors import TrustError
from stepdown.trust.contents import examine_contents
from stepdown.trust.file_set import check_file_set
from stepdown.trust.names import SIGNATURE_DIRECTORY, check_names, is_signature
from stepdown.trust.policy import BundleRule, TrustPolicy
from stepdown.trust.refusal import TrustRule
from stepdown.trust.semantic_version import precedence
from stepdown.trust.signers import verify_signature

MAXIMUM_SIGNATURES = 16
_SIGNATURE_SUFFIX = ".sig"


def verify_bundle(
    name: str, version: str, files: Mapping[str, bytes], policy: TrustPolicy, now_s: float
) -> VerifiedBundle:
    """The bundle in `files` (path in the bundle -> bytes), when it is the one asked for and the policy accepts it.

    `now_s` is the time in Unix seconds at which certificates must be valid. The result holds the bytes that were
    checked, without the signatures.

    Raises: TrustError naming the rule that refused it. Nothing else, whatever the bytes.
    """
    check_names(files)
    signatures, contents = split_signatures(files)
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in (contents | signatures).items()}
    signers: list[SignerIdentity] = []
    for path, signature in signatures.items():
        signer, signed = verify_signature(signature, policy=policy, now_s=now_s, what=path)
        check_file_set(signed=signed, present=digests)
        signers.append(signer)
    digest = bundle_digest(digests)
    if digest in policy.denylist.bundle_digests:
        raise TrustError(rule=TrustRule.BUNDLE_DENIED, detail=f"the bundle with digest {digest} is on the denylist")
    manifest = examine_contents(contents)
    _check_identity(manifest, name=name, version=version)
    _check_rule(policy.rule_for(name), signers, version=version)
    return VerifiedBundle(
        manifest=manifest, files=MappingProxyType(contents), signers=_distinct(signers), sha256=digest
    )


def split_signatures(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The signature files and the rest, both in order of name.

    Raises: TrustError SIGNATURE_MISSING when there are none, SIGNATURE_MALFORMED when there are too many or something
    else lies among them.
    """
    signatures = {path: bytes(files[path]) for path in sorted(files) if is_signature(path)}
    contents = {path: bytes(files[path]) for path in sorted(files) if not is_signature(path)}
    if not signatures:
        raise TrustError(
            rule=TrustRule.SIGNATURE_MISSING, detail=f"the bundle holds no {SIGNATURE_DIRECTORY}/*{_SIGNATURE_SUFFIX}"
        )
    if len(signatures) > MAXIMUM_SIGNATURES:
        raise TrustError(
            rule=TrustRule.SIGNATURE_MALFORMED,
            detail=f"{len(signatures)} signatures, at most {MAXIMUM_SIGNATURES} are read",
        )
    for path in signatures:
        if not path.endswith(_SIGNATURE_SUFFIX) or path.count("/") != 1:
            raise TrustError(
                rule=TrustRule.SIGNATURE_MALFORMED,
                detail=f"{path} is not a {SIGNATURE_DIRECTORY}/<signer>{_SIGNATURE_SUFFIX}",
            )
    return signatures, contents


def bundle_digest(digests: Mapping[str, str]) -> str:
    """One digest for a bundle: hex sha256 over its `sha256sum` listing, files in order of name, signatures left out.

    `digests` maps every file's name to its hex sha256.
    """
    listing = "".join(f"{digests[path]}  {path}\n" for path in sorted(digests) if not is_signature(path))
    return hashlib.sha256(listing.encode("ascii")).hexdigest()


def _distinct(signers: list[SignerIdentity]) -> tuple[SignerIdentity, ...]:
    return tuple({signer.name: signer for signer in signers}.values())


def _check_identity(manifest: Manifest, *, name: str, version: str) -> None:
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


def _check_rule(rule: BundleRule, signers: list[SignerIdentity], *, version: str) -> None:
    for signer in signers:
        if signer.name not in rule.signers:
            raise TrustError(
                rule=TrustRule.SIGNER_NOT_ACCEPTED,
                detail=f"signed by {signer.name!a}, whom the policy does not accept for this bundle",
            )
    # One person with two keys and two people with one key both count once.
    distinct = min(len({signer.name for signer in signers}), len({signer.key_id for signer in signers}))
    if distinct < rule.minimum_signers:
        raise TrustError(
            rule=TrustRule.SIGNERS_TOO_FEW,
            detail=f"signed by {distinct} distinct signer(s), the policy asks for {rule.minimum_signers}",
        )
    if rule.minimum_version is not None and precedence(version) < precedence(rule.minimum_version):
        raise TrustError(
            rule=TrustRule.VERSION_TOO_LOW,
            detail=f"version {version} is below {rule.minimum_version}, the lowest the policy accepts",
        )
