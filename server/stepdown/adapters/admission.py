"""What must hold before a worker is started: the machine's evidence, and the key of an encrypted bundle.

Asked by the worker pool before every process. What is inside sealed files is made inside the sealed memory that the
worker is given, and nowhere else; the data key is let go of at once. Refuses with the reason that the tier then shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stepdown.adapters.key_store.wrapping_key import WrappingKey, released_data_key
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.errors import TrustError, WorkerError
from stepdown.domain.reasons import Reason
from stepdown.trust.encryption import Encryption, encryption_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """What a sealed file of a verified bundle holds. Meets `worker.parcel.DelayedContent`."""

    encryption: Encryption
    path: str
    sealed: bytes = field(repr=False)
    data_key: bytes = field(repr=False)
    plain_bytes: int

    def __len__(self) -> int:
        return self.plain_bytes

    def write_into(self, place: memoryview) -> None:
        """Open it there. Raises: WorkerError BUNDLE_NOT_DECRYPTED."""
        try:
            self.encryption.open(self.path, self.sealed, data_key=self.data_key, into=place)
        except TrustError as error:
            raise WorkerError(reason=Reason.BUNDLE_NOT_DECRYPTED, detail=str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Meets `WorkerPoolOptions.admit`.

    `keys` are tried in order. `evidence` gives what the machine lacks for a bundle, by name, empty when nothing.
    """

    keys: Sequence[WrappingKey] = ()
    evidence: Callable[[str], str] = lambda _bundle: ""

    def __call__(self, order: SpawnWorker) -> Mapping[str, SealedFile]:
        """What the sealed files of the bundle hold, by path. Raises: WorkerError."""
        lacking = self.evidence(order.bundle.manifest.name)
        if lacking:
            raise WorkerError(reason=Reason.EVIDENCE_MISSING, detail=lacking)
        try:
            return self._opened(order.bundle)
        except TrustError as error:
            raise WorkerError(reason=Reason.BUNDLE_NOT_DECRYPTED, detail=str(error)) from error

    def _opened(self, bundle: VerifiedBundle) -> Mapping[str, SealedFile]:
        encryption = encryption_of(bundle.files)
        if encryption is None:
            return {}
        data_key = released_data_key(encryption, self.keys)
        return {
            member.binding.path: SealedFile(
                encryption=encryption,
                path=member.binding.path,
                sealed=bundle.files[member.binding.path],
                data_key=data_key,
                plain_bytes=member.binding.plain_bytes,
            )
            for member in encryption.members
        }
