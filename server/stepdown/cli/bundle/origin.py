"""What `bundle inspect` shows of a bundle's provenance. Refuses to judge: a trust policy does."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from stepdown.domain.bundles import Manifest
from stepdown.domain.errors import TrustError
from stepdown.domain.provenance import Material, Provenance
from stepdown.trust.contents import examine_provenance

_SHOWN_DIGEST = 16  # the whole one is in --json


def gather_provenance(contents: Mapping[str, bytes], manifest: Manifest) -> Provenance | TrustError:
    """What the bundle says of its making, or why that cannot be believed to be about this bundle."""
    try:
        return examine_provenance(contents, manifest)
    except TrustError as refusal:
        return refusal


def provenance_as_json(provenance: Provenance | TrustError) -> dict[str, object]:
    """The same as one JSON value; times as in RFC 3339."""
    if isinstance(provenance, TrustError):
        return {"rule": provenance.rule, "detail": provenance.detail}
    said = asdict(provenance)
    times = {key.removesuffix("_s"): _utc(said.pop(key)) for key in ("started_time_s", "finished_time_s")}
    materials = [{**asdict(each), "digests": dict(each.digests)} for each in provenance.materials]
    return {**said, **times, "subjects": dict(provenance.subjects), "materials": materials}


def provenance_lines(provenance: Provenance | TrustError) -> Iterator[tuple[str, str]]:
    """Rows for people."""
    if isinstance(provenance, TrustError):
        yield "provenance", str(provenance)
        return
    when = f", {_utc(provenance.finished_time_s)}" if provenance.finished_time_s is not None else ""
    yield "built by", f"{provenance.builder}{when}"
    for material in provenance.materials:
        yield "built from", _material(material)
    if provenance.hardware:
        yield "built on", provenance.hardware
    if provenance.edited:
        yield "edited since", ", ".join(provenance.edited)


def _material(material: Material) -> str:
    digests = (f"{algorithm}:{digest[:_SHOWN_DIGEST]}…" for algorithm, digest in material.digests)
    return "  ".join(filter(None, (material.name, material.uri, *digests)))


def _utc(time_s: float | None) -> str | None:
    return None if time_s is None else datetime.fromtimestamp(time_s, UTC).isoformat()
