from dataclasses import replace

from stepdown.serving.roster import Roster, TierDescription
from stepdown.transport.catalog import Catalog
from tests.fakes.clinical_pathways import model_bundle, pathway
from tests.fakes.statuses import PATHWAY


def test_without_a_version_the_newest_in_service_is_meant() -> None:
    """1.10.0 is newer than 1.9.0, though not by the alphabet."""
    tiers = []
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        bundle = model_bundle("sepsis-full")
        versioned = replace(bundle, manifest=replace(bundle.manifest, version=version))
        tiers.append(TierDescription(name=version, bundle=versioned))
    catalog = Catalog(Roster(pathways={PATHWAY: replace(pathway(), tiers=tuple(tiers))}))
    assert catalog.card("sepsis-full", version="").bundle.version == "1.10.0"
    assert catalog.card("sepsis-full", version="1.2.0").bundle.version == "1.2.0"
