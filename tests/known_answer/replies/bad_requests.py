"""Requests with every bad input that a hospital's feed is known to send, one kind each, beside a well adult."""

from collections.abc import Callable, Iterator

from stepdown.api.v1 import observations_pb2 as wire
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from tests.fakes.assess_requests import ENCOUNTER, LOINC, SUBJECT, VITALS
from tests.fakes.clock import START_S
from tests.fakes.statuses import PATHWAY

CINC = "https://physionet.org/content/challenge-2019"
HOUR_MS = 3_600_000
CODES = {"HR": "8867-4", "Temp": "8310-5", "SBP": "8480-6", "DBP": "8462-4", "MAP": "8478-0", "Resp": "9279-1"}

Change = Callable[[AssessRiskRequest], object]


def seen(request: AssessRiskRequest, code: str, value: float, unit: str, *, ago_s: float = 60.0) -> wire.Observation:
    """One more LOINC measurement in the request."""
    added = request.observations.add(code_system=LOINC, code=code, value=value, unit=unit)
    added.effective_time.FromMilliseconds(round((START_S - ago_s) * 1000))
    return added


def packed(request: AssessRiskRequest, code: str, values: list[float], unit: str) -> wire.ObservationSeries:
    """One more packed series, hourly up to ten minutes ago."""
    added = request.series.add(code_system=LOINC, code=code, unit=unit, values=values)
    added.base_time.FromMilliseconds(round((START_S - 600) * 1000))
    added.offsets_ms.extend((index + 1 - len(values)) * HOUR_MS for index in range(len(values)))
    return added


def well(name: str) -> AssessRiskRequest:
    """The well adult at the instant at which the fake clock stands."""
    request = AssessRiskRequest(
        request_id=f"case-{name}",
        pathway=PATHWAY,
        subject_token=SUBJECT,
        encounter_token=ENCOUNTER,
        indication=wire.Indication(age_years=64.0, sex=wire.SEX_MALE, care_setting=wire.CARE_SETTING_ICU),
        correlation_id="order-17",
    )
    request.as_of_time.FromMilliseconds(round(START_S * 1000))
    for code, value, unit in VITALS:
        seen(request, code, value, unit)
    alert = request.observations.add(code_system=LOINC, code="67775-7", coded_value="A")
    alert.effective_time.FromMilliseconds(round((START_S - 60) * 1000))
    return request


def _status(status: wire.ObservationStatus) -> Change:
    return lambda request: setattr(seen(request, "8867-4", 131.0, "/min", ago_s=30), "status", status)


def _without(*codes: str) -> Change:
    def change(request: AssessRiskRequest) -> None:
        kept = [each for each in request.observations if each.code not in codes]
        del request.observations[:]
        request.observations.extend(kept)

    return change


def _of(message: str, **fields: object) -> Change:
    """Set fields of a part of the request, or of itself."""

    def change(request: AssessRiskRequest) -> None:
        part = getattr(request, message) if message else request
        for field, value in fields.items():
            setattr(part, field, value)

    return change


def _in_last(**fields: object) -> Change:
    def change(request: AssessRiskRequest) -> None:
        for field, value in fields.items():
            setattr(request.observations[-1], field, value)

    return change


def _value(code: str, value: float, unit: str, **fields: object) -> Change:
    def change(request: AssessRiskRequest) -> None:
        added = seen(request, code, value, unit, ago_s=30)
        for field, content in fields.items():
            setattr(added, field, content)

    return change


def _series(code: str, values: list[float], unit: str, **fields: object) -> Change:
    def change(request: AssessRiskRequest) -> None:
        added = packed(request, code, values, unit)
        for field, content in fields.items():
            setattr(added, field, content)

    return change


def _at(*, ago_s: float) -> Change:
    return lambda request: request.as_of_time.FromMilliseconds(round((START_S - ago_s) * 1000))


def _both(*changes: Change) -> Change:
    def change(request: AssessRiskRequest) -> None:
        for each in changes:
            each(request)

    return change


