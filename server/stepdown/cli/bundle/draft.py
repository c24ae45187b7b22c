"""The documents a new model bundle starts from, written for whoever has to fill them in.

Everything that can be read from the model is filled in; everything else says "not available". Refuses to invent: no
thresholds, no intended use, no reference statistics. Pure text; `init.py` does the files.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stepdown.domain.bundles import TensorSpec
from stepdown.domain.card import CHAI_FIELDS, HTI1_ATTRIBUTES, NOT_AVAILABLE, CardAttribute

MODEL_FILE = "model.onnx"
_BUILD_TYPE = "urn:stepdown:bundle-init:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDraft:
    """What is known of a model before anybody said what it is for."""

    name: str
    version: str
    server_version: str
    maximum_batch: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    external_data: tuple[str, ...]


def draft_manifest(draft: ModelDraft) -> str:
    """`manifest.toml` of a model of the tier role generic."""
    tensors = [*_tensors("input", draft.inputs), *_tensors("output", draft.outputs)]
    return "\n".join(
        (
            "# What this bundle is. Signed with everything else here: sign again after a change.",
            'schema = "stepdown/bundle/v1"',
            f"name = {_text(draft.name)}",
            f"version = {_text(draft.version)}",
            'kind = "onnx"',
            "# full and distilled also need [score] and [thresholds]; generic is served as tensors, without bands.",
            'tier_role = "generic"',
            f"minimum_server_version = {_text(draft.server_version)}",
            'parent_version = ""',
            'description = ""',
            "",
            "[model]",
            f'file = "{MODEL_FILE}"',
            f"external_data = {_list(map(_text, draft.external_data))}",
            f"maximum_batch = {draft.maximum_batch}",
            "# The least share of the graph that must run on the asked execution provider.",
            "minimum_placement_share = 0.9",
            *tensors,
            "",
        )
    )


def draft_card() -> str:
    """`card.toml` with every attribute, none of them known yet."""
    return "\n".join(
        (
            f'# The model card. Replace what you know; what nobody knows stays "{NOT_AVAILABLE}", and is shown so.',
            "",
            "# Source attributes of a predictive decision support intervention, 45 CFR 170.315(b)(11)(iv)(B)",
            "[hti1]",
            *_attributes(HTI1_ATTRIBUTES),
            "",
            "# CHAI Applied Model Card, schema 0.2",
            "[chai]",
            *_attributes(CHAI_FIELDS),
            "",
        )
    )


def draft_reference() -> str:
    """`reference.json` over no rows: drift is not watched until a reference is given."""
    reference = {
        "schema": "stepdown/reference/v2",
        "rows": 0,
        "encounters": 0,
        "channels": {},
        "score": {"edges": [], "counts": [0]},
        "bands": {},
    }
    return json.dumps(reference, indent=2) + "\n"


def draft_provenance(digests: Mapping[str, str]) -> str:
    """`provenance.json` for files by name -> hex sha256, saying that nothing else about their making is known."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digests[name]}} for name in sorted(digests)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": {"training": NOT_AVAILABLE},
                "resolvedDependencies": [],
            },
            "runDetails": {"builder": {"id": "urn:stepdown:builder:unknown"}},
        },
    }
    return json.dumps(statement, indent=2) + "\n"


def _tensors(kind: str, tensors: Iterable[TensorSpec]) -> Iterable[str]:
    for tensor in tensors:
        yield from (
            "",
            f"[[{kind}]]",
            f"name = {_text(tensor.name)}",
            f'datatype = "{tensor.datatype}"',
            f"shape = {_list(map(str, tensor.shape))}",
        )
        if kind == "output":
            yield "# minimum and maximum, when given, bound a valid answer; a row outside them is not used."


def _attributes(attributes: Iterable[CardAttribute]) -> Iterable[str]:
    for attribute in attributes:
        yield f"# {attribute.title} [{attribute.clause}]"
        yield f"{attribute.key} = {_text(NOT_AVAILABLE)}"


def _text(value: str) -> str:
    """A TOML basic string; for printable text its escapes are JSON's."""
    return json.dumps(value, ensure_ascii=False)


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"
