import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stepdown.cli.bundle.command import bundle
from stepdown.domain.activations import ActivationRefusedError, ActivationState, ActivationStatus, ActivationWish
from stepdown.domain.reasons import Reason, RejectReason
from tests.fakes.activations import FakeActivations
from tests.fakes.statuses import PATHWAY, pathway_status, tier_status
from tests.unit.cli.served import served
from tests.unit.client.servers import credentials
from tests.unit.transport.grpc_side import GrpcSide
from tests.unit.transport.servicers.test_bundle_changes import ROLLED_BACK

LOADING = replace(ROLLED_BACK, state=ActivationState.LOADING, reason=None, detail="")


class Played(FakeActivations):
    """Activations that go their way as soon as somebody watches."""

    side: GrpcSide

    def __init__(self, *course: ActivationStatus) -> None:
        super().__init__()
        self.course = course

    def activate(self, wish: ActivationWish) -> None:
        super().activate(wish)
        self._begin()

    def roll_back(self, pathway: str, tier: str, *, detail: str) -> None:
        super().roll_back(pathway, tier, detail=detail)
        self._begin()

    def _begin(self) -> None:
        self._show(self.course[0])
        for step in self.course[1:]:
            # Whoever watches is told the present first, so it does not matter whether the watch or the end comes first.
            threading.Timer(0.2, self._show, (step,)).start()

    def _show(self, activation: ActivationStatus) -> None:
        self.side.chain.move(pathway_status(tier_status(activation=activation)))


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, pytest.MonkeyPatch]:
    return tmp_path, monkeypatch


def play(environment: tuple[Path, pytest.MonkeyPatch], activations: Played, *arguments: str) -> Iterator[Result]:
    with served(*environment, activations=activations) as side:
        activations.side = side
        environment[1].setenv("STEPDOWN_CERT", str(credentials(environment[0], role="operator").certificate))
        yield CliRunner().invoke(bundle, arguments)


ACTIVATE = ("activate", PATHWAY, "full", "1.1.0", "--why", "release")
ROLL_BACK = ("rollback", PATHWAY, "full", "--why", "doubt")


@pytest.mark.parametrize(
    ("end", "code", "says"),
    [
        (replace(LOADING, state=ActivationState.PROMOTED), 0, "sepsis-full 1.1.0: PROMOTED; sepsis-full 1.1.0 serves"),
        (ROLLED_BACK, 1, "ROLLED_BACK; sepsis-full 1.0.0 serves (OUTPUT_INVALID: not finite)"),
    ],
)
def test_an_activation_is_followed_to_its_end_which_decides_the_exit_code(
    environment: tuple[Path, pytest.MonkeyPatch], end: ActivationStatus, code: int, says: str
) -> None:
    activations = Played(LOADING, end)
    (result,) = play(environment, activations, *ACTIVATE, "--share", "0.25", "--observe", "1.5")
    assert (result.exit_code, says in result.output) == (code, True), result.output
    (wish,) = activations.wishes
    assert (wish.canary_share, wish.observation_s) == (0.25, 1.5)


def test_nobody_need_wait(environment: tuple[Path, pytest.MonkeyPatch]) -> None:
    (result,) = play(environment, Played(LOADING), *ACTIVATE, "--no-wait", "--json")
    assert (result.exit_code, json.loads(result.output)["state"]) == (0, "LOADING")


def test_taking_back_what_is_on_trial_is_done_at_once(environment: tuple[Path, pytest.MonkeyPatch]) -> None:
    by_hand = replace(ROLLED_BACK, reason=None, detail="doubt")
    (result,) = play(environment, Played(by_hand), *ROLL_BACK, "--json")
    assert (result.exit_code, json.loads(result.output)["detail"]) == (0, "doubt")


@pytest.mark.parametrize("arguments", [ACTIVATE, ROLL_BACK])
def test_a_refusal_ends_the_command_and_says_why(
    environment: tuple[Path, pytest.MonkeyPatch], arguments: tuple[str, ...]
) -> None:
    activations = Played(LOADING)
    activations.refusal = ActivationRefusedError(RejectReason.BUNDLE_REFUSED, "FILE_CHANGED: model.onnx")
    (result,) = play(environment, activations, *arguments)
    assert (result.exit_code, "FILE_CHANGED: model.onnx" in result.output) == (1, True)
    assert Reason.OUTPUT_INVALID.value not in result.output
