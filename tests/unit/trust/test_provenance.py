"""Provenance: what can be read from it, and that it must be about the bundle it lies in."""

import json
from typing import Any

import pytest

from stepdown.domain.errors import TrustError
from stepdown.domain.provenance import ProvenanceField
from stepdown.trust.contents import examine_provenance
from stepdown.trust.manifest import parse_manifest
from stepdown.trust.provenance import MAXIMUM_MATERIALS, parse_provenance
from tests.unit.trust.samples import BUILDER, DAY, NOW, model_contents, provenance, rules_contents

Path = tuple[str | int, ...]
PREDICATE = ("predicate", "buildDefinition")
DETAILS = ("predicate", "runDetails")


def sample() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(rules_contents()["provenance.json"])
    return loaded


def with_value(path: Path, value: object) -> bytes:
    statement = sample()
    parent: Any = statement
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return json.dumps(statement).encode()


def refusal(text: bytes) -> TrustError:
    with pytest.raises(TrustError) as refused:
        parse_provenance(text)
    assert refused.value.rule == "PROVENANCE_INVALID"
    return refused.value


def test_everything_it_says_is_read() -> None:
    read = parse_provenance(rules_contents()["provenance.json"])
    assert (read.build_type, read.builder) == ("urn:hospital.example:training", BUILDER)
    assert read.finished_time_s == (NOW - DAY).timestamp()
    assert (read.parameters, read.hardware) == ('{"epochs": 3}', '{"cores": 2}')
    assert [(each.name, each.uri, each.source_commit) for each in read.materials] == [
        ("stays", "", ""),
        ("", "git+https://hospital.example/code", "cd" * 20),
    ]
    assert all(read.says(field) for field in ProvenanceField)


def test_what_it_does_not_say_is_known_not_to_be_said() -> None:
    definition = {"buildType": "x", "externalParameters": {}, "resolvedDependencies": [{"digest": {"gitCommit": ""}}]}
    details = {"builder": {"id": "y"}}
    read = parse_provenance(provenance({}, buildDefinition=definition, runDetails=details))
    assert not any(read.says(field) for field in ProvenanceField if field is not ProvenanceField.UNCHANGED)
    assert read.materials[0].digests == ()


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1", "_type"),
        (("predicateType",), "https://slsa.dev/provenance/v0.2", "predicateType"),
        (("predicate",), None, "predicate"),
        (("subject",), {}, "subject"),
        (("subject", 0, "digest", "sha256"), "AB" * 32, "digest.sha256"),
        (("subject", 0, "name"), "a\x1b[2J", "name"),
        (("subject",), [{"name": "a", "digest": {"sha256": "0" * 64}}] * (MAXIMUM_MATERIALS + 1), "at most 4096"),
        ((*PREDICATE, "buildType"), "", "buildType"),
        ((*PREDICATE, "externalParameters"), None, "externalParameters"),
        ((*PREDICATE, "internalParameters"), [], "internalParameters"),
        ((*PREDICATE, "resolvedDependencies", 0), "x", "resolvedDependencies[0]"),
        ((*PREDICATE, "resolvedDependencies", 0, "uri"), "x" * 5000, "uri"),
        ((*PREDICATE, "resolvedDependencies", 0, "digest"), {"sha256": "../x"}, "no digest"),
        ((*PREDICATE, "resolvedDependencies", 0, "digest"), {"sha 256": "ab" * 32}, "no digest"),
        ((*DETAILS, "builder"), {}, "id"),
        ((*DETAILS, "metadata", "finishedOn"), "yesterday", "finishedOn"),
        ((*DETAILS, "metadata", "finishedOn"), "2026-01-01T00:00:00", "finishedOn"),
        ((*DETAILS, "metadata", "startedOn"), 5, "startedOn"),
        ((*DETAILS, "metadata", "startedOn"), "2026-13-01T00:00:00Z", "startedOn"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_is(path: Path, value: object, named: str) -> None:
    refused = refusal(with_value(path, value))
    assert named in refused.detail
    assert refused.detail.isprintable()


def test_one_file_has_one_digest() -> None:
    subject = sample()["subject"][0]
    twice = [subject, {**subject, "digest": {"sha256": "0" * 64}}]
    assert "two digests" in refusal(with_value(("subject",), twice)).detail


def test_parameters_nested_beyond_reason_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: object, **__: object) -> str:
        raise RecursionError

    text = rules_contents()["provenance.json"]
    monkeypatch.setattr("stepdown.trust.provenance.json.dumps", too_deep)
    assert "nested too deeply" in refusal(text).detail


def mismatch(contents: dict[str, bytes]) -> str:
    with pytest.raises(TrustError) as refused:
        examine_provenance(contents, parse_manifest(contents["manifest.toml"]))
    assert refused.value.rule == "PROVENANCE_MISMATCH"
    return refused.value.detail


def test_it_must_be_about_the_model_of_this_bundle() -> None:
    assert "about another model.onnx" in mismatch({**model_contents(), "model.onnx": b"other"})


def test_documents_that_were_edited_since_are_told() -> None:
    whole = model_contents()
    named = {**whole, "gone.txt": b"", "card.toml": b"another"}
    contents = {**whole, "provenance.json": provenance(named)}
    read = examine_provenance(contents, parse_manifest(contents["manifest.toml"]))
    assert read.edited == ("card.toml", "gone.txt", "provenance.json")
    assert not read.says(ProvenanceField.UNCHANGED)


@pytest.mark.parametrize("unnamed", ["model.onnx", "weights/w.bin"])
def test_what_the_bundle_runs_must_be_named(unnamed: str) -> None:
    whole = model_contents()
    rest = {name: content for name, content in whole.items() if name not in {unnamed, "provenance.json"}}
    detail = mismatch({**whole, "provenance.json": provenance(rest)})
    assert f"does not name {unnamed}, which this bundle runs" in detail


def test_the_rules_of_a_rule_bundle_must_be_named() -> None:
    assert "does not name rules.toml" in mismatch({**rules_contents(), "provenance.json": provenance({})})
