"""What every test may ask for. The fakes are in `tests/fakes`; this file only settles how tests are run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from stepdown.transport.tls_floor import require_tls_1_3
from tests.fakes.soft_token import SoftToken, make_token

# Before any test imports gRPC, as an entry point does: a server in this process refuses TLS 1.2 like any other.
require_tls_1_3()

ROOT = Path(__file__).resolve().parent.parent

# The same examples in every run, so that a red build is red again; `--hypothesis-profile=search` looks for new ones.
settings.register_profile(
    "steady", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def peers_python() -> Path:
    """The Python beside which the public tools live (`tritonclient`, `model_signing`): run them as child processes."""
    python = ROOT / ".venv-peers" / "bin" / "python"
    if not python.exists():
        pytest.fail("no .venv-peers: run `make setup-dev`, as `make test` does")
    return python


@pytest.fixture(scope="session")
def load_python() -> Path:
    """The Python beside which the load generator lives: gevent would take the place of this one's sockets."""
    python = ROOT / ".venv-load" / "bin" / "python"
    if not python.exists():
        pytest.fail("no .venv-load: run `make setup-dev`, as `make test` does")
    return python


@pytest.fixture(scope="session")
def made_token(tmp_path_factory: pytest.TempPathFactory) -> SoftToken:
    """A token of SoftHSM with a key of every kind, made once; skips where SoftHSM is absent."""
    return make_token(tmp_path_factory.mktemp("token") / "hsm")


@pytest.fixture
def soft_token(made_token: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    """A copy of it that the test may break, found by the library as children load it."""
    token = made_token.copied(tmp_path / "hsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(token.configuration))
    return token


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Pause coverage in a test marked `unmeasured`: it wins by numbers, and measuring makes it four times slower."""
    measuring = Coverage.current() if item.get_closest_marker("unmeasured") else None
    if measuring is None:
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()
