"""The examination of a bundle, step by step: the same steps to decide (the first refusal counts) and to explain (all).

Each step has a published name and says what it found good. A step that cannot be made because an earlier one failed is
said not to have been reached. Refuses to weigh steps against each other: one refusal refuses the bundle.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from stepdown.domain.bundles import Manifest, SignerIdentity
from stepdown.domain.errors import TrustError
from stepdown.domain.provenance import Provenance
from stepdown.trust.bundle_rules import BundleRule
from stepdown.trust.contents import examine_documents, examine_provenance
from stepdown.trust.demands import (
    check_age,
    check_builder,
    check_identity,
    check_people,
    check_signers,
    check_version,
)
from stepdown.trust.denylist import check_digest
from stepdown.trust.digests import bundle_digest, split_signatures
from stepdown.trust.file_set import check_file_set
from stepdown.trust.names import check_names
from stepdown.trust.policy import TrustPolicy
from stepdown.trust.signers import verify_signature

ValueT = TypeVar("ValueT")


class Outcome(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One step: `rule` is the rule that refused, empty unless one did; `detail` is what was found."""

    step: str
    outcome: Outcome
    rule: str = ""
    detail: str = ""


class _NotReachedError(Exception):
    """What an earlier step would have given is not there."""


class Examination:
    """One bundle under one policy. `files` maps paths in the bundle to bytes; `now_s` is Unix time."""

    def __init__(
        self, name: str, version: str, files: Mapping[str, bytes], *, policy: TrustPolicy, now_s: float
    ) -> None:
        """Take the bundle that is said to be `version` of `name`."""
        self._asked = (name, version)
        self._files = files
        self._policy = policy
        self._now_s = now_s
        self._signatures: Mapping[str, bytes] | None = None
        self._contents: Mapping[str, bytes] | None = None
        self._digests: dict[str, str] = {}
        self._signed: dict[str, tuple[SignerIdentity, Mapping[str, str]]] = {}
        self._manifest: Manifest | None = None
        self._provenance: Provenance | None = None
        self._steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("names", self._check_names),
            ("signatures", self._check_signatures),
            ("files", self._check_files),
            ("denylist", self._check_denylist),
            ("documents", self._check_documents),
            ("provenance", self._check_provenance),
            ("identity", self._check_identity),
            ("signers", self._check_signers),
            ("people", self._check_people),
            ("version", self._check_version),
            ("builder", self._check_builder),
            ("age", self._check_age),
        )

    def decide(self) -> None:
        """Make every step. Raises: TrustError of the first that refuses."""
        for _, step in self._steps:
            step()

    def explain(self) -> tuple[Finding, ...]:
        """Make every step that can be made, and say how each ended."""
        return tuple(_attempt(name, step) for name, step in self._steps)

    @property
    def manifest(self) -> Manifest:
        """What the bundle says it is, once its documents have been read."""
        return _reached(self._manifest)

    @property
    def contents(self) -> dict[str, bytes]:
        """The files without the signatures, once they were told apart."""
        return dict(_reached(self._contents))

    @property
    def provenance(self) -> Provenance:
        """Where the bundle came from, once that was read."""
        return _reached(self._provenance)

    @property
    def digest(self) -> str:
        """The bundle's digest, once the files were told apart from the signatures."""
        _reached(self._contents)
        return bundle_digest(self._digests)

    @property
    def signers(self) -> tuple[SignerIdentity, ...]:
        """Who signed, once every signature was verified, in order of the signature files."""
        if _reached(self._signatures).keys() != self._signed.keys():
            raise _NotReachedError
        return tuple(signer for signer, _ in self._signed.values())

    @property
    def _rule(self) -> BundleRule:
        return self._policy.rule_for(self._asked[0])

    # --- steps -------------------------------------------------------------------------------------------------------

    def _check_names(self) -> str:
        check_names(self._files)
        signatures, contents = split_signatures(self._files)
        self._signatures, self._contents = signatures, contents
        self._digests = {path: hashlib.sha256(content).hexdigest() for path, content in (contents | signatures).items()}
        return f"{len(contents)} files and {len(signatures)} signature(s), each by a plain name of its own"

    def _check_signatures(self) -> str:
        for path, signature in _reached(self._signatures).items():
            self._signed[path] = verify_signature(signature, policy=self._policy, now_s=self._now_s, what=path)
        return "; ".join(f"{path} by {signer.name}" for path, (signer, _) in self._signed.items())

    def _check_files(self) -> str:
        _reached(self.signers)
        for _, signed in self._signed.values():
            check_file_set(signed=signed, present=self._digests)
        return "exactly the files that were signed, each unchanged"

    def _check_denylist(self) -> str:
        check_digest(self.digest, self._policy.denylist)
        return f"{self.digest} is not on the denylist"

    def _check_documents(self) -> str:
        self._manifest = examine_documents(_reached(self._contents))
        return f"{self.manifest.kind} bundle {self.manifest.name} {self.manifest.version} is complete and can be read"

    def _check_provenance(self) -> str:
        self._provenance = examine_provenance(_reached(self._contents), self.manifest)
        edited = ", ".join(self._provenance.edited)
        return "it is about what this bundle runs" + (f"; edited since: {edited}" if edited else "")

    def _check_identity(self) -> str:
        name, version = self._asked
        check_identity(self.manifest, name=name, version=version)
        return f"{name} {version} was asked for, and this server is new enough for it"

    def _check_signers(self) -> str:
        check_signers(self._rule, self.signers)
        return "every signer is one whom the policy accepts for this bundle"

    def _check_people(self) -> str:
        return check_people(self._rule, self.signers, self._policy)

    def _check_version(self) -> str:
        return check_version(self._rule, self.manifest, self._policy.floors)

    def _check_builder(self) -> str:
        return check_builder(self._rule, self.provenance)

    def _check_age(self) -> str:
        return check_age(self._rule, self.provenance, now_s=self._now_s)


def _attempt(name: str, step: Callable[[], str]) -> Finding:
    try:
        return Finding(step=name, outcome=Outcome.PASSED, detail=step())
    except TrustError as refusal:
        return Finding(step=name, outcome=Outcome.REFUSED, rule=refusal.rule, detail=refusal.detail)
    except _NotReachedError:
        return Finding(step=name, outcome=Outcome.NOT_REACHED, detail="needs what a step above refused")


def _reached(value: ValueT | None) -> ValueT:
    if value is None:
        raise _NotReachedError
    return value
