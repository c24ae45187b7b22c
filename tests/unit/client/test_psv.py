from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stepdown.api.v1.observations_pb2 import CareSetting, IcuUnit, ObservationStatus, Sex
from stepdown.client.psv import CINC2019, UNITS, StayFormatError, read_stay
from tests.unit.client.stay_text import COLUMNS, row, stay_text, written

ENDING = datetime(2026, 3, 29, 12, 30, tzinfo=UTC)
PATIENT_VALUE = "1234.5"


def hours(count: int, **cells: object) -> tuple[str, ...]:
    return tuple(row(**{"ICULOS": hour + 1, **cells}) for hour in range(count))


def refusal(path: Path) -> str:
    with pytest.raises(StayFormatError) as refused:
        read_stay(path)
    return str(refused.value)


def test_there_is_a_request_for_every_hour_and_the_last_is_as_of_the_ending(tmp_path: Path) -> None:
    requests = list(read_stay(written(tmp_path, *hours(3))).requests(ending=ENDING))
    as_of = [request.as_of_time.ToDatetime(UTC) for request in requests]
    assert as_of == [ENDING - timedelta(hours=2), ENDING - timedelta(hours=1), ENDING]
    assert len({request.request_id for request in requests}) == 3
    assert len({(request.subject_token, request.encounter_token) for request in requests}) == 1


def test_a_request_holds_the_hours_up_to_it_and_none_after(tmp_path: Path) -> None:
    second = list(read_stay(written(tmp_path, *hours(3))).requests(ending=ENDING))[1]
    heart = next(series for series in second.series if series.code == "HR")
    assert list(heart.values) == [84.0, 84.0]
    assert list(heart.offsets_ms) == [0, 3_600_000]
    assert heart.base_time.ToDatetime(UTC) == ENDING - timedelta(hours=2)
    assert (heart.code_system, heart.unit) == (CINC2019, "/min")


def test_a_request_holds_no_more_than_the_48_hours_that_a_server_looks_at(tmp_path: Path) -> None:
    last = list(read_stay(written(tmp_path, *hours(60))).requests(ending=ENDING))[-1]
    heart = next(series for series in last.series if series.code == "HR")
    oldest = heart.base_time.ToDatetime(UTC) + timedelta(milliseconds=heart.offsets_ms[0])
    assert len(heart.values) == 48
    assert oldest == ENDING - timedelta(hours=47)
    assert len([each for each in last.observations if each.code == "SupplementalOxygen"]) == 48


def test_what_was_not_charted_is_not_sent(tmp_path: Path) -> None:
    path = written(tmp_path, row(HR="NaN", Consciousness="NaN", SupplementalOxygen="NaN", HospAdmTime="NaN"))
    (request,) = read_stay(path).requests(ending=ENDING)
    assert {series.code for series in request.series} == {"O2Sat", "Temp", "SBP", "DBP", "Resp"}
    assert list(request.observations) == []


def test_a_stay_without_the_bedside_columns_is_a_stay_of_the_challenge_itself(tmp_path: Path) -> None:
    path = tmp_path / "p000001.psv"
    bare = COLUMNS[:-2]
    path.write_text(stay_text("|".join(row().split("|")[:-2]), header="|".join(bare)), encoding="ascii")
    stay = read_stay(path)
    (request,) = stay.requests(ending=ENDING)
    assert (stay.name, stay.columns) == ("p000001", bare)
    assert [each.code for each in request.observations] == ["HospAdmTime"]


@pytest.mark.parametrize(("number", "letter"), tuple(enumerate("ACVPU")))
def test_consciousness_is_sent_as_its_letter(tmp_path: Path, number: int, letter: str) -> None:
    (request,) = read_stay(written(tmp_path, row(Consciousness=number))).requests(ending=ENDING)
    level = next(each for each in request.observations if each.code == "67775-7")
    assert level.coded_value == letter


