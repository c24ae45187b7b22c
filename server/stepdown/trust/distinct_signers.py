"""How many people signed, and which roles they fill: the two-person rule, and more.

Signatures are of one person when the policy says so, or when they share a key, a signer's name or any name that a
certificate gives: whoever holds two certificates is still one. Refuses to let one person fill two roles of a rule.
"""

from collections.abc import Iterable

from stepdown.domain.bundles import SignerIdentity
from stepdown.trust.policy import TrustPolicy


def people(signers: Iterable[SignerIdentity], policy: TrustPolicy) -> tuple[frozenset[str], ...]:
    """One entry for each distinct person: the roles of that person."""
    groups: list[tuple[frozenset[str], frozenset[str]]] = []
    for signer in signers:
        known = policy.signer(signer.name)
        marks = _marks(signer, known.person)
        roles = frozenset(known.roles)
        same = [group for group in groups if group[0] & marks]
        groups = [group for group in groups if not group[0] & marks]
        groups.append(
            (marks.union(*(group[0] for group in same)), roles.union(*(group[1] for group in same))),
        )
    return tuple(roles for _, roles in groups)


def unfilled_roles(wanted: tuple[str, ...], roles: tuple[frozenset[str], ...]) -> tuple[str, ...]:
    """The roles that stay without a person of their own, however people are assigned; `roles` has those of each."""
    holders: dict[int, str] = {}
    return tuple(role for role in wanted if not _assign(role, roles, holders, set()))


def _assign(role: str, roles: tuple[frozenset[str], ...], holders: dict[int, str], tried: set[int]) -> bool:
    """Give the role to somebody, moving others to another role where that helps (augmenting paths)."""
    for person, held in enumerate(roles):
        if role in held and person not in tried:
            tried.add(person)
            if person not in holders or _assign(holders[person], roles, holders, tried):
                holders[person] = role
                return True
    return False


def _marks(signer: SignerIdentity, person: str) -> frozenset[str]:
    """Everything by which two signatures can be seen to be of one person."""
    named = {f"person {person}", f"key {signer.key_id}"}
    return frozenset(named | {f"identity {identity.casefold()}" for identity in signer.identities})
