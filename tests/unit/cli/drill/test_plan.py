"""The file of drills: the one that ships, and what is refused in one that a site writes."""

from pathlib import Path

import pytest

from stepdown.cli.drill.plan import Drill, LoadPlan, Objectives, read_plan
from stepdown.domain.drills import InjectableFault
from stepdown.domain.errors import ConfigurationError

SHIPPED = Path(__file__).resolve().parents[4] / "deploy" / "drills" / "objectives.toml"


def test_the_shipped_file_has_a_drill_for_every_fault_and_loses_nobody_in_any() -> None:
    plan = read_plan(SHIPPED)
    assert {drill.fault for drill in plan.drills.values()} == set(InjectableFault)
    assert {(drill.objectives.lost, drill.objectives.mislabelled) for drill in plan.drills.values()} == {(0, 0)}
    assert (plan.load.rate_per_s, plan.load.deadline_ms) == (200, 500)


def test_what_a_file_leaves_out_has_a_default(tmp_path: Path) -> None:
    file = tmp_path / "drills.toml"
    file.write_text('[drill.one]\nabout = "x"\nfault = "ABORT"\ntier = "full"\nduration_s = 1\n')
    plan = read_plan(file)
    assert plan.load == LoadPlan()
    one = Drill(about="x", fault=InjectableFault.ABORT, tier="full", duration_s=1, objectives=Objectives())
    assert plan.drills == {"one": one}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[drill", "not valid TOML"),
        ("", "drill"),
        ('[drill.one]\nabout = "x"\nfault = "FLOOD"\ntier = "full"\nduration_s = 1', "drill.one.fault"),
        ('[drill.one]\nabout = "x"\nfault = "ABORT"\ntier = "full"\nduration_s = 0', "drill.one.duration_s"),
        ("[load]\nspeed = 3", "load.speed"),
        ('[drill.one]\nabout = "x"\nfault = "ABORT"\nduration_s = 1', "ABORT needs a tier"),
        ('[drill.one]\nabout = "x"\nfault = "CPU_HALVED"\ntier = "full"\nduration_s = 1', "CPU_HALVED has no tier"),
        ('[drill.one]\nabout = "x"\nfault = "NETWORK_DELAY"\nduration_s = 1', "NETWORK_DELAY needs a client"),
        (
            '[drill.one]\nabout = "x"\nfault = "CPU_HALVED"\nclient = "operator"\nduration_s = 1',
            "CPU_HALVED has no client",
        ),
    ],
)
def test_a_file_that_says_something_else_is_refused_by_key(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "drills.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        read_plan(file)
    assert any(said in problem for problem in refused.value.problems)
