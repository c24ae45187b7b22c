"""Activations without bundles: the same port, which remembers what was wished, and refuses when told to."""

from stepdown.domain.activations import ActivationRefusedError, ActivationWish


class FakeActivations:
    """Meets `ports.Activations`."""

    def __init__(self) -> None:
        self.wishes: list[ActivationWish] = []
        self.rolled_back: list[tuple[str, str, str]] = []
        self.refusal: ActivationRefusedError | None = None

    def activate(self, wish: ActivationWish) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.wishes.append(wish)

    def roll_back(self, pathway: str, tier: str, *, detail: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.rolled_back.append((pathway, tier, detail))
