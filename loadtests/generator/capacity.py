"""What the calibration found, as it is handed from the generator to the player."""

from pydantic import BaseModel


class Capacity(BaseModel):
    """Answers by the first tier a second, and those by any tier."""

    first_tier_per_s: float
    any_tier_per_s: float
