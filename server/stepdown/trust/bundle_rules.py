"""The `[[bundle]]` tables of a trust policy: what it takes for a bundle of that name.

Refuses rules that nobody could satisfy: more signers or roles than there are people for, an unknown role.
"""

from dataclasses import dataclass

from stepdown.domain.provenance import ProvenanceField
from stepdown.trust.fields import Fields
from stepdown.trust.names import is_bundle_name
from stepdown.trust.policy_signers import Signer
from stepdown.trust.semantic_version import is_version

ANY_BUNDLE = "*"
_MAXIMUM_DAYS = 36_525
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRule:
    """What it takes for one bundle.

    So many distinct people out of `signers`, each of `roles` held by a person of its own, no version below
    `minimum_version`, built within `maximum_age_s` by one of `builders` (empty: any), and a provenance that says all of
    `provenance`.
    """

    signers: frozenset[str]
    minimum_signers: int = 1
    roles: tuple[str, ...] = ()
    minimum_version: str | None = None
    maximum_age_s: float | None = None
    builders: frozenset[str] = frozenset()
    provenance: tuple[ProvenanceField, ...] = ()


def read_bundle_rules(fields: Fields, signers: tuple[Signer, ...]) -> dict[str, BundleRule]:
    """The rule of each bundle name; problems go to `fields`."""
    rules: dict[str, BundleRule] = {}
    tables = fields.tables("bundle")
    if not tables:
        fields.problem("bundle", "must be given at least once")
    by_name = {signer.name: signer for signer in signers}
    for table in tables:
        rule = _read_rule(table, by_name)
        for name in table.texts("names", required=True):
            if name != ANY_BUNDLE and not is_bundle_name(name):
                table.problem("names", f"holds {name!a}, which is no bundle's name")
            if name in rules:
                table.problem("names", f"holds {name!a}, which another [[bundle]] has already")
            rules[name] = rule
    return rules


def _read_rule(fields: Fields, signers: dict[str, Signer]) -> BundleRule:
    names = fields.texts("signers", required=True)
    unknown = sorted(set(names) - set(signers))
    if unknown:
        fields.problem("signers", f"names {', '.join(map(ascii, unknown))}: no usable [[signer]] is called that")
    accepted = tuple(signers[name] for name in names if name in signers)
    people = max(1, len({signer.person for signer in accepted} | set(unknown)))
    days = fields.integer("maximum_age_days", minimum=0, maximum=_MAXIMUM_DAYS, default=0)
    return BundleRule(
        signers=frozenset(names),
        minimum_signers=fields.integer("minimum_signers", minimum=1, maximum=people, default=1),
        roles=_read_roles(fields, accepted, people=people),
        minimum_version=fields.text(
            "minimum_version", default="", accepts=is_version, wanted="a semantic version such as 1.0.0"
        )
        or None,
        maximum_age_s=days * _DAY_S if days else None,
        builders=frozenset(fields.texts("builders")),
        provenance=_read_provenance(fields),
    )


def _read_roles(fields: Fields, accepted: tuple[Signer, ...], *, people: int) -> tuple[str, ...]:
    roles = fields.texts("roles")
    held = frozenset(role for signer in accepted for role in signer.roles)
    missing = sorted(set(roles) - held)
    if missing:
        fields.problem("roles", f"asks for {', '.join(map(ascii, missing))}, which none of its signers has")
    if len(roles) > people:
        fields.problem("roles", f"asks for {len(roles)} people, and its signers are {people}")
    return roles


def _read_provenance(fields: Fields) -> tuple[ProvenanceField, ...]:
    wanted = fields.texts("provenance")
    if not set(wanted) <= set(ProvenanceField):
        fields.problem("provenance", f"must hold some of {', '.join(ProvenanceField)}")
        return ()
    return tuple(ProvenanceField(field) for field in wanted)
