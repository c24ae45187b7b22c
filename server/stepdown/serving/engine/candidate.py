"""A new version of a tier's bundle on trial beside the one that serves, and the exact share of requests it is given."""

from stepdown.domain.activations import ActivationState, ActivationStatus
from stepdown.domain.bundles import BundleIdentity
from stepdown.serving.engine.tier import Tier
from stepdown.serving.tier_plan import unfit_for

_WHOLE = 1_000_000


class Split:
    """One request in so many, spread evenly and counted out: a share of 0.1 is every tenth (error diffusion)."""

    __slots__ = ("_owed", "_share")

    def __init__(self, share: float) -> None:
        """`share` is between 0 and 1, kept to one millionth."""
        self._share = round(share * _WHOLE)
        self._owed = 0

    def takes(self) -> bool:
        """Whether the next request is one of the share."""
        self._owed += self._share
        if self._owed < _WHOLE:
            return False
        self._owed -= _WHOLE
        return True


class Candidate:
    """One version on its way into service, in a tier of its own that nobody but the split asks."""

    def __init__(
        self, *, tier: Tier, replaces: BundleIdentity | None, share: float, observation_s: float, now_s: float
    ) -> None:
        """`tier` runs the new version; nothing is started yet."""
        self.tier = tier
        self.replaces = replaces
        self.share = share
        self.observation_s = observation_s
        self.keeps_predecessor = True
        self.state = ActivationState.LOADING
        self.started_s = now_s
        self.since_s = now_s
        self.observed_until_s = float("inf")
        self._split = Split(share)

    def takes(self, *, rows: int, answer_by_s: float, now_s: float) -> bool:
        """Whether it answers the next request of the tier. What it cannot answer is not counted against its share.

        While it is unsteady, having been silent for too long a moment ago, the tier itself is asked.
        """
        if self.state is not ActivationState.CANARY or rows > self.tier.maximum_rows:
            return False
        if now_s < self.tier.unsteady_until_s:
            return False
        return unfit_for(self.tier.view(), answer_by_s - now_s) is None and self._split.takes()

    def status(self) -> ActivationStatus:
        """How it stands, on the engine's time line. Only a verified bundle ever becomes a candidate."""
        bundle, report = self.tier.spec.bundle, self.tier.report
        if bundle is None:
            raise TypeError
        return ActivationStatus(
            bundle=bundle.identity,
            replaces=self.replaces,
            state=self.state,
            canary_share=self.share,
            observation_s=self.observation_s,
            start_time_s=self.started_s,
            since_time_s=self.since_s,
            answers=self.tier.answers,
            worker_pid=report.pid if report is not None else None,
        )
