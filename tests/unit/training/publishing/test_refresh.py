"""A drift reference that was made again is told in the provenance, and nothing else of it changes."""

import hashlib
import json
from pathlib import Path

from models.training.publishing.refresh import with_reference

BUNDLE = Path("models/sepsis-full/1.0.0")


def test_the_provenance_says_over_how_many_hours_the_reference_was_made_after_the_training() -> None:
    before = json.loads((BUNDLE / "provenance.json").read_bytes())
    content = json.dumps({"rows": 1234}).encode()
    after = json.loads(with_reference((BUNDLE / "provenance.json").read_bytes(), content))
    digests = {subject["name"]: subject["digest"]["sha256"] for subject in after["subject"]}
    assert digests["reference.json"] == hashlib.sha256(content).hexdigest()
    noted = after["predicate"]["buildDefinition"]["internalParameters"].pop("driftReference")
    assert (noted["hours"], noted["madeAfterTraining"]) == (1234, True)
    before["predicate"]["buildDefinition"]["internalParameters"].pop("driftReference")
    after["subject"] = before["subject"]
    assert after == before


def test_the_released_bundles_say_the_hours_of_the_reference_that_they_hold() -> None:
    for bundle in sorted(Path("models").glob("sepsis-*/*")):
        noted = json.loads((bundle / "provenance.json").read_bytes())["predicate"]["buildDefinition"]
        rows = json.loads((bundle / "reference.json").read_bytes())["rows"]
        assert noted["internalParameters"]["driftReference"]["hours"] == rows
