"""Canaries through every field of every method of a real server; then everything it wrote is searched for them.

Fields are found by walking the descriptors, so that a field that is added tomorrow is sent a canary tomorrow.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from stepdown.adapters.ledger.keys import ensure_ledger_keys
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.client.failures import AssessmentError
from stepdown.transport.authorization import METHOD_ROLES, Role
from tests.fakes.assess_requests import assess_request
from tests.faults.running_server import RunningServer, running_server
from tests.fuzz.campaign import good_message

CANARY = "qzxj"
NUMBER = 73917.25
INTEGER = 7391725
DEEPEST = 4
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
WATCHES = ("/WatchTiers", "/grpc.health.v1.Health/Watch")
CERTIFICATES = {Role.ASSESSOR: "client", Role.OPERATOR: "operator", Role.AUDITOR: "auditor"}

# Meant to be read by colleagues: an operator says why, whom a drill is for, and which version; a site is told so.
OPERATORS_WORDS = re.compile(r"OperationsService/\w+ (detail|client|pathway|tier|version|sha256|name)$")
# A caller's own name for its request is what an auditor finds the answer by: on the ledger, and nowhere else.
ON_THE_LEDGER = re.compile(r"AssessmentService/\w+ (requests\.|request\.)?request_id$")

_numbers = count(100)


def leaves(descriptor: Any, *, depth: int = 0) -> Iterator[tuple[FieldDescriptor, ...]]:  # noqa: ANN401 - upb's own type
    """Every way from a message to a field that holds a value."""
    for field in descriptor.fields:
        if field.message_type is None:
            yield (field,)
        elif not field.message_type.GetOptions().map_entry and depth < DEEPEST:
            for rest in leaves(field.message_type, depth=depth + 1):
                yield (field, *rest)


def planted(message: Message, way: Sequence[FieldDescriptor], word: str) -> Message:
    """The message with a canary in one field."""
    *steps, last = way
    part: Any = message
    for step in steps:
        part = getattr(part, step.name)
        part = (part[0] if len(part) else part.add()) if step.is_repeated else part
    value = canary(last, word)
    if last.is_repeated:
        getattr(part, last.name).append(value)
    else:
        setattr(part, last.name, value)
    return message


def canary(field: FieldDescriptor, word: str) -> Any:  # noqa: ANN401 - whatever the field takes
    if field.type == FieldDescriptor.TYPE_BYTES:
        return word.encode()
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return word
    if field.cpp_type in {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}:
        return NUMBER
    return True if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else INTEGER


class Aviary:
    """Sends canaries, and remembers by which word each may be recognised. `errors` is what callers were told."""

    def __init__(self, server: RunningServer) -> None:
        self._channels = {
            role: server.credentials(name).channel(server.ready["grpc"]) for role, name in CERTIFICATES.items()
        }
        self.words: dict[str, str] = {}
        self.errors: list[str] = []

    def release(self, method: str) -> None:
        """One call for every field, and one with a canary in the trace."""
        _, service, name = method.split("/")
        descriptor: Any = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name].input_type
        for way in leaves(descriptor):
            word = f"{CANARY}{next(_numbers)}x"
            self.words[word] = f"{service}/{name} {'.'.join(step.name for step in way)}"
            self._call(method, planted(good_message(method), way, word), word)

    def _call(self, method: str, message: Message, word: str) -> None:
        role = next(role for role in CERTIFICATES if role in METHOD_ROLES[method])
        metadata = (("traceparent", f"00-{word}"), ("x-note", word))
        is_stream = "Stream" in method or method.endswith(WATCHES)
        channel = self._channels[role]
        call: Any = channel.stream_stream(method) if is_stream else channel.unary_unary(method)
        content = message.SerializeToString()
        try:
            answer = call(iter([content]) if is_stream else content, timeout=20, metadata=metadata)
            if is_stream:
                next(iter(answer), None)
                answer.cancel()
        except grpc.RpcError as error:
            self._heard(error)

    def _heard(self, error: grpc.RpcError) -> None:
        failure = AssessmentError.of_call(error)
        trailing = error.trailing_metadata() or ()
        self.errors.append(f"{failure} {failure.violations} {tuple(trailing)}")

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()


def with_everything_on(settings: dict[str, Any]) -> None:
    """A ledger, a state folder and the wordiest log."""
    settings["log"] = {"debug": True}
    folder = Path(settings["server"]["tls"]["certificate"]).parents[1] / "state"
    ensure_ledger_keys(signing_key=folder / "l.key.pem", digest_key=folder / "d.key", name="privacy.example/ledger")
    settings["state"] = {"directory": str(folder)}
    settings["ledger"] = {
        "name": "privacy.example/ledger",
        "path": str(folder / "ledger.db"),
        "signing_key": str(folder / "l.key.pem"),
        "digest_key": str(folder / "d.key"),
        "export": str(folder / "second-place"),
    }


def family(pid: int) -> Iterator[int]:
    """A process and its children."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def told_of(words: dict[str, str], text: bytes) -> dict[str, str]:
    """The canaries in a text, each with its field."""
    found = set(re.findall(rb"qzxj[0-9]+x", text))
    return {word: field for word, field in words.items() if word.encode() in found}


@pytest.mark.timeout(600)
def test_no_canary_is_found_in_anything_that_the_server_wrote() -> None:
    with running_server(with_everything_on) as server:
        server.until_capable("FULL")
        birds = Aviary(server)
        AssessmentServiceStub(server.credentials().channel(server.ready["grpc"])).AssessRisk(assess_request())
        for method in METHOD_ROLES:
            if method != REFLECTION:
                birds.release(method)
        birds.close()
        pids = tuple(family(server.process.pid))
        pages = {page: server.get(page)[1].encode() for page in ("/metrics", "/api/status", "/readyz", "/livez")}
        shown = {
            f"{name} of {pid}": Path(f"/proc/{pid}/{name}").read_bytes()
            for pid in pids
            for name in ("cmdline", "environ")
        }
        for pid in pids:
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert re.search(r"Max core file size +0 +0 ", limits), "a core dump would hold values"
        server.process.terminate()
        server.process.wait(60)
        written = {
            file.relative_to(server.folder).as_posix(): file.read_bytes()
            for file in server.folder.rglob("*")
            if file.is_file() and not file.is_relative_to(server.folder / "models")
        }
    assert len(birds.words) > 200
    assert any("assessor" in text.decode(errors="replace") for name, text in written.items() if "ledger.db" in name)
    assert any(b'"level"' in text for name, text in written.items() if name == "log")
    told = {"errors": "\n".join(birds.errors).encode()}
    leaks = {
        (sink, field)
        for sink, text in {**pages, **shown, **written, **told}.items()
        for field in told_of(birds.words, text).values()
        if not OPERATORS_WORDS.search(field) and not ("ledger.db" in sink and ON_THE_LEDGER.search(field))
    }
    assert leaks == set()
    values = (str(NUMBER).encode(), str(INTEGER).encode())
    spoken = {sink for sink, text in {**pages, **shown, **written}.items() if any(value in text for value in values)}
    assert spoken == set()
