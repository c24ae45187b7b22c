"""Scenario files: those that ship are whole, and a wrong one is refused with its place."""

from pathlib import Path

import pytest

from loadtests.generator_process import ROOT
from loadtests.objectives import read_objectives
from loadtests.scenario import Load, Scenario, Step, read_scenario
from stepdown.domain.drills import InjectableFault
from stepdown.domain.errors import ConfigurationError

SHIPPED = sorted((ROOT / "loadtests" / "scenarios").glob("*.toml"))
ASKED_FOR = {
    "healthy", "accelerator-lost", "accelerator-hung", "accelerator-slow", "flapping", "cpu-halved", "all-models-lost",
    "rolling-restart", "surge-while-degraded",
}  # fmt: skip
HEAD = 'about = "A test."\nlength_s = 10\n[[load]]\nprofile = "steady"\n'


def test_every_scenario_that_was_asked_for_ships() -> None:
    assert {path.stem for path in SHIPPED} >= ASKED_FOR


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_scenario_can_be_read_and_injects_only_what_a_server_knows(path: Path) -> None:
    scenario = read_scenario(path)
    assert {step.fault for step in scenario.at if step.fault} <= set(InjectableFault)


def test_every_objective_names_a_scenario_that_ships() -> None:
    objectives = read_objectives(ROOT / "loadtests" / "objectives.toml")
    assert set(objectives.scenarios) == {path.stem for path in SHIPPED}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[[at]]\nt = 1\ndo = 'inject'\n", "needs fault"),
        ("[[at]]\nt = 1\ndo = 'inject'\nfault = 'ABORT'\n", "need for_s"),
        ("[[at]]\nt = 1\ndo = 'kill'\nfault = 'ABORT'\n", "needs fault"),
        ("[[at]]\nt = 1\ndo = 'stop'\nfor_s = 1\n", "need for_s"),
        ("[[at]]\nt = 1\ndo = 'run'\n", "needs command"),
        ("[[at]]\nt = 10\ndo = 'kill'\n", "not before length_s"),
        ("[[at]]\nt = 1\ndo = 'restart'\nserver = 1\n", "there is no server 1"),
        ("[[load]]\nprofile = 'surge-10x'\nfrom_s = 5\nto_s = 5\n", "from_s is not before to_s"),
        ("[[load]]\nprofile = 'rush'\n", "load.1.profile"),
        ("[[load]]\nprofile = 'steady'\nrate = 3\n", "load.1.rate"),
        ("[[at", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(more: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(HEAD + more)
    with pytest.raises(ConfigurationError, match=said):
        read_scenario(path)


def test_only_servers_of_its_own_can_be_restarted_or_be_several() -> None:
    load = (Load(profile="steady"),)
    assert not Scenario(about="", length_s=9, load=load, at=(Step(t=1, do="kill"),)).needs_own_servers
    assert Scenario(about="", length_s=9, load=load, at=(Step(t=1, do="restart"),)).needs_own_servers
    assert Scenario(about="", length_s=9, load=load, servers=2).needs_own_servers
