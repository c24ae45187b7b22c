"""What stands before every worker: the keys of encrypted bundles and the evidence of the machine."""

from collections.abc import Callable
from dataclasses import replace

from stepdown.adapters.admission import Admission
from stepdown.adapters.evidence.collectors import NvidiaAttestation, TpmQuotes
from stepdown.adapters.evidence.keeper import Collector, EvidenceKeeper
from stepdown.adapters.key_store.wrapping_key import wrapping_key
from stepdown.adapters.self_checks import Check
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.errors import ConfigurationError, TrustError
from stepdown.ports import Clock, EventSink
from stepdown.settings import Settings
from stepdown.trust.evidence import EvidenceKind


class Guard:
    """Makes the worker pool, so that no process starts past it."""

    def __init__(self, configuration: Settings, *, clock: Clock, event: Callable[..., None]) -> None:
        """`event` writes a line of the log. Raises: ConfigurationError for a policy that cannot be used."""
        self._event = event
        self._pool: ProcessWorkerPool | None = None
        self._wake: Callable[[], None] = lambda: None
        self._keeper = self._made_keeper(configuration, clock)
        keys = tuple(wrapping_key(named) for named in configuration.trust.decryption_keys)
        lacking = self._keeper.lacking if self._keeper is not None else lambda _bundle: ""
        self.admission = Admission(keys=keys, evidence=lacking)

    def pool(self, sink: EventSink, options: WorkerPoolOptions) -> ProcessWorkerPool:
        """The pool whose every start is admitted here. Raises: OSError."""
        self._pool = ProcessWorkerPool(sink, replace(options, admit=self.admission))
        return self._pool

    def start(self, *, wake: Callable[[], None]) -> None:
        """Begin to collect evidence; `wake` has the server's checks made when it changes."""
        self._wake = wake
        if self._keeper is not None:
            self._keeper.start()

    def close(self) -> None:
        """Collect no more."""
        if self._keeper is not None:
            self._keeper.close()

    def checks(self) -> dict[str, Check]:
        """What the server's checks of itself look at here."""
        return {"evidence": self._keeper.alarms} if self._keeper is not None else {}

    def _made_keeper(self, configuration: Settings, clock: Clock) -> EvidenceKeeper | None:
        file, tpm = configuration.trust.evidence, configuration.trust.tpm
        if file is None:
            return None
        collectors: dict[EvidenceKind, Collector] = {
            EvidenceKind.TPM_QUOTE: TpmQuotes(handle=tpm.attestation_key, tcti=tpm.tcti),
            EvidenceKind.NVIDIA_GPU: NvidiaAttestation(),
        }
        try:
            return EvidenceKeeper(file, collectors, clock=clock, lost=self._withdraw, changed=self._changed)
        except (TrustError, OSError) as error:
            raise ConfigurationError((f"trust.evidence: {error}",)) from error

    def _withdraw(self) -> None:
        if self._pool is not None and self._keeper is not None:
            self._pool.withdraw(self._keeper.lacking)

    def _changed(self, name: str, problem: str) -> None:
        self._event("evidence_lost" if problem else "evidence_given", evidence=name, detail=problem)
        self._wake()
