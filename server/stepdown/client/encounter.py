"""Collects what is known of one encounter and turns it into requests.

Times are datetimes with a time zone, and ValueError is raised for one without; tokens are made up afresh.
"""

import uuid
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.api.v1.observations_pb2 import Indication, Observation, ObservationSeries, ObservationStatus, Sex

LOINC = "http://loinc.org"
LEVEL_OF_RESPONSIVENESS = "67775-7"
DEMO_PATHWAY = "sepsis-early-warning"
_SEXES = {"female": Sex.SEX_FEMALE, "male": Sex.SEX_MALE, "unknown": Sex.SEX_UNKNOWN}


class Encounter:
    """One patient's stay as the integration sees it.

    The tokens stand for patient and encounter without naming them: a real integration passes keyed hashes of its own.
    """

    def __init__(
        self,
        *,
        age_years: float,
        sex: str = "unknown",
        pathway: str = DEMO_PATHWAY,
        subject_token: str = "",
        encounter_token: str = "",
    ) -> None:
        """`sex`: female, male or unknown. Raises ValueError for another word."""
        if sex not in _SEXES:
            raise ValueError("sex must be female, male or unknown")
        self.pathway = pathway
        self.subject_token = subject_token or str(uuid.uuid4())
        self.encounter_token = encounter_token or str(uuid.uuid4())
        self.indication = Indication(age_years=age_years, sex=_SEXES[sex])
        self._observations: list[Observation] = []
        self._series: list[ObservationSeries] = []

    def observe(
        self, code: str, value: float, unit: str, *, at: datetime | None = None, system: str = LOINC
    ) -> "Encounter":
        """Add one measurement: a LOINC code, a number and its UCUM unit; now, unless another time is given."""
        self._observations.append(
            Observation(
                code_system=system,
                code=code,
                value=value,
                unit=unit,
                effective_time=_timestamp(at),
                status=ObservationStatus.OBSERVATION_STATUS_FINAL,
            )
        )
        return self

    def responds(self, level: str, *, at: datetime | None = None) -> "Encounter":
        """Add the level of responsiveness: A(lert), C(onfused, new), V(oice), P(ain) or U(nresponsive)."""
        self._observations.append(
            Observation(
                code_system=LOINC,
                code=LEVEL_OF_RESPONSIVENESS,
                coded_value=level,
                effective_time=_timestamp(at),
                status=ObservationStatus.OBSERVATION_STATUS_FINAL,
            )
        )
        return self

    def series(self, series: ObservationSeries) -> "Encounter":
        """Add packed measurements of one code and unit."""
        self._series.append(series)
        return self

    def request(self, *, as_of: datetime | None = None, want_contributions: bool = False) -> AssessRiskRequest:
        """A request for the risk at an instant (now, unless told otherwise), with a fresh request id."""
        return AssessRiskRequest(
            request_id=str(uuid.uuid4()),
            pathway=self.pathway,
            subject_token=self.subject_token,
            encounter_token=self.encounter_token,
            as_of_time=_timestamp(as_of),
            indication=self.indication,
            observations=self._observations,
            series=self._series,
            want_contributions=want_contributions,
        )


def _timestamp(moment: datetime | None) -> Timestamp:
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a time needs its time zone: an instant is never guessed")
    stamp = Timestamp()
    stamp.FromDatetime((moment or datetime.now(UTC)).astimezone(UTC))
    return stamp
