"""The whole page: what is on it, in which format, and that Prometheus's own tool finds nothing to complain of."""

import shutil
import subprocess

import pytest

from stepdown.adapters.observers.exposition import Metrics
from stepdown.domain.assessments import TierAttempt
from stepdown.domain.build import Build
from stepdown.domain.notices import BatchFinished, CapabilityChanged, RequestRefused, TierFault
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tiers import Capability
from tests.fakes.statuses import PATHWAY, TIERS, answer_given, pathway_status, suspended_tier, tier_status
from tests.unit.adapters.observers.scraping import parsed, value


class StandingClock:
    def monotonic_s(self) -> float:
        return 50.0

    def wall_s(self) -> float:
        return 1_700_000_000.0


BUILD = Build(version="1.2.3", code_sha256="c0de", python="3.11.7", sbom_sha256="b111")


def busy_metrics() -> Metrics:
    pathways = (pathway_status(tier_status(), suspended_tier(name="distilled"), tier_status(name="rules")),)
    metrics = Metrics(tiers=TIERS, status=lambda: pathways, clock=StandingClock(), build=BUILD, environment="demo")
    attempt = TierAttempt(tier="full", outcome=None, elapsed_ms=1.0)
    metrics.notice(answer_given(rows=2, attempts=(attempt,)))
    metrics.notice(answer_given(answered_by=None))
    metrics.notice(BatchFinished(pathway=PATHWAY, tier="full", requests=1, rows=2, compute_s=0.001, queue_s=0.0005))
    metrics.notice(TierFault(pathway=PATHWAY, tier="full", reason=Reason.WORKER_LOST, detail=""))
    metrics.notice(RequestRefused(pathway="", reason=RejectReason.TOO_LARGE))
    metrics.notice(CapabilityChanged(pathway=PATHWAY, previous=Capability.NONE, capability=Capability.FULL))
    return metrics


def test_one_notice_reaches_counters_statistics_and_state() -> None:
    metrics = busy_metrics()
    page, content_type = metrics.exposition("")
    found = parsed(page)
    assert content_type.startswith("text/plain; version=0.0.4")
    assert value(found, "stepdown_faults_total", pathway=PATHWAY, tier="full", reason="WORKER_LOST") == 1
    assert value(found, "nv_inference_request_success", model=f"{PATHWAY}/full", version="1.0.0") == 1
    assert value(found, "stepdown_pathway_capability", pathway=PATHWAY, capability="FULL") == 1
    assert metrics.statistics()[PATHWAY, "full"].rows == 2


def test_the_names_that_triton_dashboards_read_mean_what_they_mean_there() -> None:
    found = parsed(busy_metrics().exposition("")[0])
    tier = {"model": f"{PATHWAY}/full", "version": "1.0.0"}
    chain = {"model": PATHWAY, "version": ""}
    assert value(found, "nv_inference_count", **tier) == 2
    assert value(found, "nv_inference_exec_count", **tier) == 1
    assert value(found, "nv_inference_request_duration_us", **tier) == 1_000
    assert value(found, "nv_inference_queue_duration_us", **tier) == 500
    assert value(found, "nv_inference_compute_infer_duration_us", **tier) == 1_000
    assert value(found, "nv_inference_request_failure", **chain, reason="OTHER") == 1
    assert value(found, "nv_inference_request_failure", **tier, reason="BACKEND") == 0
    assert value(found, "nv_inference_count", model=f"{PATHWAY}/distilled", version="") == 0


def test_what_is_running_is_on_the_page() -> None:
    page = busy_metrics().exposition("")[0].decode()
    facts = 'code_sha256="c0de",environment="demo",python_version="3.11.7",sbom_sha256="b111",version="1.2.3"'
    assert f"stepdown_build_info{{{facts}}} 1.0" in page
    assert "process_resident_memory_bytes" in page
    assert "_created" not in page


def test_openmetrics_is_given_to_whoever_asks_for_it() -> None:
    page, content_type = busy_metrics().exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert page.endswith(b"# EOF\n")


def test_a_malformed_accept_header_gets_the_plain_page() -> None:
    page, content_type = busy_metrics().exposition("application/openmetrics-text; version=new")
    assert content_type.startswith("text/plain; version=0.0.4")
    assert b"stepdown_answers_total" in page


def test_two_servers_in_one_process_share_no_number() -> None:
    busy_metrics()
    quiet = Metrics(tiers=TIERS, status=tuple, clock=StandingClock(), build=Build(version="1"), environment="demo")
    found = parsed(quiet.exposition("")[0])
    assert value(found, "stepdown_answers_total", pathway=PATHWAY, tier="full", reason="none") == 0


def test_promtool_finds_nothing_wrong_with_our_names() -> None:
    """Triton's names are left out: they lack the suffixes that its linter wants, and have to."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    page = busy_metrics().exposition("")[0].decode()
    ours = "".join(line for line in page.splitlines(keepends=True) if "nv_inference_" not in line)
    checked = subprocess.run([promtool, "check", "metrics"], input=ours, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
