import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner, Result

import stepdown
from stepdown import settings
from stepdown.adapters.certificates import DEMO_CLIENT_IDENTITY
from stepdown.cli import demo as room
from stepdown.cli.demo import DEMO_TRUST_DOMAIN, demo, repository
from stepdown.cli.incident import Incident
from stepdown.cli.state import READY_FILE

READY = {"event": "ready", "grpc": "127.0.0.1:7", "ops": "http://127.0.0.1:8"}


class Serving:
    """Takes the place of serving: keeps what it was asked to serve, and looks at the folder while it does."""

    def __init__(self, while_serving: Callable[[Path], object]) -> None:
        self.configuration: settings.Settings | None = None
        self.extra: dict[str, str] = {}
        self._while_serving = while_serving

    def __call__(self, config: Path, *, extra: dict[str, str], when_ready: Callable[[dict[str, str]], None]) -> None:
        self.configuration = settings.load(config)
        self.extra = extra
        when_ready({**READY, **extra})
        self._while_serving(config.parent)


def start(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str, seen: list[str]) -> tuple[Serving, Result]:
    serving = Serving(lambda state: seen.append((state / READY_FILE).read_text()))
    monkeypatch.setattr(room, "run", serving)
    return serving, CliRunner().invoke(demo, ["--state-dir", str(folder), *arguments])


def test_the_demo_serves_an_ordinary_configuration_on_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serving, result = start(monkeypatch, tmp_path, "--grpc-port", "7", "--ops-port", "8", seen=[])
    assert result.exit_code == 0
    served = serving.configuration
    assert served is not None
    assert (served.server.grpc_address, served.server.ops_address) == ("127.0.0.1:7", "127.0.0.1:8")
    assert served.server.tls.trust_domain == DEMO_TRUST_DOMAIN
    assert [tier.name for tier in served.pathway[0].tier] == ["full", "distilled", "rules"]
    assert served.trust.policy == repository() / "deploy" / "demo" / "trust.toml"
    assert DEMO_CLIENT_IDENTITY.startswith(f"spiffe://{DEMO_TRUST_DOMAIN}/")


def test_the_ready_line_names_every_certificate_and_keys_are_the_owners_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serving, _ = start(monkeypatch, tmp_path, seen=[])
    certificates = {f"{who}_{what}" for who in ("client", "operator", "auditor") for what in ("cert", "key")}
    assert serving.extra.keys() == {"ca", "ledger", "ledger_verifier", *certificates}
    for name, path in serving.extra.items():
        assert Path(path).is_file() or name == "ledger"  # which is made when it is written
        if name.endswith("key"):
            assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600


def test_a_running_demo_can_be_found_and_one_that_ended_cannot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[str] = []
    serving, result = start(monkeypatch, tmp_path, seen=seen)
    assert json.loads(seen[0]) == {**READY, **serving.extra, "pid": os.getpid()}
    assert not (tmp_path / READY_FILE).exists()
    assert "stepdown assess --record deploy/demo/stays/septic.psv" in result.stderr
    assert (repository() / "deploy/demo/stays/septic.psv").is_file()


@pytest.mark.parametrize("left", ['{"pid": 1}', "{"])
def test_what_another_demo_announced_meanwhile_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left: str
) -> None:
    monkeypatch.setattr(room, "run", Serving(lambda state: (state / READY_FILE).write_text(left)))
    CliRunner().invoke(demo, ["--state-dir", str(tmp_path)])
    assert (tmp_path / READY_FILE).read_text() == left


def test_certificates_are_kept_for_the_next_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, _ = start(monkeypatch, tmp_path, seen=[])
    before = Path(first.extra["ca"]).read_bytes()
    second, _ = start(monkeypatch, tmp_path, seen=[])
    assert Path(second.extra["ca"]).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = CliRunner().invoke(demo, ["--state-dir", str(tmp_path / "file" / "state")])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {tmp_path}/file/state cannot be written (Not a directory)")
    assert "name another --state-dir" in result.output


@pytest.mark.parametrize(("unharmed", "code"), [(True, 0), (False, 1)])
def test_an_incident_ends_well_only_if_no_answer_was_missed(
    monkeypatch: pytest.MonkeyPatch, unharmed: bool, code: int
) -> None:
    played: list[Path] = []

    def play(stays: Path, _console: object) -> Incident:
        played.append(stays)
        return Incident(unharmed=unharmed, picture="")

    monkeypatch.setattr(room, "play_incident", play)
    assert CliRunner().invoke(demo, ["--incident"]).exit_code == code
    assert len(list(played[0].glob("*.psv"))) == 12


def test_without_a_checkout_there_is_nothing_to_demonstrate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stepdown, "__file__", str(tmp_path / "a" / "b" / "__init__.py"))
    with pytest.raises(ClickException, match="needs a source checkout"):
        repository()
