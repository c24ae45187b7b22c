"""A real server on loopback, asked over real connections."""

import socket
from collections.abc import Iterator

import pytest

from stepdown.domain.errors import ConfigurationError
from stepdown.domain.tiers import Capability
from stepdown.transport.operations_http.server import OperationsServer
from tests.fakes.statuses import PATHWAY, pathway_status
from tests.unit.transport.operations_http.pages import HandSources, fetch

PATHS = ("/", "/livez", "/readyz", "/metrics", "/api/status")


@pytest.fixture(scope="module")
def hand() -> HandSources:
    return HandSources()


@pytest.fixture(scope="module")
def running(hand: HandSources) -> Iterator[OperationsServer]:
    server = OperationsServer("127.0.0.1:0", hand.sources())
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def at_rest(hand: HandSources) -> None:
    """Every test begins with a healthy server."""
    hand.alive, hand.broken, hand.statuses = True, None, (pathway_status(),)
    hand.incidents.clear()


def test_live_is_about_the_process_and_not_about_its_tiers(running: OperationsServer, hand: HandSources) -> None:
    hand.statuses = (pathway_status(capability=Capability.NONE),)
    answer = fetch(running, "/livez")
    assert (answer.status, answer.json) == (200, {"live": True})
    hand.alive = False
    answer = fetch(running, "/livez")
    assert (answer.status, answer.json) == (503, {"live": False})


def test_live_answers_while_the_status_is_out_of_order(running: OperationsServer, hand: HandSources) -> None:
    hand.broken = RuntimeError()
    assert fetch(running, "/livez").status == 200


def test_ready_says_what_each_pathway_can_do(running: OperationsServer, hand: HandSources) -> None:
    answer = fetch(running, "/readyz")
    assert (answer.status, answer.json["pathways"]) == (200, [{"name": PATHWAY, "capability": "FULL"}])
    hand.statuses = (pathway_status(capability=Capability.NONE),)
    answer = fetch(running, "/readyz")
    assert (answer.status, answer.json["ready"]) == (503, False)


def test_the_metrics_come_in_the_format_that_was_asked_for(running: OperationsServer, hand: HandSources) -> None:
    answer = fetch(running, "/metrics", headers={"accept": "application/openmetrics-text"})
    assert hand.accepted[-1] == "application/openmetrics-text"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.body == b"stepdown_answers_total 1\n"


def test_status_is_json_and_the_front_page_is_html(running: OperationsServer) -> None:
    answer = fetch(running, "/api/status")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["pathways"][0]["tiers"][0]["worker_pid"] == 4711
    page = fetch(running, "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert PATHWAY.encode() in page.body


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
def test_every_answer_carries_the_security_headers(running: OperationsServer, path: str) -> None:
    headers = fetch(running, path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/nowhere", "/livez/", "/api", "/api/status/x", "//", "/%2e%2e/etc/passwd"])
def test_a_path_that_is_not_here_is_a_404_in_json(running: OperationsServer, path: str) -> None:
    answer = fetch(running, path)
    assert (answer.status, answer.json) == (404, {"error": "Not Found"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_can_be_written(running: OperationsServer, path: str, method: str) -> None:
    answer = fetch(running, path, method=method)
    assert (answer.status, answer.json) == (405, {"error": "Method Not Allowed"})


def test_a_head_request_is_answered_without_a_body(running: OperationsServer) -> None:
    answer = fetch(running, "/livez", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/readyz", "/api/status"])
def test_a_defect_is_put_on_record_and_its_text_is_not_told(
    running: OperationsServer, hand: HandSources, path: str
) -> None:
    hand.broken = RuntimeError("heart rate 181")
    answer = fetch(running, path)
    assert (answer.status, answer.json) == (500, {"error": "internal error", "incident_id": "incident-1"})
    assert hand.incidents == [hand.broken]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_garbage_on_the_line_is_refused_and_the_next_caller_is_served(running: OperationsServer) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as line:
        line.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        assert b"400" in line.recv(1024)
    assert fetch(running, "/livez").status == 200


def test_a_port_that_is_taken_is_said_so_by_name(hand: HandSources) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = OperationsServer(f"127.0.0.1:{port}", hand.sources())
        with pytest.raises(
            ConfigurationError, match=rf"ops_address: cannot listen on 127.0.0.1:{port}: Address already"
        ):
            server.start()
        server.stop()


@pytest.mark.parametrize("address", ["", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", ":80", "h:70000", "h:-1"])
def test_an_address_without_host_and_port_is_refused(hand: HandSources, address: str) -> None:
    with pytest.raises(ConfigurationError, match="ops_address"):
        OperationsServer(address, hand.sources())


def test_an_ipv6_host_stands_in_brackets(hand: HandSources) -> None:
    assert OperationsServer("[::1]:8080", hand.sources()).port == 8080


def test_after_the_stop_nobody_listens_and_the_address_is_free_again(hand: HandSources) -> None:
    server = OperationsServer("127.0.0.1:0", hand.sources())
    server.start()
    port = server.port
    assert fetch(server, "/livez").status == 200
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    again = OperationsServer(f"127.0.0.1:{port}", hand.sources())
    again.start()
    assert fetch(again, "/livez").status == 200
    again.stop()
