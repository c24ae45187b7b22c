"""The five pages and what surrounds each of them: security headers, JSON errors, and no exception's text to anyone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stepdown.domain.drift import DriftReport
from stepdown.domain.status import PathwayStatus
from stepdown.transport.operations_http.status_json import ServerStatus, is_ready, readiness_json, status_json
from stepdown.transport.operations_http.status_page import CONTENT_SECURITY_POLICY, status_page

_HEADERS = tuple(
    (name.encode(), value.encode())
    for name, value in {
        "cache-control": "no-store",
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }.items()
)
_UNAVAILABLE = 503
_INTERNAL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsSources:
    """Where the pages get what they show.

    `alive` is asked by `/livez` and must not wait for anything. `exposition` takes an Accept header and gives the
    metrics page with its content type. `incident` puts an unexpected exception on record and returns its id.
    """

    server: Callable[[], ServerStatus]
    pathways: Callable[[], Sequence[PathwayStatus]]
    alive: Callable[[], bool]
    exposition: Callable[[str], tuple[bytes, str]]
    incident: Callable[[BaseException], str]
    drift: Callable[[], Sequence[DriftReport]] = tuple


def operations_application(sources: OperationsSources) -> ASGIApp:
    """The application that a server runs."""
    pages = _Pages(sources)
    application = Starlette(
        routes=[
            Route("/livez", pages.live),
            Route("/readyz", pages.ready),
            Route("/metrics", pages.metrics),
            Route("/api/status", pages.status),
            Route("/", pages.page),
        ],
        exception_handlers={HTTPException: pages.refused, Exception: pages.failed},
    )
    application.router.redirect_slashes = False
    return _Guard(application)


class _Pages:
    """One method per page. All but `live` run in a thread, since asking for the status can wait for the engine."""

    def __init__(self, sources: OperationsSources) -> None:
        self._sources = sources

    async def live(self, _request: Request) -> Response:
        """Whether the process should be left alone (200) or restarted (503). Never a matter of which tier serves."""
        alive = self._sources.alive()
        return JSONResponse({"live": alive}, status_code=200 if alive else _UNAVAILABLE)

    def ready(self, _request: Request) -> Response:
        """Whether every pathway can answer, and the server is not about to stop."""
        pathways, stopping = self._sources.pathways(), self._sources.server().stopping
        ready = is_ready(pathways) and not stopping
        return JSONResponse(readiness_json(pathways, stopping=stopping), status_code=200 if ready else _UNAVAILABLE)

    def metrics(self, request: Request) -> Response:
        """What Prometheus scrapes."""
        body, content_type = self._sources.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    def status(self, _request: Request) -> Response:
        """Everything an operator may know, for programs."""
        return JSONResponse(status_json(self._sources.server(), self._sources.pathways(), drift=self._sources.drift()))

    def page(self, _request: Request) -> Response:
        """The same for people."""
        return HTMLResponse(status_page(self._sources.server(), self._sources.pathways()))

    def refused(self, _request: Request, error: Exception) -> Response:
        """A path or a method that is not here."""
        if not isinstance(error, HTTPException):
            raise error
        return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)

    def failed(self, _request: Request, error: Exception) -> Response:
        """A defect of ours: a fixed text and the id to look for in the log."""
        incident_id = self._sources.incident(error)
        return JSONResponse({"error": "internal error", "incident_id": incident_id}, status_code=_INTERNAL)


class _Guard:
    """Adds the security headers to every answer, and ends here what was put on record and answered already."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        answered = False

        async def send_guarded(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)
            answered = True

        try:
            await self._application(scope, receive, send_guarded)
        except Exception:
            if not answered:
                raise
