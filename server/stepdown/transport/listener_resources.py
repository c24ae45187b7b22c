"""The threads, counts and places that a listener holds while it runs. Refuses to know what they are used for."""

from concurrent.futures import ThreadPoolExecutor

from stepdown.ports import Clock
from stepdown.transport.calls import EventLog
from stepdown.transport.draining import DrainSignal
from stepdown.transport.guard import Lanes
from stepdown.transport.in_flight import CallPool, InFlight
from stepdown.transport.listener_options import ListenerOptions
from stepdown.transport.stalls import Stalls
from stepdown.transport.stream_places import StreamPlaces
from stepdown.transport.turns import Turns

# Streams beyond the limit are turned away at once, and that takes a thread too.
_SPARE_STREAM_THREADS = 16
# From so large a share of the calls that may be open on, one that dawdles costs another its place.
_CROWDED_SHARE = 2


class ListenerResources:
    """What a listener holds while it runs."""

    def __init__(self, options: ListenerOptions, *, clock: Clock, event: EventLog) -> None:
        self.shedding = options.shedding
        self.in_flight = InFlight()
        self.open_streams = InFlight()
        self.drain = DrainSignal()
        threads = options.call_threads + options.receiving_threads
        self.calls = CallPool(threads=threads, in_flight=self.in_flight, now_s=clock.monotonic_s)
        self.lanes = Lanes(
            answering=Turns(places=options.call_threads, maximum_wait_s=options.shedding.maximum_wait_s, clock=clock),
            streams=_threads("stream", options.streams),
            places=StreamPlaces(places=options.streams, caller_places=max(1, options.streams // 2)),
            watches=_threads("watch", options.watches),
            watch_places=StreamPlaces(places=options.watches, caller_places=options.watches),
            waited_s=self.calls.waited_s,
            has_room=lambda: self.calls.held < options.concurrent_calls,
        )
        crowded = options.concurrent_calls // _CROWDED_SHARE
        self.stalls = Stalls(
            clock,
            is_pressed=lambda: self.calls.is_full or self.drain.is_set or self.in_flight.count >= crowded,
            on_cut=lambda count: event("calls_cut_off", count=count),
        )

    def close(self) -> None:
        """Let go of every thread that is not held by a call."""
        self.calls.shutdown(wait=False)
        self.lanes.streams.shutdown(wait=False)
        self.lanes.watches.shutdown(wait=False)
        self.stalls.close()


def _threads(name: str, count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count + _SPARE_STREAM_THREADS, thread_name_prefix=name)
