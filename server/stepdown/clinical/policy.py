"""The limits of intake that a site may set, with defaults. Holds no measurement limits: those are the channels'."""

from dataclasses import dataclass

from stepdown.clinical.window import HOUR_S
from stepdown.domain.observations import CareSetting

MINUTE_S = 60.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakePolicy:
    """What intake tolerates. A deviation from the defaults is a decision of the deploying site's safety officer.

    Freshness counts for the clinical rules only: the observation grid takes everything in its 48 hours.
    `oxygen_conflict_window_s`: statements about oxygen no further apart than this contradict one another; beyond it the
    newest one stands, because patients are weaned. `age_floor_*`: below it the tier is out of indication.
    """

    icu_vitals_fresh_s: float = HOUR_S
    ward_vitals_fresh_s: float = 6 * HOUR_S
    emergency_vitals_fresh_s: float = 6 * HOUR_S
    lactate_fresh_s: float = 6 * HOUR_S
    laboratory_fresh_s: float = DAY_S
    clock_skew_tolerance_s: float = 2 * MINUTE_S
    as_of_future_tolerance_s: float = 5 * MINUTE_S
    as_of_maximum_age_s: float = 365 * DAY_S
    oxygen_conflict_window_s: float = HOUR_S
    age_floor_rules_years: float = 16.0
    age_floor_models_years: float = 18.0
    spinal_cord_injury_abstains: bool = False
    treatment_limits_abstain: bool = False
    maximum_observations: int = 10_000
    maximum_series: int = 512
    maximum_series_values: int = 50_000
    maximum_id_characters: int = 128

    def vitals_fresh_s(self, setting: CareSetting) -> float:
        """How long a vital sign stands for the patient in this care setting, in seconds."""
        limits = {
            CareSetting.ICU: self.icu_vitals_fresh_s,
            CareSetting.WARD: self.ward_vitals_fresh_s,
            CareSetting.EMERGENCY_DEPARTMENT: self.emergency_vitals_fresh_s,
        }
        return limits[setting]
