"""Bundles within a bounded time, from whatever they lie on: a disk that hangs refuses a version, and holds up nobody.

A read that hangs cannot be called back, only left behind. Refuses to leave more than one: until it has come back,
whoever else wants to read waits his own time for it, and no longer.
"""

from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import NoReturn, TypeVar

from stepdown.domain.errors import TrustError
from stepdown.ports import BundleSource
from stepdown.trust.refusal import TrustRule

_PATIENCE_S = 60.0

Read = TypeVar("Read")


class TimelyBundles:
    """Meets `ports.BundleSource`: another's bundles, or a refusal after `patience_s`."""

    def __init__(self, source: BundleSource, *, patience_s: float = _PATIENCE_S) -> None:
        """`patience_s` is for one read, and for a read before it that hangs."""
        self._source = source
        self._patience_s = patience_s
        self._reading = Lock()

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions present under a bundle name. Raises: TrustError BUNDLE_UNREADABLE when that takes too long."""
        return self._in_time(lambda: self._source.versions(name), of=name)

    def read(self, name: str, version: str) -> Mapping[str, bytes]:
        """Every file of the bundle. Raises: TrustError, BUNDLE_UNREADABLE when that takes too long."""
        return self._in_time(lambda: self._source.read(name, version), of=f"{name} {version}")

    def _in_time(self, read: Callable[[], Read], *, of: str) -> Read:
        if not self._reading.acquire(timeout=self._patience_s):
            raise self._refusal(of, "an earlier read still hangs")
        came: SimpleQueue[Callable[[], Read]] = SimpleQueue()
        Thread(target=self._run, args=(read, came), name="bundle-reader", daemon=True).start()
        try:
            result = came.get(timeout=self._patience_s)
        except Empty:
            raise self._refusal(of, "the disk did not give it") from None
        return result()

    def _run(self, read: Callable[[], Read], came: SimpleQueue[Callable[[], Read]]) -> None:
        try:
            found = read()
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            came.put(_raising(error))
        else:
            came.put(lambda: found)
        finally:
            self._reading.release()

    def _refusal(self, of: str, why: str) -> TrustError:
        detail = f"{of}: {why} within {self._patience_s:g} s; look at the disk, then try again"
        return TrustError(rule=TrustRule.BUNDLE_UNREADABLE, detail=detail)


def _raising(error: Exception) -> Callable[[], NoReturn]:
    def again() -> NoReturn:
        raise error

    return again
