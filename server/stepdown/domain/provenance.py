"""Where a bundle came from, as its signed provenance says: who built it, when, from what, with which parameters."""

from dataclasses import dataclass
from enum import StrEnum


class ProvenanceField(StrEnum):
    """What a trust policy can demand that a provenance says. Published: a name never changes its meaning.

    `UNCHANGED`: none of the files it is about has been edited since, documents included.
    """

    STARTED_ON = "started_on"
    FINISHED_ON = "finished_on"
    PARAMETERS = "parameters"
    SOURCE_COMMIT = "source_commit"
    DATA_DIGESTS = "data_digests"
    HARDWARE = "hardware"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One thing that went in: data, code or a tool. `digests` pairs (algorithm, lower-case hex); `note` is JSON."""

    name: str
    uri: str
    digests: tuple[tuple[str, str], ...]
    note: str = ""

    @property
    def source_commit(self) -> str:
        """The commit, when this is source code; else empty."""
        return dict(self.digests).get("gitCommit", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """A SLSA v1 provenance, read. Times are Unix seconds, None when not said; `parameters` and `hardware` are JSON.

    `subjects` pairs (file in the bundle, hex sha256): what it is the provenance of. `edited` are those of them that are
    not in the bundle as they were built: documents that people have worked on since, never what the bundle runs.
    """

    build_type: str
    builder: str
    subjects: tuple[tuple[str, str], ...]
    started_time_s: float | None = None
    finished_time_s: float | None = None
    parameters: str = ""
    hardware: str = ""
    materials: tuple[Material, ...] = ()
    edited: tuple[str, ...] = ()

    def says(self, field: ProvenanceField) -> bool:
        """Whether there is anything under `field`."""
        return {
            ProvenanceField.STARTED_ON: self.started_time_s is not None,
            ProvenanceField.FINISHED_ON: self.finished_time_s is not None,
            ProvenanceField.PARAMETERS: bool(self.parameters),
            ProvenanceField.SOURCE_COMMIT: any(material.source_commit for material in self.materials),
            ProvenanceField.DATA_DIGESTS: any(
                material.digests and not material.source_commit for material in self.materials
            ),
            ProvenanceField.HARDWARE: bool(self.hardware),
            ProvenanceField.UNCHANGED: not self.edited,
        }[field]