def test_supplemental_oxygen_is_sent_as_a_number_with_its_time(tmp_path: Path) -> None:
    (request,) = read_stay(written(tmp_path, row(SupplementalOxygen=1))).requests(ending=ENDING)
    oxygen = next(each for each in request.observations if each.code == "SupplementalOxygen")
    assert (oxygen.code_system, oxygen.value, oxygen.unit) == (CINC2019, 1.0, "1")
    assert oxygen.status == ObservationStatus.OBSERVATION_STATUS_FINAL
    assert oxygen.effective_time.ToDatetime(UTC) == ENDING


@pytest.mark.parametrize(
    ("cells", "sex", "unit"),
    [
        ({"Gender": 0, "Unit1": 1, "Unit2": 0}, Sex.SEX_FEMALE, IcuUnit.ICU_UNIT_MEDICAL),
        ({"Gender": 1, "Unit1": 0, "Unit2": 1}, Sex.SEX_MALE, IcuUnit.ICU_UNIT_SURGICAL),
        ({"Gender": "NaN", "Unit1": "NaN", "Unit2": "NaN"}, Sex.SEX_UNKNOWN, IcuUnit.ICU_UNIT_UNSPECIFIED),
    ],
)
def test_the_static_columns_say_who_the_patient_is(
    tmp_path: Path, cells: dict[str, object], sex: Sex, unit: IcuUnit
) -> None:
    (request,) = read_stay(written(tmp_path, row(ICULOS=5, **cells))).requests(ending=ENDING)
    indication = request.indication
    assert indication.age_years == 63.14
    assert (indication.sex, indication.icu_unit) == (sex, unit)
    assert indication.care_setting == CareSetting.CARE_SETTING_ICU
    assert indication.icu_admission_time.ToDatetime(UTC) == ENDING - timedelta(hours=5)
    assert not indication.HasField("hospital_admission_time")


def test_every_measured_column_has_the_unit_that_the_server_takes_by_default() -> None:
    from stepdown.clinical.channels import CHANNELS, GRID_CHANNELS  # noqa: PLC0415 - the server's side of the table

    assert {name: CHANNELS[name].unit for name in UNITS} == UNITS
    assert tuple(UNITS) == GRID_CHANNELS[: len(UNITS)]


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("", "line 1: no column HR, O2Sat, Temp", "must name the 40 predictors"),
        ("a|b\n1|2\n", "line 1: no column HR, O2Sat, Temp", "must name the 40 predictors"),
        (stay_text(row() + "|1", header="|".join((*COLUMNS, "HR"))), "line 1: two columns", "keep one of them"),
        (stay_text(), "line 2: holds no hour", "at least one row"),
        (stay_text(row(), row() + f"|{PATIENT_VALUE}"), "line 3: 44 cells under 43 columns", "needs one cell"),
        (stay_text(row(), ""), "line 3: 1 cells under 43 columns", "needs one cell"),
        (stay_text(row(HR=f"{PATIENT_VALUE}x")), "line 2: HR: must be a number", "or NaN"),
        (stay_text(row(HR="inf")), "line 2: HR: must be a finite number", "or NaN"),
        (stay_text(row(Age="NaN")), "line 2: Age: must be known", "every row"),
        (stay_text(row(), row(ICULOS="NaN")), "line 3: ICULOS: must be known", "every row"),
        (stay_text(row(Consciousness=5)), "line 2: Consciousness: must be a whole number", "from 0 to 4"),
        (stay_text(row(Consciousness=-1)), "line 2: Consciousness: must be a whole number", "from 0 to 4"),
        (stay_text(row(SupplementalOxygen=0.5)), "line 2: SupplementalOxygen: must be", "from 0 to 1"),
    ],
)
def test_a_faulty_file_is_refused_with_the_place_and_the_remedy_and_no_value(
    tmp_path: Path, text: str, place: str, remedy: str
) -> None:
    path = tmp_path / "stay.psv"
    path.write_text(text, encoding="ascii")
    said = refusal(path)
    assert said.startswith(f"stay.psv: {place}")
    assert remedy in said
    assert PATIENT_VALUE not in said


def test_a_file_that_is_no_text_is_refused_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "stay.psv"
    path.write_bytes(bytes(range(256)))
    assert "line 1: no column" in refusal(path)
