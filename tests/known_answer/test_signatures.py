"""Every bundle of this repository verifies by the demo's own trust policy, and would not with one byte changed."""

import time
from pathlib import Path

import pytest

from scripts.sign_bundles import POLICY, bundle_directories
from stepdown.adapters.bundle_directory import read_directory
from stepdown.adapters.trust_policy import read_trust_policy
from stepdown.domain.errors import TrustError
from stepdown.trust.verification import verify_bundle

BUNDLES = tuple(bundle_directories())


def named(directory: Path) -> str:
    return f"{directory.parent.name}-{directory.name}"


def test_the_bundles_of_the_demo_are_there() -> None:
    assert {directory.parent.name for directory in BUNDLES} >= {"sepsis-full", "sepsis-distilled", "news2"}


@pytest.mark.parametrize("directory", BUNDLES, ids=named)
def test_a_bundle_verifies_and_does_not_with_one_byte_changed(directory: Path) -> None:
    policy, files = read_trust_policy(POLICY).policy, dict(read_directory(directory))
    name, version = directory.parent.name, directory.name
    assert verify_bundle(name, version, files, policy, time.time()).identity.signers == ("demo-signer",)
    for path in sorted(files):
        middle = len(files[path]) // 2
        changed = files[path][:middle] + bytes([files[path][middle] ^ 1]) + files[path][middle + 1 :]
        with pytest.raises(TrustError):
            verify_bundle(name, version, {**files, path: changed}, policy, time.time())
