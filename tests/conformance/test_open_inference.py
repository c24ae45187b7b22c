"""The public `tritonclient` works unmodified against the Open Inference Protocol as served here, over mutual TLS."""

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

from stepdown.api.oip import (
    infer_pb2,
    metadata_pb2,
    model_configuration_pb2,
    open_inference_pb2,
    repository_pb2,
    settings_pb2,
    shared_memory_pb2,
    statistics_pb2,
)
from tests.fakes.open_inference_side import open_inference_side
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.grpc_side import TRUST_DOMAIN, authority, client_credential

Seen: TypeAlias = Mapping[str, Any]
"""What the client saw, as its script prints it."""

SCRIPT = Path(__file__).with_name("triton_client_script.py")
TIMEOUT_S = 60.0
OURS = (
    infer_pb2,
    metadata_pb2,
    model_configuration_pb2,
    open_inference_pb2,
    repository_pb2,
    settings_pb2,
    shared_memory_pb2,
    statistics_pb2,
)


@pytest.fixture(scope="module")
def seen(peers_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Everything that the client saw of one server."""
    folder = tmp_path_factory.mktemp("triton")
    credential = client_credential(f"spiffe://{TRUST_DOMAIN}/assessor/triton")
    files = {
        "ca.pem": authority().certificate_pem,
        "key.pem": credential.private_key_pem,
        "certificate.pem": credential.certificate_pem,
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with open_inference_side() as side:
        arguments = [side.grpc_side.listener.address, *(str(folder / name) for name in files)]
        ended = subprocess.run(
            [str(peers_python), str(SCRIPT), *arguments], capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
        assert ended.returncode == 0, ended.stderr
        assert side.recorded.incidents == []
        yield json.loads(ended.stdout)


def test_it_is_live_and_ready_where_it_is(seen: Seen) -> None:
    assert seen["health"] == {
        "live": True,
        "ready": True,
        "models": {PATHWAY: True, f"{PATHWAY}/full": True, "refused": False, "elsewhere": False},
    }


def test_metadata(seen: Seen) -> None:
    assert seen["descriptions"]["server"]["name"] == "stepdown"
    metadata = seen["descriptions"]["metadata"]
    assert metadata["inputs"] == [{"name": "observations", "datatype": "FP32", "shape": ["-1", "48", "40"]}]
    assert [output["name"] for output in metadata["outputs"]] == ["probability", "input_checks"]


def test_configuration(seen: Seen) -> None:
    config = seen["descriptions"]["config"]
    assert (config["name"], config["max_batch_size"], config["backend"]) == (f"{PATHWAY}/distilled", 64, "onnxruntime")
    assert config["input"] == [{"name": "observations", "data_type": "TYPE_FP32", "dims": ["48", "40"]}]
    assert config["parameters"]["bundle"] == {"string_value": "sepsis-distilled"}
    assert "dynamic_batching" in config


def test_statistics_and_index(seen: Seen) -> None:
    (statistics,) = seen["descriptions"]["statistics"]
    assert (statistics["name"], statistics["inference_count"]) == (PATHWAY, "3")
    assert statistics["inference_stats"]["success"]["count"] == "1"
    index = {each["name"]: each for each in seen["descriptions"]["index"]}
    assert index[f"{PATHWAY}/full"]["state"] == "READY"
    assert index["refused"]["state"] == "UNAVAILABLE"


def test_the_chain_answers_and_says_who_did(seen: Seen) -> None:
    answer = seen["inference"]["chain"]
    assert (answer["id"], answer["model"], answer["version"]) == ("call-7", PATHWAY, "")
    assert answer["outputs"]["probability"] == [[pytest.approx(0.4)], [pytest.approx(0.5)]]
    assert answer["parameters"]["tier"] == "full"
    assert answer["parameters"]["digest"].startswith("sha256:")
    assert answer["parameters"]["signer"] == "demo-signer"


def test_a_tier_answers_by_name_and_version_with_all_its_outputs(seen: Seen) -> None:
    answer = seen["inference"]["tier"]
    assert (answer["model"], answer["version"]) == (f"{PATHWAY}/distilled", "1.0.0")
    assert set(answer["outputs"]) == {"probability", "contributions", "input_checks"}


def test_outputs_timeouts_priorities_and_own_parameters_are_honoured(seen: Seen) -> None:
    assert seen["inference"]["wanted"] == ["input_checks", "probability"]
    for name in ("in_time", "at_least"):
        assert seen["inference"][name]["outputs"]["probability"] == [[pytest.approx(0.3)]]


def test_every_datatype_goes_there_and_back(seen: Seen) -> None:
    assert seen["datatypes"] == dict.fromkeys(seen["datatypes"], True)
    assert len(seen["datatypes"]) == 12


@pytest.mark.parametrize(
    ("what", "status", "text"),
    [
        ("elsewhere", "NOT_FOUND", "RepositoryIndex"),
        ("version", "NOT_FOUND", "no version of its own"),
        ("rules", "FAILED_PRECONDITION", "AssessRisk"),
        ("shape", "INVALID_ARGUMENT", "send observations with shape [rows,48,40]"),
        ("sequence", "INVALID_ARGUMENT", "no state between requests"),
        ("cuda_memory", "UNIMPLEMENTED", "No memory is shared"),
        ("load", "PERMISSION_DENIED", ""),
        ("unload", "PERMISSION_DENIED", ""),
        ("system_memory", "PERMISSION_DENIED", ""),
        ("trace", "PERMISSION_DENIED", ""),
        ("log", "PERMISSION_DENIED", ""),
    ],
)
def test_a_refusal_reaches_the_caller_with_its_reason(seen: Seen, what: str, status: str, text: str) -> None:
    refused = seen["refusals"][what]
    assert refused["status"] == f"StatusCode.{status}"
    assert text in refused["message"]


def test_a_stream_answers_in_order_and_survives_a_wrong_request(seen: Seen) -> None:
    answers = seen["stream"]
    assert "RepositoryIndex" in answers[3]["error"]
    rest = [answer for number, answer in enumerate(answers) if number != 3]
    assert [answer["id"] for answer in rest] == [str(number) for number in range(8) if number != 3]
    assert [answer["outputs"]["probability"][0][0] for answer in rest] == pytest.approx(
        [0.05 * number for number in range(8) if number != 3]
    )


def test_the_client_on_asyncio(seen: Seen) -> None:
    assert seen["asyncio"]["live"] is True
    assert seen["asyncio"]["answer"]["id"] == "on-asyncio"


class Wire:
    """Messages, enumerations and methods of some files, flattened: name to number, type and multiplicity."""

    def __init__(self, *files: FileDescriptorProto) -> None:
        self.fields: dict[str, dict[str, tuple[object, ...]]] = {}
        self.values: dict[str, dict[str, int]] = {}
        self.methods: dict[str, tuple[object, ...]] = {}
        for file in files:
            for message in file.message_type:
                self._add_message(message, file.package)
            for enumeration in file.enum_type:
                self._add_enumeration(enumeration, file.package)
            for service in file.service:
                for method in service.method:
                    shape = (method.client_streaming, method.server_streaming)
                    self.methods[f"{file.package}.{service.name}/{method.name}"] = (
                        method.input_type,
                        method.output_type,
                        *shape,
                    )

    def _add_message(self, message: DescriptorProto, scope: str) -> None:
        name = f"{scope}.{message.name}"
        self.fields[name] = {
            field.name: (field.number, field.type, field.label, field.type_name, field.HasField("oneof_index"))
            for field in message.field
        }
        for nested in message.nested_type:
            self._add_message(nested, name)
        for enumeration in message.enum_type:
            self._add_enumeration(enumeration, name)

    def _add_enumeration(self, enumeration: EnumDescriptorProto, scope: str) -> None:
        self.values[f"{scope}.{enumeration.name}"] = {value.name: value.number for value in enumeration.value}


@pytest.fixture(scope="module")
def ours() -> Wire:
    files = []
    for module in OURS:
        files.append(FileDescriptorProto())
        module.DESCRIPTOR.CopyToProto(files[-1])
    return Wire(*files)


def theirs(seen: Seen, *names: str) -> Wire:
    return Wire(*(FileDescriptorProto.FromString(base64.b64decode(seen["descriptors"][name])) for name in names))


def test_every_method_has_the_clients_name_and_shape(seen: Seen, ours: Wire) -> None:
    assert ours.methods == theirs(seen, "service").methods
    assert len(ours.methods) == 20


def test_every_message_of_the_service_has_the_clients_fields_and_numbers(seen: Seen, ours: Wire) -> None:
    wanted = theirs(seen, "service").fields
    assert {name: ours.fields.get(name) for name in wanted} == wanted


def test_every_field_of_a_configuration_that_is_here_is_where_the_client_looks_for_it(seen: Seen, ours: Wire) -> None:
    wanted = theirs(seen, "service", "model_config")
    misplaced = {
        name: fields
        for name, fields in ours.fields.items()
        if not fields.items() <= wanted.fields.get(name, {}).items()
    }
    assert misplaced == {}
    assert {name: wanted.values.get(name) for name in ours.values} == ours.values
