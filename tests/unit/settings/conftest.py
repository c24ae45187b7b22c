"""A folder with what a configuration names, and the least configuration to begin from."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that the configuration names."""
    for name in ("server.pem", "server.key.pem", "ca.pem", "trust.toml"):
        (tmp_path / name).write_text("here")
    for name in ("models", "rules"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def document() -> dict[str, Any]:
    """The least that is needed, and a chain of two tiers."""
    return {
        "environment": "staging",
        "server": {
            "tls": {
                "certificate": "server.pem",
                "key": "server.key.pem",
                "client_ca": "ca.pem",
                "trust_domain": "hospital.example",
            }
        },
        "trust": {"policy": "trust.toml", "bundle_directories": ["models", "rules"]},
        "pathway": [
            {
                "name": "sepsis-early-warning",
                "tier": [
                    {"name": "full", "bundle": "sepsis-full", "execution_providers": ["CUDA", "CPU"]},
                    {"name": "rules", "bundle": "news2"},
                ],
            }
        ],
    }
