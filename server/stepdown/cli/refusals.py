"""How a command ends when something is refused: the rule, what was found, what to do about it, and exit code 1.

Refuses to swallow what nobody expected: such an error ends the program with its traceback.
"""

import json
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from stepdown.domain.errors import StepdownError, TrustError
from stepdown.trust.refusal import TrustRule

P = ParamSpec("P")
R = TypeVar("R")

_REMEDIES: Mapping[str, str] = {
    TrustRule.SIGNATURE_MISSING: "Sign it: stepdown bundle sign DIR --key signer.key.pem",
    TrustRule.SIGNER_UNKNOWN: "Add the signer's public key to the trust policy, if the signer is to be trusted.",
    TrustRule.SIGNER_NOT_ACCEPTED: "Name the signer in the policy's [[bundle]] for this bundle, if it may sign it.",
    TrustRule.SIGNERS_TOO_FEW: "Have another signer of the policy sign it too: stepdown bundle sign DIR --key …",
    TrustRule.FILE_CHANGED: "Restore the files that were signed, or sign again what is there now.",
    TrustRule.FILE_ADDED: "Remove the files that were not signed, or sign again what is there now.",
    TrustRule.FILE_REMOVED: "Restore the files that were signed, or sign again what is there now.",
    TrustRule.FILE_RENAMED: "Give the files back their signed names, or sign again what is there now.",
    TrustRule.BUNDLE_NOT_IN_POLICY: "Add a [[bundle]] with this name to the trust policy.",
    TrustRule.NAME_MISMATCH: "Put the bundle under its own name: <root>/<name>/<version>.",
    TrustRule.VERSION_MISMATCH: "Put the bundle under its own version: <root>/<name>/<version>.",
    TrustRule.CERTIFICATE_EXPIRED: "Sign again with a certificate that is valid now.",
    TrustRule.KEY_URI_INVALID: "As in pkcs11:token=LABEL;object=KEY?module-path=/…/lib.so&pin-source=/…/pin",
    TrustRule.PIN_UNREADABLE: "Put the PIN into the first line of a file that its owner alone can read: chmod 600.",
    TrustRule.PIN_REFUSED: "Correct the PIN's file; after some wrong tries the token locks itself.",
    TrustRule.TOKEN_UNAVAILABLE: "See that the HSM is reachable and its library installed: pkcs11-tool --module … -L",
    TrustRule.TOKEN_KEY_NOT_FOUND: "Correct the URI; what the token holds: pkcs11-tool --module … --login -O",
    TrustRule.ENCRYPTION_INVALID: "Encrypt the bundle again from its plain folder: stepdown bundle encrypt DIR --key …",
    TrustRule.CIPHERTEXT_INVALID: "Restore the files that were signed, or encrypt again from the plain folder.",
    TrustRule.DATA_KEY_REFUSED: "Give the key it was encrypted for, or have it encrypted for this one.",
    TrustRule.DATA_KEY_UNAVAILABLE: "See that the key's file or HSM is there; the server tries again by itself.",
    TrustRule.CERTIFICATE_PURPOSE: "Sign with a certificate whose extended key usage is code signing.",
    TrustRule.SIGNER_ROLE_MISSING: "Have somebody sign it who has that role in the policy and fills no other here.",
    TrustRule.PROVENANCE_MISMATCH: "Write the provenance of what is in this bundle (make models does), and sign again.",
    TrustRule.PROVENANCE_INCOMPLETE: "Build it so that its provenance says what the policy demands, and sign again.",
    TrustRule.BUILDER_NOT_ALLOWED: "Build it with an allowed builder, or name this one in the policy's [[bundle]].",
    TrustRule.BUNDLE_TOO_OLD: "Bring in a newer version, or raise maximum_age_days in the policy's [[bundle]].",
    TrustRule.VERSION_ROLLED_BACK: "Go back on purpose: stepdown bundle rollback, or stepdown trust lower-floor.",
}


def remedy_for(rule: str) -> str:
    """What to do about a refusal by that rule; empty where it says so itself."""
    return _REMEDIES.get(rule, "")


def refusals_end_the_command(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an expected error of a command into a message on standard error and exit code 1.

    A command with a parameter `as_json` also prints the refusal as one JSON document when that is set.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except TrustError as error:
            remedy = remedy_for(error.rule)
            if kwargs.get("as_json"):
                refusal = {"verified": False, "rule": error.rule, "detail": error.detail, "remedy": remedy}
                click.echo(json.dumps(refusal))
            click.echo(f"refused: {error}" + (f"\n{remedy}" if remedy else ""), err=True)
        except (StepdownError, OSError) as error:
            click.echo(f"error: {error}", err=True)
        sys.exit(1)

    return run
