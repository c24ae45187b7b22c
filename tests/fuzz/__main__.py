"""Fuzzing from the command line: `python -m tests.fuzz [--executions 300000] [--seed 0]`; exit code 1 on a finding."""

import argparse
import json
import sys
import time
from collections import Counter

from tests.fuzz.campaign import Campaign, FoundError


def main() -> int:
    """Run, and print what was run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--executions", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=0)
    wish = parser.parse_args()
    campaign, begun_s = Campaign(seed=wish.seed), time.process_time()
    try:
        campaign.run(wish.executions, say=_say)
    except FoundError as error:
        _say(f"FOUND {error}: {error.__cause__!r}")
        return 1
    _say(json.dumps({"executions": sum(campaign.counts.values()), "cpu_s": round(time.process_time() - begun_s)}))
    _say(json.dumps({"targets": dict(campaign.counts.most_common())}))
    for heading, part in (("statuses", ""), ("assessments", "AssessRisk"), ("reports", "RecordOutcome")):
        statuses: Counter[str] = Counter()
        for (method, status), times in campaign.statuses.items():
            statuses[status] += times * (part in method)
        _say(json.dumps({heading: dict(statuses.most_common())}))
    _say(json.dumps({"memory_mib": [round(each) for each in campaign.memory_mib]}))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
