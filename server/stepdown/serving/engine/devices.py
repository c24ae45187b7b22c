"""Accelerators that a process will not let go of: one that no signal ends may still be running on its device.

Nothing else is started on such a device until that process is gone: it would wait with the first, or upset what it
computes. Other devices, and the processor, are not concerned. Refuses to judge a device by anything else.
"""

from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider, maker_of
from stepdown.serving.engine.policy import EnginePolicy, TierSpec
from stepdown.serving.engine.tier import Tier


class Devices:
    """Which accelerators are held by workers that were given up and have not ended."""

    def __init__(self, policy: EnginePolicy) -> None:
        """A worker that has not ended `abandon_s` after it was given up holds its device."""
        self._policy = policy
        self._given_up: dict[int, tuple[float, frozenset[str]]] = {}
        self._waiting: list[Tier] = []

    def given_up(self, worker: int, tier: Tier, now_s: float) -> None:
        """A worker is to end. Which device it was on is known once it was ready; before that it may be any of them."""
        if tier.report is not None:
            providers: tuple[ExecutionProvider, ...] = (tier.report.execution_provider,)
        else:
            providers = tier.spec.execution_providers
        found = (device_of(provider, tier.spec) for provider in providers)
        self._given_up[worker] = now_s, frozenset(device for device in found if device)

    def ended(self, worker: int, now_s: float) -> None:
        """A worker is gone: whoever waited for its device may start."""
        self._given_up.pop(worker, None)
        waiting, self._waiting = self._waiting, []
        for tier in waiting:
            if tier.start_due_s is not None and tier.reason is Reason.DEVICE_UNHEALTHY:
                tier.start_due_s = now_s

    def free(self, spec: TierSpec, now_s: float) -> tuple[ExecutionProvider, ...]:
        """The tier's providers whose device nobody holds, in its own order."""
        held = self._held(now_s)
        return tuple(provider for provider in spec.execution_providers if device_of(provider, spec) not in held)

    def wait_for(self, tier: Tier, now_s: float) -> str:
        """The tier is to be woken when a device is let go of; returns what it waits for, in words."""
        if tier not in self._waiting:
            self._waiting.append(tier)
        held = self._held(now_s)
        names = (device_of(provider, tier.spec) for provider in tier.spec.execution_providers)
        devices = ", ".join(sorted({name for name in names if name in held}))
        return f"{devices} is held by a process that does not end"

    def _held(self, now_s: float) -> frozenset[str]:
        stuck = (
            devices
            for since_s, devices in self._given_up.values()
            if devices and now_s >= since_s + self._policy.abandon_s
        )
        return frozenset().union(*stuck)


def device_of(provider: ExecutionProvider, spec: TierSpec) -> str:
    """The device that a provider runs this tier on, in words; empty for the processor, which no process can hold."""
    maker = maker_of(provider)
    return f"{maker} device {spec.device_id}" if maker else ""
