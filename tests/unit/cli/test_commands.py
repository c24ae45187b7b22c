import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import stepdown as package
from stepdown.cli import commands as room
from stepdown.cli.commands import stepdown


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    """Asked in a process of its own, since tests import them all."""
    asked = "import sys; from stepdown.cli.commands import stepdown; stepdown(['--help'], standalone_mode=False); "
    asked += "print(sorted(name for name in sys.modules if name.startswith('stepdown.')))"
    shown = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    for name in ("serve", "demo", "assess", "tier", "probe", "bundle", "card"):
        assert f"  {name} " in shown
    assert shown.splitlines()[-1] == "['stepdown.cli', 'stepdown.cli.commands']"


@pytest.mark.parametrize("name", ["serve", "demo", "assess", "tier", "probe", "bundle", "card"])
def test_every_command_is_there_and_says_what_it_is_for(name: str) -> None:
    command = stepdown.get_command(click.Context(stepdown), name)
    assert command is not None
    assert command.name == name
    result = CliRunner().invoke(stepdown, [name, "--help"])
    assert result.exit_code == 0
    assert (command.help or "").splitlines()[0] in " ".join(result.output.split())


def test_another_word_is_no_command() -> None:
    result = CliRunner().invoke(stepdown, ["score"])
    assert result.exit_code == 2
    assert "No such command 'score'" in result.output


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(stepdown, ["--version"]).output == f"stepdown, version {package.__version__}\n"


def test_a_name_in_the_table_that_is_no_command_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(room._COMMANDS, "odd", ("stepdown.cli.state:READY_FILE", "Odd."))  # noqa: SLF001
    with pytest.raises(TypeError, match="odd"):
        stepdown.get_command(click.Context(stepdown), "odd")
