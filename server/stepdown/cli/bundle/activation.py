"""`stepdown bundle activate|rollback`: change the bundle of a tier on a running server, wait, and say what happened.

Exit code 0: the wanted version serves. 1: it does not, the one before does, and the server says why. 2: the command
line is wrong. Refuses to judge a version: that is what its trial on the server is for.
"""

import json
import sys
from dataclasses import asdict

import click

from stepdown.cli.options import as_json_option
from stepdown.cli.target import Target, operator_target_options
from stepdown.client import AssessmentError
from stepdown.client.activations import (
    ENDED,
    PROMOTED,
    ActivationSummary,
    activate_bundle,
    rollback_bundle,
    watch_activation,
)

_PATIENCE_S = 900.0
_DAY_S = 86_400.0
why_option = click.option("--why", required=True, help="One line for the colleagues and the log; no patient data.")
wait_option = click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until it has ended.")


@click.command()
@click.argument("pathway")
@click.argument("tier")
@click.argument("version")
@click.option("--share", type=click.FloatRange(0, 1), help="Share of the requests on trial. Default: 0.1.")
@click.option("--observe", type=click.FloatRange(0, _DAY_S), metavar="SECONDS", help="Time of the trial. Default: 600.")
@click.option("--sha256", default="", help="The digest that the bundle must have.")
@why_option
@wait_option
@as_json_option
@operator_target_options
def activate(  # noqa: PLR0913 - one parameter for each option
    *,
    pathway: str,
    tier: str,
    version: str,
    share: float | None,
    observe: float | None,
    sha256: str,
    why: str,
    wait: bool,
    as_json: bool,
    target: Target,
) -> None:
    """Bring VERSION of its bundle into TIER of PATHWAY, beside the one that serves; a fault takes it back by itself."""
    try:
        begun = activate_bundle(
            target.address,
            target.credentials,
            pathway=pathway,
            tier=tier,
            version=version,
            sha256=sha256,
            canary_share=share,
            observation_s=observe,
            detail=why,
        )
        ended = _follow(begun, target, (pathway, tier), wait=wait, quiet=as_json)
    except AssessmentError as error:
        raise click.ClickException(str(error)) from error
    _say(ended, as_json=as_json)
    sys.exit(0 if ended.state == PROMOTED or not wait else 1)


@click.command()
@click.argument("pathway")
@click.argument("tier")
@why_option
@wait_option
@as_json_option
@operator_target_options
def rollback(*, pathway: str, tier: str, why: str, wait: bool, as_json: bool, target: Target) -> None:
    """Take back the version on its way into TIER of PATHWAY; if there is none, bring the one before back."""
    try:
        begun = rollback_bundle(target.address, target.credentials, pathway=pathway, tier=tier, detail=why)
        taken_back = begun.state in ENDED
        ended = _follow(begun, target, (pathway, tier), wait=wait, quiet=as_json)
    except AssessmentError as error:
        raise click.ClickException(str(error)) from error
    _say(ended, as_json=as_json)
    sys.exit(0 if taken_back or ended.state == PROMOTED or not wait else 1)


def _follow(
    begun: ActivationSummary, target: Target, place: tuple[str, str], *, wait: bool, quiet: bool
) -> ActivationSummary:
    """Print each step until the end."""
    now = begun
    if now.state in ENDED or not wait:
        return now
    patience_s = begun.observation_s + _PATIENCE_S
    for now in watch_activation(
        target.address, target.credentials, pathway=place[0], tier=place[1], begun=begun, timeout_s=patience_s
    ):
        if not quiet and now.state not in ENDED:
            click.echo(_line(now), err=True)
    return now


def _say(now: ActivationSummary, *, as_json: bool) -> None:
    click.echo(json.dumps(asdict(now)) if as_json else _line(now))


def _line(now: ActivationSummary) -> str:
    why = ": ".join(filter(None, (now.reason, now.detail)))
    trial = f"{now.canary_share:.1%} of the requests, {now.answers} answered"
    serves = {PROMOTED: f"{now.bundle} serves", "ROLLED_BACK": f"{now.replaced or 'nothing'} serves"}.get(
        now.state, trial
    )
    return f"{now.bundle}: {now.state}; {serves}" + (f" ({why})" if why else "")
