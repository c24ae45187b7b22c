"""Render the table beside every rule set in `fallback_rules/`, or check that each still says what the rules say.

    python scripts/rule_tables.py            write fallback_rules/<name>/<version>/TABLE.md
    python scripts/rule_tables.py --check    exit 1 where a table is missing or stale

The table lies inside the bundle, so the signature covers what the clinician read. A table that changes must be signed
again; this command refuses to sign.
"""

import sys
from pathlib import Path

from stepdown.domain.errors import RuleSetError
from stepdown.rules.markdown import render_table
from stepdown.rules.rule_set import parse_rule_set

ROOT = Path(__file__).resolve().parent.parent
TABLE = "TABLE.md"


def rendered_tables(root: Path) -> dict[Path, str]:
    """The text that each table should hold, by its path, for every rule set below `root`/fallback_rules.

    Raises:
        RuleSetError: a rule set is at fault.
    """
    return {
        rules.with_name(TABLE): render_table(
            parse_rule_set(rules.read_bytes(), rule_set_id=f"{rules.parent.parent.name}@{rules.parent.name}")
        )
        for rules in sorted(root.glob("fallback_rules/*/*/rules.toml"))
    }


def stale_tables(tables: dict[Path, str]) -> tuple[Path, ...]:
    """Those whose file is missing or holds something else."""
    return tuple(path for path, text in tables.items() if not path.is_file() or path.read_text("utf-8") != text)


def main(arguments: list[str]) -> int:
    """Write or check, and return the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        tables = rendered_tables(ROOT)
    except RuleSetError as error:
        print(error, file=sys.stderr)
        return 1
    stale = stale_tables(tables)
    for path in stale:
        if arguments:
            print(f"{path.relative_to(ROOT)}: stale or missing; run python scripts/rule_tables.py", file=sys.stderr)
        else:
            path.write_text(tables[path], "utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    if not stale:
        print(f"{len(tables)} rule tables are up to date")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
