"""What serving needs of the world, and what the edge may ask of serving.

Interfaces only: adapters meet them, fakes mirror them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from stepdown.domain.activations import ActivationWish
from stepdown.domain.drift import DriftSample
from stepdown.domain.drills import FaultInjection, InjectedFault
from stepdown.domain.engine_effects import DispatchBatch, DispatchProbe, KillWorker, ProveRules, SpawnWorker
from stepdown.domain.engine_events import Event, Request
from stepdown.domain.notices import Notice
from stepdown.domain.outcomes import AnswerReport
from stepdown.domain.records import Draft, LedgerStatus, ListedRecord
from stepdown.domain.status import PathwayStatus

EventSink: TypeAlias = Callable[[Sequence[Event]], None]


class Clock(Protocol):
    """Two time lines: monotonic for everything that is decided, wall only for what people read."""

    def monotonic_s(self) -> float:
        """Seconds that never step back."""

    def wall_s(self) -> float:
        """Unix seconds UTC."""


class WorkerPool(Protocol):
    """Child processes that run models. No call blocks on a worker; what happens comes back through the event sink.

    The sink is never called from inside one of these methods: only from the pool's own threads.
    """

    def spawn(self, order: SpawnWorker) -> None:
        """Start a process. `WorkerReady` or `WorkerRefused` follows, and in the end `WorkerExited`."""

    def kill(self, order: KillWorker) -> None:
        """SIGKILL, without waiting. `WorkerExited` follows when the process is gone."""

    def dispatch(self, batch: DispatchBatch) -> None:
        """Copy the batch into its slot and ring the doorbell. Unknown or dead workers are ignored."""

    def probe(self, probe: DispatchProbe) -> None:
        """Send a known answer's input the same way; `ProbeCompleted` or `BatchFailed` follows."""

    def close(self) -> None:
        """End every worker and release every slot, descriptor and thread."""


class RulesProver(Protocol):
    """Asks rules their known answers where requests ask them. Never called back from inside `prove`."""

    def prove(self, order: ProveRules) -> None:
        """Begin, and return at once. `RulesProved` follows through the event sink."""


class Drills(Protocol):
    """Failures on purpose, in real workers or around them. Only a server that permits drills has one."""

    def inject(self, injection: FaultInjection) -> InjectedFault:
        """Put the fault in, now; it is taken back after its duration. Raises DrillRefusedError."""

    def injected(self) -> tuple[InjectedFault, ...]:
        """The faults that last."""


class Sufferer(Protocol):
    """Something that a drill can make fail, and whole again. Either may be called from any thread."""

    def begin(self, injection: FaultInjection) -> None:
        """Fail from now on. Raises DrillRefusedError, and nothing happened."""

    def end(self, injection: FaultInjection) -> None:
        """Be whole again."""


class Activations(Protocol):
    """Other versions of the tiers' bundles, verified and brought in while the server runs."""

    def activate(self, wish: ActivationWish) -> None:
        """Verify the bundle and have it loaded beside the one that serves. Raises ActivationRefusedError."""

    def roll_back(self, pathway: str, tier: str, *, detail: str) -> None:
        """Take back what is on its way, or bring the version before back. Raises ActivationRefusedError."""


class Receipt(Protocol):
    """What becomes of one record. `record_id` is empty unless the record is known to be on the disk."""

    @property
    def is_done(self) -> bool:
        """Whether that is decided."""

    @property
    def record_id(self) -> str:
        """The record's name on the ledger."""


class Ledger(Protocol):
    """Where everything that was done is kept. Never waits, and never loses what it has acknowledged."""

    def submit(self, draft: Draft, when_done: Callable[[Receipt], None] | None = None) -> Receipt:
        """Hand over a record. `when_done` is called once its receipt is done, unless that is already.

        It is called from the thread that writes, and must be quick.
        """

    def count_unrecorded(self) -> None:
        """An answer left without a record."""

    def status(self) -> LedgerStatus:
        """The ledger now."""


class LedgerArchive(Protocol):
    """What is on the ledger, for auditors. Every method raises LedgerUnavailableError when it cannot be read."""

    def record(self, sequence: int) -> ListedRecord | None:
        """One record, None where there is none."""

    def records(self, *, before: int | None, kind: str, most: int) -> Sequence[ListedRecord]:
        """The newest records below a place, of one kind or (empty) of every kind."""

    def place_of_time(self, time_us: int) -> int:
        """The first place whose record is from this time or later."""

    def checkpoint(self, size: int | None = None) -> tuple[int, str] | None:
        """The checkpoint at a size, or the newest, with its size; None where there is none."""

    def inclusion(self, sequence: int, size: int) -> Sequence[bytes]:
        """The path from a record to the root of the first `size`."""

    def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """The proof that the first `second` records begin with the first `first`."""


class Observer(Protocol):
    """Told of what happened: metrics, log, ledger, drift. Must be quick, must not raise, cannot answer."""

    def notice(self, notice: Notice) -> None:
        """Take note."""


class AnswerWatch(Protocol):
    """Sees answers with the input they were given on, to compare both with the past. Nothing ever comes back."""

    def saw(self, sample: DriftSample) -> None:
        """Take note, quickly; must not raise."""


class OutcomeWatch(Protocol):
    """Hears what became of answers, to judge tiers by it. Nothing ever comes back."""

    def reported(self, report: AnswerReport) -> None:
        """A report is on the ledger. Called once for each, from any thread; must be quick, and must not raise."""


class BundleSource(Protocol):
    """Where bundles lie. Returns bytes and believes nothing."""

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions present under a bundle name, as directory names, in no order that means anything."""

    def read(self, name: str, version: str) -> Mapping[str, bytes]:
        """Every file of the bundle by relative POSIX path, each read exactly once.

        Raises: TrustError for anything but plain files.
        """


class Asked(Protocol):
    """Whoever is asked for outcomes: requests in, an outcome to each `reply_to`."""

    def submit(self, requests: Sequence[Request]) -> None:
        """Hand over requests. Each `reply_to` is called once, possibly before this returns, from any thread."""

    def cancel(self, request: Request) -> None:
        """The caller went away; its `reply_to` is not called after this returns."""

    def now_s(self) -> float:
        """The monotonic time that deadlines are given in."""


class Chain(Asked, Protocol):
    """The running chain, as transport sees it: what is asked, and the state to show."""

    def status(self) -> tuple[PathwayStatus, ...]:
        """Every pathway and tier now."""

    def disable_tier(self, pathway: str, tier: str, *, detail: str) -> None:
        """Operator takes a tier out. Raises KeyError for an unknown one."""

    def enable_tier(self, pathway: str, tier: str) -> None:
        """Operator gives a tier back. Raises KeyError for an unknown one."""

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each tier or capability change, from any thread, quickly. Returns the way to stop."""
