"""What the application lets out to the server that runs it."""

import asyncio

import pytest
from starlette.types import Message, Send

from stepdown.transport.operations_http.application import operations_application
from tests.unit.transport.operations_http.pages import HandSources


def run(sources: HandSources, send: Send) -> None:
    """One `GET /readyz`."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/readyz",
        "raw_path": b"/readyz",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [],
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 50_000),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def serve() -> None:
        await operations_application(sources.sources())(scope, receive, send)

    asyncio.run(serve())


def test_a_defect_that_was_answered_and_put_on_record_ends_there() -> None:
    """The server that runs the application would write its text to the log."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    sources = HandSources()
    sources.broken = RuntimeError("heart rate 181")
    run(sources, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 500
    assert sources.incidents == [sources.broken]


def test_a_defect_that_could_not_be_answered_is_not_swallowed() -> None:
    async def send(_: Message) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        run(HandSources(), send)
