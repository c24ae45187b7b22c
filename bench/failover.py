"""How long a caller of two servers waits when one goes: `python -m bench.failover [--rounds 5]`.

Two real servers whose rules answer, one client of both that asks without pause, and the first server killed, stopped or
told to stop. Prints, for each, the longest that any question took in a round: the median of the rounds and the worst.
"""

import argparse
import json
import signal
import statistics
import time
from pathlib import Path
from shutil import copytree

from stepdown.client import AssessmentClient
from tests.faults.load import ask, requests
from tests.faults.running_server import running_server
from tests.faults.test_rows_e import rules_alone

_QUESTIONS_BEFORE = 50
_QUESTIONS_AFTER = 100
_TIMEOUT_S = 20.0
_SIGNALS = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP, "told to stop": signal.SIGTERM}


def one_round(number: signal.Signals) -> tuple[float, float]:
    """The longest that a question took before the signal, and after it, in seconds."""
    with running_server(rules_alone) as first:

        def under_one_authority(folder: Path) -> None:
            copytree(first.folder / "certificates", folder / "certificates", dirs_exist_ok=True)

        with running_server(rules_alone, spoil=under_one_authority) as second:
            addresses = [server.ready["grpc"] for server in (first, second)]
            questions = requests(2 * _QUESTIONS_BEFORE + _QUESTIONS_AFTER)
            with AssessmentClient(addresses, first.credentials()) as client:

                def slowest_s(count: int) -> float:
                    return max(ask(client, next(questions), timeout_s=_TIMEOUT_S).elapsed_s for _ in range(count))

                slowest_s(_QUESTIONS_BEFORE)  # connections are made
                before_s = slowest_s(_QUESTIONS_BEFORE)
                first.process.send_signal(number)
                try:
                    return before_s, slowest_s(_QUESTIONS_AFTER)
                finally:
                    first.process.send_signal(signal.SIGCONT)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for what, number in _SIGNALS.items():
        begun_s = time.monotonic()
        before_s, after_s = zip(*(one_round(number) for _ in range(rounds)), strict=True)
        line = {
            "server": what,
            "in_peace_ms": round(statistics.median(before_s) * 1e3),
            "median_ms": round(statistics.median(after_s) * 1e3),
            "worst_ms": round(max(after_s) * 1e3),
            "rounds": rounds,
            "took_s": round(time.monotonic() - begun_s),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
