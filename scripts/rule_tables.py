"""Write what is generated in every bundle of `fallback_rules/`, or check that it still says what the bundle says.

    python scripts/rule_tables.py            write TABLE.md and provenance.json of each bundle
    python scripts/rule_tables.py --check    exit 1 where one is missing or stale

Both lie inside the bundle, so that the signature covers what the clinician read. A bundle that changes must be signed
again; this command refuses to sign.
"""

import hashlib
import json
import sys
from pathlib import Path

from stepdown.domain.errors import RuleSetError
from stepdown.rules.markdown import render_table
from stepdown.rules.rule_set import RuleSet, parse_rule_set

ROOT = Path(__file__).resolve().parent.parent
TABLE = "TABLE.md"
PROVENANCE = "provenance.json"
WRITTEN_BY_HAND = ("card.toml", "known_answers.json", "manifest.toml", "rules.toml")
RESOURCE_PREFIXES = {"ISBN ": "urn:isbn:", "doi:": "info:doi/", "PMID ": "info:pmid/"}


def generated_files(root: Path) -> dict[Path, str]:
    """The text that each generated file should hold, by its path, for every rule bundle below `root`/fallback_rules.

    Raises:
        RuleSetError: a rule set is at fault.
        FileNotFoundError: a bundle lacks a file that is written by hand.
    """
    texts: dict[Path, str] = {}
    for rules in sorted(root.glob("fallback_rules/*/*/rules.toml")):
        bundle = rules.parent
        rule_set = parse_rule_set(rules.read_bytes(), rule_set_id=f"{bundle.parent.name}@{bundle.name}")
        files = {name: (bundle / name).read_bytes() for name in WRITTEN_BY_HAND}
        texts[bundle / TABLE] = render_table(rule_set)
        files[TABLE] = texts[bundle / TABLE].encode()
        texts[bundle / PROVENANCE] = provenance(rule_set, files)
    return texts


def provenance(rule_set: RuleSet, files: dict[str, bytes]) -> str:
    """An in-toto statement with SLSA provenance: these files were transcribed by hand from that publication."""
    source = rule_set.document.source
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": name, "digest": {"sha256": hashlib.sha256(files[name]).hexdigest()}} for name in sorted(files)
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:stepdown:build:rule-transcription:v1",
                "externalParameters": {"rule_set": rule_set.rule_set_id, "variant": rule_set.document.variant},
                "resolvedDependencies": [
                    {
                        "uri": resource(source.identifier),
                        "name": source.title,
                        "annotations": {"authors": source.authors, "published": source.published},
                    }
                ],
            },
            "runDetails": {"builder": {"id": "urn:stepdown:builder:transcribed-by-hand"}},
        },
    }
    return json.dumps(statement, indent=1, ensure_ascii=False) + "\n"


def resource(identifier: str) -> str:
    """A publication's identifier as a URI.

    Raises:
        RuleSetError: it is neither an ISBN, a DOI nor a PMID.
    """
    for prefix, scheme in RESOURCE_PREFIXES.items():
        if identifier.startswith(prefix):
            return scheme + identifier.removeprefix(prefix)
    raise RuleSetError(f"source.identifier: {identifier} is none of {', '.join(RESOURCE_PREFIXES)}")


def stale_files(texts: dict[Path, str]) -> tuple[Path, ...]:
    """Those that are missing or hold something else."""
    return tuple(path for path, text in texts.items() if not path.is_file() or path.read_bytes() != text.encode())


def main(arguments: list[str]) -> int:
    """Write or check, and return the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        texts = generated_files(ROOT)
    except (RuleSetError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    stale = stale_files(texts)
    for path in stale:
        if arguments:
            print(f"{path.relative_to(ROOT)}: stale or missing; run python scripts/rule_tables.py", file=sys.stderr)
        else:
            path.write_bytes(texts[path].encode())
            print(f"wrote {path.relative_to(ROOT)}")
    if not stale:
        print(f"{len(texts)} generated files of rule bundles are up to date")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
