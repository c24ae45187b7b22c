"""A bundle damaged where it lies, for a drill: its bytes as delivered, its tier's worker, and what is looked at."""

from collections.abc import Mapping

import pytest

from stepdown.adapters.drills.bundles import AlteredBundles, BrokenSignature
from stepdown.domain.drills import DrillRefusedError, FaultInjection, InjectableFault
from tests.fakes.drills import FakeDrills

FILES = {"manifest.toml": b"name", "model.onnx": b"a longer file"}
BROKEN = FaultInjection(pathway="ward", tier="full", fault=InjectableFault.SIGNATURE_BROKEN, duration_s=5.0)


class Stored:
    """Two bundles of the same files."""

    def versions(self, name: str) -> tuple[str, ...]:
        return ("1.0.0",) if name in {"sepsis-full", "sepsis-distilled"} else ()

    def read(self, name: str, version: str) -> Mapping[str, bytes]:
        return FILES if version in self.versions(name) else {}


def test_an_altered_bundle_differs_in_one_bit_of_its_largest_file_and_others_do_not() -> None:
    bundles = AlteredBundles(Stored())
    bundles.alter("sepsis-full")
    altered = bundles.read("sepsis-full", "1.0.0")
    assert altered["manifest.toml"] == FILES["manifest.toml"]
    differing = [a ^ b for a, b in zip(altered["model.onnx"], FILES["model.onnx"], strict=True) if a != b]
    assert differing == [1]
    assert bundles.read("sepsis-distilled", "1.0.0") == FILES
    assert (bundles.versions("sepsis-full"), bundles.read("sepsis-full", "9.9.9")) == (("1.0.0",), {})
    bundles.restore("sepsis-full")
    assert bundles.read("sepsis-full", "1.0.0") == FILES


def test_the_worker_dies_and_the_bundles_are_looked_at_before_and_after() -> None:
    bundles, workers, looks = AlteredBundles(Stored()), FakeDrills(), list[bool]()

    def look() -> None:
        looks.append(bundles.read("sepsis-full", "1.0.0") == FILES)

    broken = BrokenSignature(bundles, bundle_of=lambda _pathway, _tier: "sepsis-full", workers=workers, check=look)
    broken.begin(BROKEN)
    assert [each.injection.fault for each in workers.injected()] == [InjectableFault.WORKER_KILLED]
    broken.end(BROKEN)
    assert looks == [False, True]


def test_a_tier_without_a_bundle_or_a_worker_is_left_alone() -> None:
    bundles, workers = AlteredBundles(Stored()), FakeDrills()
    nothing = BrokenSignature(bundles, bundle_of=lambda _pathway, _tier: "", workers=workers, check=pytest.fail)
    with pytest.raises(DrillRefusedError, match="no bundle"):
        nothing.begin(BROKEN)
    workers.worker_lost = True
    broken = BrokenSignature(
        bundles, bundle_of=lambda _pathway, _tier: "sepsis-full", workers=workers, check=pytest.fail
    )
    with pytest.raises(DrillRefusedError, match="no worker"):
        broken.begin(BROKEN)
    assert bundles.read("sepsis-full", "1.0.0") == FILES
