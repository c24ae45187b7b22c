"""The configuration: what is taken, and what is said of everything that is not."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from stepdown import settings
from stepdown.domain.errors import ConfigurationError
from stepdown.domain.tiers import ExecutionProvider

FILE = "stepdown.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that the configuration names."""
    for name in ("server.pem", "server.key.pem", "ca.pem", "trust.toml"):
        (tmp_path / name).write_text("here")
    for name in ("models", "rules"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def document() -> dict[str, Any]:
    """The least that is needed, and a chain of two tiers."""
    return {
        "environment": "staging",
        "server": {
            "tls": {
                "certificate": "server.pem",
                "key": "server.key.pem",
                "client_ca": "ca.pem",
                "trust_domain": "hospital.example",
            }
        },
        "trust": {"policy": "trust.toml", "bundle_directories": ["models", "rules"]},
        "pathway": [
            {
                "name": "sepsis-early-warning",
                "tier": [
                    {"name": "full", "bundle": "sepsis-full", "execution_providers": ["CUDA", "CPU"]},
                    {"name": "rules", "bundle": "news2"},
                ],
            }
        ],
    }


def parsed(document: dict[str, Any], folder: Path) -> settings.Settings:
    return settings.parse(tomli_w.dumps(document), folder=folder, file=FILE)


def problems(document: dict[str, Any], folder: Path) -> list[str]:
    """Every problem, without the name of the file that begins each of them."""
    with pytest.raises(ConfigurationError) as refused:
        parsed(document, folder)
    assert all(problem.startswith(f"{FILE}: ") for problem in refused.value.problems)
    return [problem.removeprefix(f"{FILE}: ") for problem in refused.value.problems]


def put(document: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """Set one key, named as in a problem."""
    *way, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    place: Any = document
    for part in way:
        place = place.setdefault(part, {}) if isinstance(part, str) else place[part]
    place[last] = value
    return document


def test_the_least_configuration_takes_the_defaults(document: dict[str, Any], folder: Path) -> None:
    taken = parsed(document, folder)
    assert (taken.server.grpc_address, taken.server.ops_address) == ("127.0.0.1:8443", "127.0.0.1:8080")
    assert (taken.pathway[0].budget_ms, taken.pathway[0].lactate_rules) == (500, "lactate")
    assert taken.pathway[0].tier[0].execution_providers == (ExecutionProvider.CUDA, ExecutionProvider.CPU)
    assert taken.pathway[0].tier[1].execution_providers == ()
    assert taken.log.debug is False


def test_the_demos_configuration_is_an_ordinary_one(folder: Path) -> None:
    demo = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "stepdown.toml"
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


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("environment", "prod", "must be 'demo', 'staging' or 'production'"),
        ("colour", "red", "unknown key: remove it or mend its spelling"),
        ("server.tls.cert", "a.pem", "unknown key: remove it or mend its spelling"),
        ("pathway.0.tier.0.bundel", "x", "unknown key: remove it or mend its spelling"),
        ("server.drain_grace_s", 0, "must be greater than 0"),
        ("server.drain_grace_s", "soon", "must be a valid number, unable to parse string as a number"),
        ("server.call_threads", 7, "must be greater than or equal to 8"),
        ("server.encounter_rate.burst", 1.5, "must be a valid integer, got a number with a fractional part"),
        ("engine.watchdog_s", float("nan"), "must be less than or equal to 86400"),
        ("engine.reserve_ms", 0.5, "must be greater than or equal to 1"),
        ("log.debug", "maybe", "must be a valid boolean, unable to interpret input"),
        ("server.tls", 3, "must be a table"),
        ("pathway.0.tier", 3, "must be a list"),
        ("pathway.0.tier.0.version", 1.0, "must be text in quotes"),
        ("trust.policy", 7, "must be a path in quotes"),
        ("trust.bundle_directories", [], "must hold at least one entry"),
        ("trust.policy", "~nobody-by-this-name/x", "begins with ~ and the name of no user of this machine"),
        ("pathway.0.tier.0.execution_providers", ["GPU"], "must be a list of CUDA, TensorRT, MIGraphX, ROCm, CPU"),
        ("pathway.0.tier.0.execution_providers", "CPU", "must be a list of CUDA, TensorRT, MIGraphX, ROCm, CPU"),
        ("pathway.0.tier.0.execution_providers", [["CPU"]], "must be a list of CUDA, TensorRT, MIGraphX, ROCm, CPU"),
        (
            "pathway.0.tier.0.version",
            "1.0",
            "must be a semantic version such as 1.0.0, or empty for the newest one present",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_is_allowed(
    document: dict[str, Any], folder: Path, key: str, value: object, said: str
) -> None:
    assert problems(put(document, key, value), folder) == [f"{key}: {said}"]


@pytest.mark.parametrize("name", ["", "Sepsis", "sepsis warning", "-sepsis", "sepsis.", "sepsis/full", "s" * 65])
def test_a_name_is_fit_for_a_health_name_a_label_and_a_path(document: dict[str, Any], folder: Path, name: str) -> None:
    (said,) = problems(put(document, "pathway.0.name", name), folder)
    assert said.startswith("pathway.0.name: must be 1 to 64 of a-z, 0-9, '.', '_' and '-'")


@pytest.mark.parametrize("domain", ["", "Hospital.example", "hospital.example/role", "h" * 256])
def test_a_trust_domain_is_one_of_spiffe(document: dict[str, Any], folder: Path, domain: str) -> None:
    (said,) = problems(put(document, "server.tls.trust_domain", domain), folder)
    assert said.startswith("server.tls.trust_domain: must be 1 to 255 of a-z, 0-9, '.', '_' and '-'")


@pytest.mark.parametrize("address", ["127.0.0.1:8443", "0.0.0.0:0", "[::1]:8443", "[::]:65535"])
def test_an_address_is_an_ip_and_a_port(document: dict[str, Any], folder: Path, address: str) -> None:
    assert parsed(put(document, "server.grpc_address", address), folder).server.grpc_address == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "8443",
        ":8443",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:https",
        "127.0.0.1:-1",
        "127.0.0.1:65536",
        "127.0.0.1: 80",
        "localhost:8443",
        "::1:8443",
        "[127.0.0.1]:8443",
        "127.0.0.1]:8443",
        "[stepdown]:8443",
    ],
)
def test_anything_else_is_no_address(document: dict[str, Any], folder: Path, address: str) -> None:
    (said,) = problems(put(document, "server.grpc_address", address), folder)
    assert said.startswith("server.grpc_address: must be IP:PORT, for example 127.0.0.1:8443 or [::1]:8443")


@pytest.mark.parametrize("address", ["0.0.0.0:8080", "10.1.2.3:8080", "[::]:8080"])
def test_the_operations_pages_stay_on_this_machine(document: dict[str, Any], folder: Path, address: str) -> None:
    (said,) = problems(put(document, "server.ops_address", address), folder)
    assert said == "server.ops_address: must be a loopback address: the operations pages are not authenticated"


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.9.9.9:8080", "[::1]:8080"])
def test_every_loopback_address_will_do_for_them(document: dict[str, Any], folder: Path, address: str) -> None:
    assert parsed(put(document, "server.ops_address", address), folder).server.ops_address == address


@pytest.mark.parametrize("key", ["server.tls.certificate", "server.tls.key", "server.tls.client_ca", "trust.policy"])
@pytest.mark.parametrize("value", ["gone.pem", "models"])
def test_a_file_that_is_not_there_is_named(document: dict[str, Any], folder: Path, key: str, value: str) -> None:
    said = f"{key}: must be a readable file; {folder / value} is none"
    assert problems(put(document, key, value), folder) == [said]


@pytest.mark.parametrize("value", ["gone", "trust.toml"])
def test_a_folder_that_is_not_there_is_named(document: dict[str, Any], folder: Path, value: str) -> None:
    put(document, "trust.bundle_directories", ["models", value])
    said = f"trust.bundle_directories.1: must be a readable folder; {folder / value} is none"
    assert problems(document, folder) == [said]


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
