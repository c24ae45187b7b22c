"""What a single value may be, and what is said of one that it may not."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.settings.documents import parsed, problems, put


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
