"""The page for people: everything on it escaped, nothing on it from elsewhere."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from stepdown.domain.build import Build
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Capability
from stepdown.transport.operations_http.status_json import ServerStatus
from stepdown.transport.operations_http.status_page import CONTENT_SECURITY_POLICY, status_page
from tests.fakes.statuses import pathway_status, suspended_tier, tier_status

SERVER = ServerStatus(build=Build(version="0.1.0"), environment="demo", started_time_s=0.0, uptime_s=59.0)
OPEN = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "a", "span", "code"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}


class Elements(HTMLParser):
    """Names and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.names.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_each_tier_with_its_state_reason_and_bundle() -> None:
    pathway = pathway_status(suspended_tier(), tier_status(name="distilled"), capability=Capability.DEGRADED)
    text = Elements(status_page(SERVER, (pathway,))).text
    for shown in ("DEGRADED", "SUSPENDED", "WORKER_LOST: signal 9", "SERVING", "sepsis-full 1.0.0", "demo-signer"):
        assert shown in text
    assert "abababababab" in text
    assert "CPU · AMD EPYC · pid 4711" in text
    assert "1.50" in text


def test_no_text_can_become_markup() -> None:
    hostile = "<script>alert(1)</script>\"'&"
    bundle = BundleIdentity(name=hostile, version=hostile, sha256=hostile, signers=(hostile,))
    tier = tier_status(name=hostile, device=hostile, reason=Reason.STARTING, detail=hostile, bundle=bundle)
    server = ServerStatus(build=Build(version=hostile), environment=hostile, started_time_s=0.0, uptime_s=0.0)
    page = status_page(server, (pathway_status(tier, name=hostile),))
    found = Elements(page)
    assert found.names <= OPEN | TABLE
    assert "<script" not in page
    assert hostile in found.text


def test_a_failing_probe_is_shown_where_there_is_no_other_reason() -> None:
    assert "off by 0.3" in status_page(SERVER, (pathway_status(tier_status(probe_error="off by 0.3")),))


def test_the_policy_allows_this_very_style_and_nothing_else() -> None:
    page = status_page(SERVER, ())
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")
    assert "style=" not in page
    assert not re.findall(r"(?:src|href)=\"(?!/)", page)


def test_the_time_since_the_start_is_said_in_words() -> None:
    def up(seconds: float) -> str:
        server = ServerStatus(build=Build(version="0.1.0"), environment="demo", started_time_s=0.0, uptime_s=seconds)
        return status_page(server, ())

    assert "up 0 min 59 s" in up(59.9)
    assert "up 25 h 1 min" in up(25 * 3600 + 61)
