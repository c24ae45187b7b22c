"""Write the software bill of materials (CycloneDX, JSON) of an environment, and refuse a licence that is not allowed.

It lists what is installed: each Python distribution with its licence and what it asks for, and each Debian package of
the base image. The same content gives the same bytes: the serial number is made from the content and the time is
`SOURCE_DATE_EPOCH`. It refuses to guess a licence: what metadata does not say, deploy/image/licences.toml must.
"""

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from importlib.metadata import Distribution, distributions
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from license_expression import (  # type: ignore[import-untyped]
    AND,
    OR,
    ExpressionError,
    LicenseExpression,
    get_spdx_licensing,
)
from packageurl import PackageURL
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LICENCES = ROOT / "deploy" / "image" / "licences.toml"
APPLICATION = "stepdown"
_PINNED = re.compile(r"^([a-zA-Z0-9][a-zA-Z0-9._-]*)==", re.MULTILINE)
_spdx = get_spdx_licensing()


@dataclass(frozen=True, slots=True, kw_only=True)
class LicencePolicy:
    """The SPDX identifiers that are allowed, and what was read by a person for packages that do not say."""

    allowed: frozenset[str]
    stated: dict[str, str]

    @classmethod
    def read(cls, file: Path) -> "LicencePolicy":
        """From TOML."""
        table = tomllib.loads(file.read_text())
        return cls(allowed=frozenset(table["allowed"]), stated=table["stated"])

    def expression(self, name: str, stated_by_package: object) -> str:
        """The licence of a package as an SPDX expression; empty when nobody says."""
        return str(stated_by_package or self.stated.get(name, ""))

    def allows(self, expression: str) -> bool:
        """Whether one may take the software under allowed terms: all of an AND, one of an OR."""
        try:
            parsed = _spdx.parse(expression)
        except ExpressionError:
            return False
        return parsed is not None and self._holds(parsed)

    def _holds(self, parsed: LicenseExpression) -> bool:
        if not isinstance(parsed, AND | OR):
            return str(parsed) in self.allowed
        parts = [self._holds(part) for part in parsed.args]
        return any(parts) if isinstance(parsed, OR) else all(parts)


def canonical(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(site_packages: Path, only: Collection[Path] = ()) -> dict[str, Distribution]:
    """The distributions of an environment by name; with locks in `only`, those that these name, and the application."""
    named = {canonical(name) for lock in only for name in _PINNED.findall(lock.read_text())} | {APPLICATION}
    found = {canonical(each.name): each for each in distributions(path=[str(site_packages)])}
    return {name: each for name, each in sorted(found.items()) if not only or name in named}


def asks_for(distribution: Distribution, present: Iterable[str]) -> set[str]:
    """The names among `present` that a distribution requires here. Which runtime the application has is its extra."""
    extras = distribution.metadata.get_all("Provides-Extra", []) if distribution.name == APPLICATION else []
    wanted = [Requirement(line) for line in distribution.requires or ()]
    applying = {
        canonical(each.name)
        for each in wanted
        for extra in ("", *extras)
        if each.marker is None or each.marker.evaluate({"extra": extra})
    }
    return applying & set(present)


def debian_packages(status: Path) -> Iterator[Component]:
    """What the package manager of the base image says is installed."""
    for paragraph in status.read_text("utf-8").split("\n\n"):
        fields = HeaderParser().parsestr(paragraph.lstrip("\n"))
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            qualifiers = {"arch": fields["Architecture"]}
            purl = PackageURL("deb", "debian", name, version, qualifiers=qualifiers)
            yield Component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl))


def materials(
    found: dict[str, Distribution], policy: LicencePolicy, debian: Iterable[Component]
) -> tuple[Bom, tuple[str, ...]]:
    """The bill, and the names of what stands under a licence that is not allowed, each with that licence."""
    licences = LicenseFactory()
    parts: dict[str, Component] = {}
    refused = []
    for name, each in found.items():
        expression = policy.expression(name, each.metadata.json.get("license_expression"))
        if not policy.allows(expression):
            refused.append(f"{name} {each.version}: {expression or 'says no licence in SPDX terms'}")
        purl = PackageURL("pypi", name=name, version=each.version)
        parts[name] = Component(
            name=name,
            version=each.version,
            type=ComponentType.APPLICATION if name == APPLICATION else ComponentType.LIBRARY,
            purl=purl,
            bom_ref=str(purl),
            licenses=[licences.make_from_string(expression)] if expression else [],
        )
    bom = Bom(components=[part for name, part in parts.items() if name != APPLICATION])
    bom.metadata.component = parts[APPLICATION]
    bom.components.update(debian)
    for name, each in found.items():
        bom.register_dependency(parts[name], [parts[other] for other in sorted(asks_for(each, parts))])
    return bom, tuple(refused)


def serialised(bom: Bom, moment: datetime) -> str:
    """The bill as text that depends on its content alone."""
    bom.metadata.timestamp = moment
    bom.serial_number = UUID(int=0)
    bom.serial_number = uuid5(NAMESPACE_URL, JsonV1Dot6(bom).output_as_string())
    # A second writer: one keeps what it has written.
    return f"{JsonV1Dot6(bom).output_as_string(indent=1)}\n"


def main(arguments: list[str]) -> int:
    """Write the bill; 1 when a licence is refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site-packages", type=Path, required=True, help="the environment's packages")
    parser.add_argument("--only", type=Path, action="append", default=[], help="a lock: list no more than it names")
    parser.add_argument("--dpkg-status", type=Path, help="/var/lib/dpkg/status of a Debian base")
    parser.add_argument("--licences", type=Path, default=LICENCES)
    parser.add_argument("--output", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    debian = debian_packages(chosen.dpkg_status) if chosen.dpkg_status and chosen.dpkg_status.exists() else ()
    found = installed(chosen.site_packages, chosen.only)
    bom, refused = materials(found, LicencePolicy.read(chosen.licences), debian)
    for each in refused:
        print(f"licence not allowed: {each} (deploy/image/licences.toml says what is)", file=sys.stderr)
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), UTC)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(serialised(bom, moment), "utf-8")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