NAN, INF = float("nan"), float("inf")
_ST = wire.ObservationStatus
CHANGES: dict[str, Change] = {
    "nothing": lambda _: None,
    "fahrenheit-as-celsius": _value("8310-5", 101.3, "Cel"),
    "fahrenheit-as-celsius-series": _series("8310-5", [37.0, 101.3, 37.2], "Cel"),
    "fahrenheit": _series("8310-5", [98.6, 100.4, 102.3], "[degF]"),
    "creatinine-swapped": _value("2160-0", 120.0, "mg/dL"),
    "creatinine-doubtful": _series("2160-0", [1.1, 25.0, 120.0], "mg/dL"),
    "glucose-swapped": _value("2345-7", 6.1, "mg/dL"),
    "lactate-swapped": _value("2524-7", 27.0, "mmol/L"),
    "lactate-swapped-series": _series("2524-7", [1.5, 27.0], "mmol/L"),
    "carbon-dioxide-in-kpa": _value("2019-8", 5.3, "mm[Hg]"),
    "no-unit": _value("8867-4", 80.0, ""),
    "unknown-unit": _value("8867-4", 80.0, "beats"),
    "annotated-unit": _value("8867-4", 80.0, "{beats}/min"),
    "annotated-unit-series": _series("8867-4", [80.0, 81.0], "{beats}/min"),
    "wrong-dimension": _value("8867-4", 80.0, "mm[Hg]"),
    "wrong-dimension-series": _series("8867-4", [80.0], "mm[Hg]"),
    "unit-like-a-person": _value("8867-4", 80.0, "123-45-6789"),
    "nan": _value("8867-4", NAN, "/min"),
    "infinite": _series("8867-4", [80.0, INF], "/min"),
    "minus-infinite": _series("8867-4", [-INF, INF], "/min"),
    "nan-series": _series("8867-4", [NAN, 80.0], "/min"),
    "denormal": _value("2160-0", 1e-40, "mg/dL"),
    "huge": _series("2160-0", [1e308, 1e308], "mg/dL"),
    "minus-zero": _value("1925-7", -0.0, "mmol/L"),
    "minus-zero-series": _series("1925-7", [-0.0, 1.0, -2.0], "mmol/L"),
    "slightly-future": lambda request: seen(request, "8867-4", 80.0, "/min", ago_s=-90),
    "future": lambda request: seen(request, "8867-4", 80.0, "/min", ago_s=-300),
    "as-of-ahead": _at(ago_s=-600),
    "as-of-missing": lambda request: request.ClearField("as_of_time"),
    "as-of-1970": lambda request: request.as_of_time.FromMilliseconds(1000),
    "as-of-year-one": lambda request: setattr(request.as_of_time, "seconds", -62_135_596_800),
    "as-of-two-years-ago": _at(ago_s=2 * 365 * 86_400),
    "replay": _both(_at(ago_s=2 * 365 * 86_400), _of("", replay=True)),
    "duplicates": lambda request: request.observations.extend(request.observations[:3]),
    "duplicate-series": _both(_series("8867-4", [80.0, 81.0], "/min"), _series("8867-4", [80.0, 81.0], "/min")),
    "conflict": lambda request: seen(request, "8867-4", 133.0, "/min"),
    "conflict-corrected": lambda request: setattr(
        seen(request, "8867-4", 133.0, "/min"), "status", _ST.OBSERVATION_STATUS_CORRECTED
    ),
    "conflict-preliminary": lambda request: setattr(
        seen(request, "8867-4", 133.0, "/min"), "status", _ST.OBSERVATION_STATUS_PRELIMINARY
    ),
    "conflict-in-other-unit": lambda request: seen(request, "8310-5", 102.2, "[degF]"),
    "out-of-order": lambda request: [seen(request, "8867-4", 70.0 + h, "/min", ago_s=h * 3000) for h in (5, 1, 9, 3)],
    "stale": _both(_without("8867-4"), lambda request: seen(request, "8867-4", 80.0, "/min", ago_s=9 * 3600)),
    "older-than-the-window": lambda request: seen(request, "8867-4", 80.0, "/min", ago_s=49 * 3600),
    "implausible": _both(
        *(
            _value(c, v, u)
            for c, v, u in (("8867-4", 260.0, "/min"), ("2823-3", 8.9, "mmol/L"), ("8310-5", 31.0, "Cel"))
        )
    ),
    "implausible-series": _series("6690-2", [8.0, 180.0, 190.0], "10*3/uL"),
    "impossible": _both(_value("59408-5", 104.0, "%"), _value("8867-4", -5.0, "/min"), _value("2744-1", 9.0, "[pH]")),
    "no-pressure": _value("8480-6", 0.0, "mm[Hg]"),
    "pressures-swapped": _both(_value("8480-6", 60.0, "mm[Hg]"), _value("8462-4", 110.0, "mm[Hg]")),
    "mean-pressure-outside": _both(
        _series("8480-6", [120.0, 118.0], "mm[Hg]"),
        _series("8462-4", [70.0, 72.0], "mm[Hg]"),
        _series("8478-0", [60.0, 130.0], "mm[Hg]"),
    ),
    "bilirubin-contradiction": _both(_value("1968-7", 4.0, "mg/dL"), _value("1975-2", 2.0, "mg/dL")),
    "coma-parts": _both(
        *(_value(c, v, "{score}") for c, v in (("9267-6", 4.0), ("9270-0", 5.0), ("9268-4", 6.0), ("9269-2", 9.0)))
    ),
    "coma-parts-only": _both(
        *(_value(c, v, "{score}") for c, v in (("9267-6", 3.0), ("9270-0", 4.0), ("9268-4", 5.0)))
    ),
    "age-9": _of("indication", age_years=9.0),
    "age-17": _of("indication", age_years=17.0),
    "age-missing": lambda request: request.indication.ClearField("age_years"),
    "age-observed": _both(lambda request: request.indication.ClearField("age_years"), _value("30525-0", 71.0, "a")),
    "age-disagrees": _value("30525-0", 71.0, "a"),
    "age-200": _of("indication", age_years=200.0),
    "age-nan": _of("indication", age_years=NAN),
    "pregnant": _of("indication", pregnancy=wire.PREGNANCY_YES, sex=wire.SEX_FEMALE),
    "pregnancy-unknown": _of("indication", age_years=30.0, sex=wire.SEX_FEMALE),
    "spinal-cord": _of("indication", spinal_cord_injury=True, treatment_limits=True),
    "scale-2-unconfirmed": _of("indication", spo2_scale=wire.SPO2_SCALE_2),
    "scale-2-confirmed": _of("indication", spo2_scale=wire.SPO2_SCALE_2, spo2_scale_2_confirmed=True),
    "air-and-oxygen": _both(
        _value("3150-0", 50.0, "%"),
        lambda request: request.observations.add(
            code_system=CINC, code="SupplementalOxygen", value=0.0, unit="1"
        ).effective_time.FromMilliseconds(round((START_S - 30) * 1000)),
    ),
    "fio2": _both(
        *(_value("3150-0", v, u) for v, u in ((40.0, "%"), (0.4, "1"), (1.0, ""), (4000.0, "%"), (-50.0, "%")))
    ),
    "censored": _both(
        _value("2524-7", 0.3, "mmol/L", comparator=wire.COMPARATOR_LESS),
        _value("8480-6", 220.0, "mm[Hg]", comparator=wire.COMPARATOR_GREATER_OR_EQUAL),
    ),
    "entered-in-error": _status(_ST.OBSERVATION_STATUS_ENTERED_IN_ERROR),
    "cancelled": _status(_ST.OBSERVATION_STATUS_CANCELLED),
    "wrong-patient": _status(_ST.OBSERVATION_STATUS_WRONG_PATIENT),
    "status-unknown": _status(_ST.OBSERVATION_STATUS_UNKNOWN),
    "preliminary": _status(_ST.OBSERVATION_STATUS_PRELIMINARY),
    "amended": _status(_ST.OBSERVATION_STATUS_AMENDED),
    "registered": _status(_ST.OBSERVATION_STATUS_REGISTERED),
    "retracts-the-heart-rate": lambda request: setattr(
        seen(request, "8867-4", 75.0, "/min"), "status", _ST.OBSERVATION_STATUS_ENTERED_IN_ERROR
    ),
    "status-number": lambda request: setattr(seen(request, "8867-4", 75.0, "/min"), "status", 99),
    "many-numbers": _both(_of("", urgency=17), _of("indication", sex=9, icu_unit=8)),
    "other-encounter": _in_last(encounter_token="encounter-of-somebody-else-77"),  # noqa: S106
    "other-subject": _in_last(subject_token="subject-of-somebody-else-77"),  # noqa: S106
    "same-tokens": _in_last(subject_token=SUBJECT, encounter_token=ENCOUNTER),
    "record-number": _of("", subject_token="MRN 12345678"),  # noqa: S106
    "social-security": _of("", subject_token="123-45-6789"),  # noqa: S106
    "e-mail": _of("", encounter_token="a.b@hospital.example"),  # noqa: S106
    "name": _of("", subject_token="John-Smith"),  # noqa: S106
    "digits": _of("", subject_token="12345678"),  # noqa: S106
    "free-text": _of("", correlation_id="the patient in bed two"),
    "control-characters": _of("", request_id="case\n1"),
    "overlong": _of("", request_id="x" * 300),
    "no-tokens": _of("", subject_token="", encounter_token=""),
    "code-check-digit": _value("8867-5", 80.0, "/min"),
    "code-shape": _value("HEART", 80.0, "/min"),
    "code-unsupported": _both(_value("1742-6", 30.0, "U/L"), _series("1751-7", [30.0, 31.0], "g/L")),
    "code-system-unknown": _in_last(code_system="urn:local"),
    "ionised-calcium": _value("1995-0", 1.2, "mmol/L"),
    "empty": lambda request: request.ClearField("observations"),
    "stale-only": _both(
        lambda request: request.ClearField("observations"),
        lambda request: [seen(request, c, v, u, ago_s=30 * 3600) for c, v, u in VITALS],
    ),
    "too-many-observations": lambda request: request.observations.extend([request.observations[0]] * 10_001),
    "too-many-series": lambda request: [packed(request, "8867-4", [80.0], "/min") for _ in range(513)],
    "minimum-tier": _of("", minimum_tier="distilled"),
    "unknown-tier": _of("", minimum_tier="quantum"),
    "unknown-pathway": _of("", pathway="nothing-of-ours"),
    "flat-line": _series("8480-6", [120.0] * 8, "mm[Hg]"),
    "no-heart-beat": _value("8867-4", 0.0, "/min"),
    "no-heart-beat-alone": _both(
        lambda request: request.ClearField("observations"), _series("8867-4", [70.0, 0.0], "/min")
    ),
    "time-ambiguous": _value("8867-4", 80.0, "/min", time_ambiguous=True),
    "no-time": lambda request: request.observations[0].ClearField("effective_time"),
    "absent": _in_last(absent_reason="not-performed", coded_value=""),
    "answer-unknown": _in_last(coded_value="Z"),
    "answer-coded-as-number": _value("67775-7", 3.0, "1"),
    "answers-in-a-series": _series("67775-7", [1.0], "1"),
    "source-like-a-person": _value("8867-4", 80.0, "/min", source="nurse Jane Doe"),
    "sources": _both(_value("8867-4", 80.0, "/min", source="monitor-1"), _value("8867-4", 90.0, "/min", source="m-2")),
    "high-sensitivity-troponin": _both(_value("10839-9", 40.0, "ng/L"), _series("89579-7", [12.0, 40.0], "ng/L")),
    "half-coma": _value("9269-2", 14.5, "{score}"),
    "half-coma-series": _series("9269-2", [15.0, 14.5], "{score}"),
    "series-unequal": _series("8867-4", [80.0, 81.0], "/min", source="m-1"),
    "series-future-and-past": lambda request: packed(
        request, "8867-4", [80.0 + h for h in range(60)], "/min"
    ).base_time.FromMilliseconds(round((START_S + 7230) * 1000)),
    "series-backwards": lambda request: packed(request, "8867-4", [80.0, 81.0, 82.0], "/min").offsets_ms.__setitem__(
        0, HOUR_MS // 2
    ),
    "series-without-base": lambda request: packed(request, "8867-4", [80.0], "/min").ClearField("base_time"),
    "series-empty": _series("8867-4", [], "/min"),
    "series-within-the-hour": lambda request: packed(
        request, "8867-4", [80.0, 81.0, 85.0], "/min"
    ).offsets_ms.__setitem__(slice(0, 2), [-120_000, -60_000]),
    "hydrogen-ions": _series("2744-1", [40.0, 63.1], "nmol/L"),
    "strict": _both(_of("", strict=True), _value("8310-5", 101.3, "Cel")),
    "contributions": _of("", want_contributions=True),
    "admission": _both(
        lambda request: request.indication.hospital_admission_time.FromMilliseconds(round((START_S - 90_000) * 1000)),
        lambda request: request.indication.icu_admission_time.FromMilliseconds(round((START_S - 80_000) * 1000)),
        _of("indication", icu_unit=wire.ICU_UNIT_SURGICAL),
    ),
    "admission-to-come": lambda request: request.indication.icu_admission_time.FromMilliseconds(
        round((START_S + 90_000) * 1000)
    ),
}


def bad_requests() -> Iterator[AssessRiskRequest]:
    """One request for each kind."""
    for name, change in CHANGES.items():
        request = well(name)
        change(request)
        yield request
