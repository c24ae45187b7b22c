"""Bundles that a drill makes seem damaged where they lie. The operator's files are never touched."""

from collections.abc import Callable, Mapping

from stepdown.domain.drills import DrillRefusedError, FaultInjection, InjectableFault
from stepdown.ports import BundleSource, Drills

_KILL_S = 1.0


class AlteredBundles:
    """Meets `ports.BundleSource`: another's bundles, one bit of some of them turned over."""

    def __init__(self, source: BundleSource) -> None:
        """Everything is delivered as it lies there, until `alter`."""
        self._source = source
        self._altered: frozenset[str] = frozenset()

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions present under a bundle name."""
        return self._source.versions(name)

    def read(self, name: str, version: str) -> Mapping[str, bytes]:
        """Every file of the bundle; of an altered one, with a bit of the largest turned over. Raises: TrustError."""
        files = self._source.read(name, version)
        if name not in self._altered or not files:
            return files
        largest = max(files, key=lambda file: len(files[file]))
        content = bytearray(files[largest])
        content[len(content) // 2] ^= 1
        return {**files, largest: bytes(content)}

    def alter(self, name: str) -> None:
        """Deliver this bundle damaged from now on, whichever version."""
        self._altered |= {name}

    def restore(self, name: str) -> None:
        """Deliver it as it lies there."""
        self._altered -= {name}


class BrokenSignature:
    """Meets `ports.Sufferer`: the bundle of a tier is damaged where it lies, and the tier's worker dies with it."""

    def __init__(
        self,
        bundles: AlteredBundles,
        *,
        bundle_of: Callable[[str, str], str],
        workers: Drills,
        check: Callable[[], None],
    ) -> None:
        """`bundle_of` names the bundle in a tier's service, "" if none. `check` has bundles verified again, soon."""
        self._bundles = bundles
        self._bundle_of = bundle_of
        self._workers = workers
        self._check = check

    def begin(self, injection: FaultInjection) -> None:
        """Damage, kill, and look. Raises: DrillRefusedError if the tier has no bundle or no worker."""
        name = self._bundle_of(injection.pathway, injection.tier)
        if not name:
            raise DrillRefusedError("the tier has no bundle in service")
        self._bundles.alter(name)
        try:
            self._workers.inject(
                FaultInjection(
                    pathway=injection.pathway,
                    tier=injection.tier,
                    fault=InjectableFault.WORKER_KILLED,
                    duration_s=_KILL_S,
                )
            )
        except DrillRefusedError:
            self._bundles.restore(name)
            raise
        self._check()

    def end(self, injection: FaultInjection) -> None:
        """Deliver what lies there, and look again."""
        self._bundles.restore(self._bundle_of(injection.pathway, injection.tier))
        self._check()
