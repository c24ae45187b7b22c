"""What `grpc.health.v1` tells: the truth about every pathway and tier, to whoever watches, as it changes.

| service name | SERVING while |
|---|---|
| "" and every service of this server | any pathway can answer |
| `stepdown.api.v1.AssessmentService` | any clinical pathway can answer |
| `pathway/<name>` | it can answer at all; sent again at each change of its capability, even from SERVING to SERVING |
| `pathway/<name>@FULL` | its first tier serves |
| `pathway/<name>@DEGRADED` | a model tier serves, the first or a lower one |
| `pathway/<name>@RULES_ONLY` | as `pathway/<name>` |
| `tier/<pathway>/<tier>` | that tier serves |

So a router may ask for as much as it needs, and one watch of a pathway tells of every change. Refuses to be optimistic:
a server that stops serves nothing. Own code in place of grpcio-health-checking's servicer, on its messages: that one
sends to each watcher in turn under one lock, so that one stalled client would silence the health of the whole server.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stepdown.domain.status import PathwayStatus
from stepdown.domain.tiers import Capability, TierState

OVERALL = ""
ASSESSMENT_SERVICE = "stepdown.api.v1.AssessmentService"
BACKLOG = 256
"""How many changes a watcher that does not read may fall behind before the oldest are dropped."""

_AT_LEAST: Mapping[Capability, frozenset[Capability]] = {
    Capability.FULL: frozenset({Capability.FULL}),
    Capability.DEGRADED: frozenset({Capability.FULL, Capability.DEGRADED}),
    Capability.RULES_ONLY: frozenset({Capability.FULL, Capability.DEGRADED, Capability.RULES_ONLY}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One service's. Differing `detail` makes two that look the same on the wire worth telling apart."""

    serving: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedNames:
    """What the health of this server is made of: its gRPC services, and which pathways are clinical."""

    services: frozenset[str]
    clinical: frozenset[str]


def health_of(pathways: Sequence[PathwayStatus], names: ServedNames) -> dict[str, Health]:
    """The health of every service name, from the state of the chain."""
    able = {pathway.name: pathway.capability is not Capability.NONE for pathway in pathways}
    health = {service: Health(serving=any(able.values())) for service in names.services | {OVERALL}}
    health[ASSESSMENT_SERVICE] = Health(serving=any(able[name] for name in names.clinical & able.keys()))
    for pathway in pathways:
        health |= _health_of_pathway(pathway)
    return health


def _health_of_pathway(pathway: PathwayStatus) -> dict[str, Health]:
    capability = pathway.capability
    name = f"pathway/{pathway.name}"
    health = {name: Health(serving=capability is not Capability.NONE, detail=capability)}
    for asked, enough in _AT_LEAST.items():
        health[f"{name}@{asked}"] = Health(serving=capability in enough)
    for tier in pathway.tiers:
        health[f"tier/{pathway.name}/{tier.name}"] = Health(serving=tier.state is TierState.SERVING)
    return health


class Watcher:
    """One watch of one service: a bounded queue of what is to be told. `None` health: the name is not known."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._condition = threading.Condition()
        self._waiting: deque[Health | None] = deque(maxlen=BACKLOG)
        self._closed = False

    def tell(self, health: Health | None) -> None:
        """Queue a change. Never blocks."""
        with self._condition:
            self._waiting.append(health)
            self._condition.notify()

    def close(self) -> None:
        """What is queued is still told."""
        with self._condition:
            self._closed = True
            self._condition.notify()

    def told(self) -> Iterator[Health | None]:
        """Each change in order, until closed."""
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                health = self._waiting.popleft()
            yield health


class HealthBoard:
    """The present health of every name, and those who watch. Any thread may refresh it; none waits for a watcher."""

    def __init__(self, names: ServedNames, *, read: Callable[[], Sequence[PathwayStatus]]) -> None:
        """`read` gives the state of the chain; asked under this board's lock, so that an older state never wins."""
        self._names = names
        self._read = read
        self._lock = threading.Lock()
        self._health: dict[str, Health] = {}
        self._watchers: set[Watcher] = set()
        self._draining = False

    def refresh(self) -> None:
        """Take the state of the chain over, and tell whom it concerns. Nothing is taken over in a drain."""
        with self._lock:
            if not self._draining:
                self._replace(health_of(self._read(), self._names))

    def drain(self) -> None:
        """Nothing serves any more, for good."""
        with self._lock:
            self._draining = True
            self._replace({name: Health(serving=False, detail="DRAINING") for name in self._health})

    def end_watches(self) -> None:
        """Let every watch end, each after it has told what is queued for it."""
        with self._lock:
            for watcher in self._watchers:
                watcher.close()

    def snapshot(self) -> dict[str, Health]:
        """Every name's health."""
        with self._lock:
            return dict(self._health)

    def watch(self, service: str) -> Watcher:
        """Begin to watch; the present health is told first."""
        watcher = Watcher(service)
        with self._lock:
            watcher.tell(self._health.get(service))
            if self._draining:
                watcher.close()
            self._watchers.add(watcher)
        return watcher

    def forget(self, watcher: Watcher) -> None:
        """End a watch."""
        with self._lock:
            self._watchers.discard(watcher)
        watcher.close()

    def _replace(self, health: dict[str, Health]) -> None:
        before, self._health = self._health, health
        for watcher in self._watchers:
            now = health.get(watcher.service)
            if now != before.get(watcher.service):
                watcher.tell(now)
