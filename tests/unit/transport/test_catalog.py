from dataclasses import replace

from stepdown.domain.provenance import Material, Provenance
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


def test_where_a_bundle_came_from_stands_in_its_card() -> None:
    materials = (
        Material(name="stays", uri="", digests=(("sha256", "ab" * 32),), note="{}"),
        Material(name="", uri="git+x", digests=(("gitCommit", "cd" * 20),)),
    )
    origin = Provenance(
        build_type="urn:t",
        builder="urn:b",
        subjects=(),
        finished_time_s=1_800_000_000.0,
        parameters='{"a": 1}',
        materials=materials,
        edited=("card.toml",),
    )
    bundle = replace(model_bundle("sepsis-full"), provenance=origin)
    tiers = (TierDescription(name="full", bundle=bundle),)
    card = Catalog(Roster(pathways={PATHWAY: replace(pathway(), tiers=tiers)})).card("sepsis-full", version="")
    said = card.provenance
    assert (said.builder, said.build_type, said.end_time.seconds) == ("urn:b", "urn:t", 1_800_000_000)
    assert (said.HasField("start_time"), said.source_commit, said.parameters) == (False, "cd" * 20, '{"a": 1}')
    assert [dict(each.digests) for each in said.materials] == [{"sha256": "ab" * 32}, {"gitCommit": "cd" * 20}]
    assert list(said.edited_files) == ["card.toml"]
