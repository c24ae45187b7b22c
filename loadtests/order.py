"""What the generator is told: written by the player, read by the generator, in JSON. Holds no code of either."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from loadtests.labels import TierLabel
from loadtests.scenario import Scenario
from stepdown.client import Credentials


class Order(BaseModel):
    """One run of the generator. `scenario` None: measure how much the first tier can answer, for `calibrate_s`.

    `limit_per_s`: the most encounters a second of any one load, whatever the capacity.
    """

    model_config = ConfigDict(frozen=True)

    addresses: str
    ca: Path
    certificate: Path
    key: Path
    server_name: str
    pathway: str
    stays: Path
    chain: tuple[TierLabel, ...]
    outcomes: Path
    scenario: Scenario | None = None
    capacity_per_s: Annotated[float, Field(gt=0)] = 1.0
    limit_per_s: Annotated[float, Field(gt=0)] = 1.0
    seed: int = 0
    calibrate_s: Annotated[float, Field(gt=0)] = 4.0

    @property
    def credentials(self) -> Credentials:
        """As the client takes them."""
        return Credentials(ca=self.ca, certificate=self.certificate, key=self.key, server_name=self.server_name)
