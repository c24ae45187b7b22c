"""The configuration as a whole: what is taken, and everything that is wrong with it at once."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from stepdown import settings
from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.errors import ConfigurationError
from stepdown.domain.tiers import ExecutionProvider
from tests.unit.settings.documents import FILE, parsed, problems, put


def test_the_least_configuration_takes_the_defaults(document: dict[str, Any], folder: Path) -> None:
    taken = parsed(document, folder)
    assert (taken.server.grpc_address, taken.server.ops_address) == ("127.0.0.1:8443", "127.0.0.1:8080")
    assert (taken.pathway[0].budget_ms, taken.pathway[0].lactate_rules) == (500, "lactate")
    assert taken.pathway[0].tier[0].execution_providers == (ExecutionProvider.CUDA, ExecutionProvider.CPU)
    assert taken.pathway[0].tier[1].execution_providers == ()
    assert taken.log.debug is False


def test_what_intake_tolerates_is_the_sites_to_set(document: dict[str, Any], folder: Path) -> None:
    assert parsed(document, folder).intake.policy() == IntakePolicy()
    document["intake"] = {"ward_vitals_fresh_s": 14_400, "treatment_limits_abstain": True}
    policy = parsed(document, folder).intake.policy()
    assert policy == IntakePolicy(ward_vitals_fresh_s=14_400.0, treatment_limits_abstain=True)


def test_a_tier_is_given_its_share_of_the_machine(document: dict[str, Any], folder: Path) -> None:
    document["pathway"][0]["tier"][0] |= {"threads": 2, "cores": [0, 1], "nice": 5, "device_id": 1}
    full, rules = parsed(document, folder).pathway[0].tier
    assert (full.threads, full.cores, full.nice, full.device_id) == (2, (0, 1), 5, 1)
    assert (rules.threads, rules.cores, rules.nice, rules.device_id) == (0, (), 0, 0)


def test_the_demos_configuration_is_an_ordinary_one(folder: Path) -> None:
    demo = Path(__file__).resolve().parents[3] / "deploy" / "demo" / "stepdown.toml"
    document = tomllib.loads(demo.read_text("utf-8"))
    document["server"]["tls"] = {
        "certificate": str(folder / "server.pem"),
        "key": str(folder / "server.key.pem"),
        "client_ca": str(folder / "ca.pem"),
        "trust_domain": "stepdown.demo",
    }
    taken = settings.parse(tomli_w.dumps(document), folder=demo.parent, file=FILE)
    assert [tier.name for tier in taken.pathway[0].tier] == ["full", "distilled", "rules"]
    assert taken.environment == "demo"


def test_paths_are_relative_to_the_folder_of_the_file(document: dict[str, Any], folder: Path) -> None:
    (folder / FILE).write_text(tomli_w.dumps(document))
    taken = settings.load(folder / FILE)
    assert taken.server.tls.key == folder / "server.key.pem"
    assert taken.trust.bundle_directories == (folder / "models", folder / "rules")


def test_paths_may_be_absolute_and_in_a_users_home(
    document: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    put(document, "trust.policy", "~/trust.toml")
    put(document, "server.tls.key", str(folder / "server.key.pem"))
    taken = parsed(document, folder / "models" / "..")
    assert (taken.trust.policy, taken.server.tls.key) == (folder / "trust.toml", folder / "server.key.pem")


def test_two_pathways_or_tiers_of_one_name_are_named(document: dict[str, Any], folder: Path) -> None:
    full, rules = document["pathway"][0]["tier"]
    document["pathway"][0]["tier"] = [full, full, rules]
    document["pathway"].append(document["pathway"][0])
    assert problems(document, folder) == [
        "pathway.1.name: used before: names must differ",
        "pathway.0.tier.1.name: used before: names must differ",
        "pathway.1.tier.1.name: used before: names must differ",
    ]


@pytest.mark.parametrize("providers", [{}, {"execution_providers": []}])
def test_only_the_last_tier_may_be_rules(
    document: dict[str, Any], folder: Path, providers: dict[str, list[str]]
) -> None:
    document["pathway"][0]["tier"].insert(0, {"name": "first", "bundle": "qsofa", **providers})
    assert problems(document, folder) == [
        "pathway.0.tier.0.execution_providers: required: only the last tier, if it is clinical rules, has none"
    ]


def test_everything_that_is_wrong_is_said_at_once(document: dict[str, Any], folder: Path) -> None:
    put(document, "environment", "prod")
    put(document, "server.grpc_address", "localhost:8443")
    put(document, "server.tls.key", "gone.pem")
    put(document, "trust.policy", "gone.toml")
    put(document, "engine.stall_s", -1)
    put(document, "pathway.0.tier.0.name", "rules")
    del document["pathway"][0]["tier"][1]["bundle"]
    document["pathway"].append({"name": "sepsis-early-warning"})
    document["colour"] = "red"
    said = [problem.split(": ")[0] for problem in problems(document, folder)]
    assert sorted(said) == [
        "colour",
        "engine.stall_s",
        "environment",
        "pathway.0.tier.1.bundle",
        "pathway.0.tier.1.name",
        "pathway.1.name",
        "pathway.1.tier",
        "server.grpc_address",
        "server.tls.key",
        "trust.policy",
    ]


LEDGER = {"name": "hospital.example/1", "path": "ledger.db", "signing_key": "server.pem", "digest_key": "server.pem"}


def test_in_production_a_ledger_is_kept(document: dict[str, Any], folder: Path) -> None:
    document["environment"] = "production"
    assert problems(document, folder) == ["ledger: required in production: every answer there is on record"]


def test_a_ledger_has_a_name_and_keeps_records_long_enough(document: dict[str, Any], folder: Path) -> None:
    document["ledger"] = LEDGER | {"name": "a b", "retention_days": 100}
    assert problems(document, folder) == [
        "ledger.name: must be 1 to 128 ASCII characters without spaces and '+', as in hospital.example/stepdown/1",
        "ledger.retention_days: records are kept for 183 days at least, or with 0 for ever",
    ]
    document["ledger"] = LEDGER | {"retention_days": 183}
    kept = parsed(document, folder).ledger
    assert kept is not None
    assert (kept.path, kept.export, kept.when_unavailable) == (folder / "ledger.db", None, "answer")


def test_a_key_is_a_file_or_lies_in_an_hsm_and_a_pin_stands_in_no_configuration(
    document: dict[str, Any], folder: Path
) -> None:
    uri = "pkcs11:token=t;object=k?module-path=/lib.so"
    document["ledger"] = LEDGER | {"signing_key": uri}
    document["trust"]["decryption_keys"] = [uri, "server.pem"]
    read = parsed(document, folder)
    assert read.ledger is not None
    assert read.ledger.signing_key == uri
    assert read.trust.decryption_keys == (uri, str(folder / "server.pem"))
    document["ledger"] = LEDGER | {"signing_key": uri + "&pin-value=1234"}
    document["trust"]["decryption_keys"] = ["gone.key"]
    said = problems(document, folder)
    assert [problem.split(": ")[0] for problem in said] == ["trust.decryption_keys.0", "ledger.signing_key"]
    assert "pin-source" in said[1]
    assert "1234" not in said[1]


@pytest.mark.parametrize(("environment", "permits"), [("demo", True), ("staging", True), ("production", False)])
def test_production_permits_no_drill(
    document: dict[str, Any], folder: Path, environment: str, *, permits: bool
) -> None:
    document["ledger"] = LEDGER
    assert parsed(put(document, "environment", environment), folder).permits_drills is permits


def test_tables_without_a_name_are_not_called_alike(document: dict[str, Any], folder: Path) -> None:
    document["pathway"] = [{"budget_ms": 100}, {"budget_ms": 100}]
    said = problems(document, folder)
    assert sorted(said) == sorted(
        f"pathway.{number}.{key}: required, but not given" for number in (0, 1) for key in ("name", "tier")
    )


def test_a_list_with_a_faulty_entry_is_not_also_called_empty(document: dict[str, Any], folder: Path) -> None:
    document["pathway"] = ["sepsis"]
    assert problems(document, folder) == ["pathway.0: must be a table"]


def test_what_is_required_is_named_where_it_is_missing(folder: Path) -> None:
    assert problems({}, folder) == [
        f"{key}: required, but not given" for key in ("environment", "server", "trust", "pathway")
    ]


def test_what_is_no_toml_is_refused_with_the_line(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^stepdown\.toml: not valid TOML: .*line 2"):
        settings.parse("a = 1\nb = x\n", folder=folder, file=FILE)


@pytest.mark.parametrize("name", ["gone.toml", "models", "latin.toml"])
def test_a_file_that_cannot_be_read_is_refused_by_its_name(folder: Path, name: str) -> None:
    (folder / "latin.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=rf"{name}: cannot be read .*: must be a TOML file in UTF-8"):
        settings.load(folder / name)


def test_settings_cannot_be_changed(document: dict[str, Any], folder: Path) -> None:
    taken = parsed(document, folder)
    with pytest.raises(ValueError, match="frozen"):
        taken.environment = "production"
