import runpy
import sys
from importlib import import_module

import pytest

import stepdown


def test_the_module_runs_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["stepdown", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("stepdown.__main__", run_name="__main__", alter_sys=False)
    assert ended.value.code == 0
    assert stepdown.__version__ in capsys.readouterr().out


def test_the_installed_command_is_the_modules_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stepdown", "--help"])
    with pytest.raises(SystemExit) as ended:
        import_module("stepdown.__main__").main()
    assert ended.value.code == 0
    assert "assess" in capsys.readouterr().out
