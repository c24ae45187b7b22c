"""Programs that a machine's maker provides, run with an end. Refuses to quote more than a line of what they print."""

import subprocess
from collections.abc import Sequence

from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule

_DETAIL_CHARACTERS = 200


def run_program(command: Sequence[str], *, timeout_s: float, package: str) -> None:
    """Run it to its end. Raises: TrustError EVIDENCE_UNAVAILABLE; `package` says where an absent one comes from."""
    try:
        ended = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise unavailable(f"{command[0]} is not installed ({package})") from error
    except subprocess.TimeoutExpired as error:
        raise unavailable(f"{command[0]} gave no answer within {timeout_s:g} s") from error
    except OSError as error:
        raise unavailable(f"{command[0]} cannot be run: {error.strerror}") from error
    if ended.returncode != 0:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {ended.returncode}"]
        first = next((line for line in said if line.startswith("ERROR")), said[-1])
        raise unavailable(f"{command[0]}: {ascii(first)[1:-1][:_DETAIL_CHARACTERS]}")


def unavailable(detail: str) -> TrustError:
    """Evidence that could not be had."""
    return TrustError(rule=TrustRule.EVIDENCE_UNAVAILABLE, detail=f"not available: {detail}")
