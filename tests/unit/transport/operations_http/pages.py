"""Operations pages with sources that a test sets by hand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from stepdown.domain.build import Build
from stepdown.domain.status import PathwayStatus
from stepdown.transport.operations_http.application import OperationsSources
from stepdown.transport.operations_http.server import OperationsServer
from stepdown.transport.operations_http.status_json import ServerStatus
from tests.fakes.statuses import pathway_status

SERVER = ServerStatus(build=Build(version="0.1.0"), environment="demo", started_time_s=0.0, uptime_s=1.0)


class HandSources:
    """What the pages show; `incidents` are the exceptions put on record."""

    def __init__(self) -> None:
        self.alive = True
        self.statuses: Sequence[PathwayStatus] = (pathway_status(),)
        self.broken: Exception | None = None
        self.incidents: list[BaseException] = []
        self.accepted: list[str] = []

    def sources(self) -> OperationsSources:
        return OperationsSources(
            server=lambda: SERVER,
            pathways=self._pathways,
            alive=lambda: self.alive,
            exposition=self._exposition,
            incident=self._incident,
        )

    def _pathways(self) -> Sequence[PathwayStatus]:
        if self.broken is not None:
            raise self.broken
        return self.statuses

    def _exposition(self, accept: str) -> tuple[bytes, str]:
        self.accepted.append(accept)
        return b"stepdown_answers_total 1\n", "text/plain; version=0.0.4; charset=utf-8"

    def _incident(self, error: BaseException) -> str:
        self.incidents.append(error)
        return "incident-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the page says
        return json.loads(self.body)


def fetch(
    server: OperationsServer, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=names, body=response.read())
    finally:
        connection.close()
