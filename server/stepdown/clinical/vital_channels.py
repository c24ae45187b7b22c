"""Rows of the channel table: vital signs, oxygen, consciousness. Limits are wide, so that real extremes survive."""

from decimal import Decimal

from stepdown.clinical.channel import Freshness
from stepdown.clinical.channel_rows import Row, Suspect
from stepdown.clinical.conversion import IDENTITY, LinearConversion, scaled
from stepdown.domain.intake import CONSCIOUSNESS_LETTERS

_CONSCIOUSNESS_ANSWERS = {
    "A": ("248234008", "LA9340-6"),
    "C": ("130987000", "LA6560-2"),
    "V": ("300202002", "LA17108-4"),
    "P": ("450847001", "LA17107-6"),
    "U": ("422768004", "LA9343-0"),
}

_KILOPASCAL = {"kPa": scaled("7.50062")}
# A score has no unit; UCUM calls that `1`, and FHIR senders annotate it or leave it out.
_SCORE_UNITS = {"1": IDENTITY, "": IDENTITY}


def _consciousness() -> dict[str, float]:
    answers = {}
    for ordinal, letter in enumerate(CONSCIOUSNESS_LETTERS):
        for answer in (letter, *_CONSCIOUSNESS_ANSWERS[letter]):
            answers[answer] = float(ordinal)
    return answers


def _pressure(name: str, title: str, loinc: tuple[str, ...], hard: tuple[str, str], soft: tuple[str, str]) -> Row:
    return Row(
        name=name,
        title=title,
        loinc=loinc,
        unit="mm[Hg]",
        hard=hard,
        soft=soft,
        alternates=_KILOPASCAL,
        freshness=Freshness.VITAL,
        resolution="1",
        core=name == "SBP",
    )


def _score(name: str, title: str, code: str, highest: str, lowest: str = "1") -> Row:
    return Row(
        name=name,
        title=title,
        loinc=(code,),
        unit="{score}",
        hard=(lowest, highest),
        alternates=_SCORE_UNITS,
        freshness=Freshness.VITAL,
        resolution="1",
        integral=True,
    )


VITAL_ROWS = (
    Row(
        name="HR",
        title="Heart rate",
        loinc=("8867-4",),
        unit="/min",
        hard=("0", "350"),
        soft=("30", "200"),
        freshness=Freshness.VITAL,
        resolution="1",
        core=True,
    ),
    # 2708-6 is shared by pulse oximetry (FHIR vital signs, US Core beside 59408-5) and arterial gas analysis. It is
    # read as the vital sign; an arterial measurement has a code of its own.
    Row(
        name="O2Sat",
        title="Oxygen saturation by pulse oximetry",
        loinc=("59408-5", "2708-6"),
        unit="%",
        hard=("0", "100"),
        soft=("70", "100"),
        alternates={"1": scaled("100")},
        suspects=(Suspect(unit="%", low="0.2", high="1", likely="1"),),
        freshness=Freshness.VITAL,
        resolution="1",
        core=True,
    ),
    Row(
        name="Temp",
        title="Body temperature",
        loinc=("8310-5",),
        unit="Cel",
        hard=("10", "47"),
        soft=("32", "42"),
        alternates={
            "[degF]": LinearConversion(shift=Decimal(32), numerator=Decimal(5), denominator=Decimal(9)),
            "K": LinearConversion(shift=Decimal("273.15")),
        },
        suspects=(Suspect(unit="Cel", low="77", high="115", likely="[degF]"),),
        freshness=Freshness.VITAL,
        resolution="0.1",
        core=True,
    ),
    _pressure("SBP", "Systolic blood pressure", ("8480-6", "76534-7"), ("20", "400"), ("50", "250")),
    _pressure("MAP", "Mean arterial pressure", ("8478-0", "76536-2"), ("10", "330"), ("30", "200")),
    _pressure("DBP", "Diastolic blood pressure", ("8462-4", "76535-4"), ("5", "300"), ("20", "160")),
    Row(
        name="Resp",
        title="Respiratory rate",
        loinc=("9279-1",),
        unit="/min",
        hard=("0", "120"),
        soft=("5", "60"),
        freshness=Freshness.VITAL,
        resolution="1",
        core=True,
    ),
    Row(
        name="EtCO2",
        title="End-tidal carbon dioxide",
        loinc=("19891-1",),
        unit="mm[Hg]",
        hard=("0", "150"),
        soft=("10", "80"),
        alternates=_KILOPASCAL,
        freshness=Freshness.VITAL,
    ),
    # The grid holds a fraction. `%` and `1` differ by a factor of 100 and both are sent: the unit alone decides.
    Row(
        name="FiO2",
        title="Inspired oxygen fraction",
        loinc=("3150-0", "19994-3"),
        unit="1",
        hard=("0.209", "1"),  # analysers report room air as 20.9 %
        alternates={"%": scaled("1", "100")},
        suspects=(
            Suspect(unit="%", low="1.0001", high="20.8999", likely="L/min"),
            Suspect(unit="1", low="1.0001", high="20.8999", likely="L/min"),
        ),
        freshness=Freshness.VITAL,
    ),
)

BEDSIDE_ROWS = (
    Row(
        name="Consciousness",
        title="Level of consciousness (ACVPU, in that order 0-4)",
        loinc=("67775-7", "11454-6"),
        unit="{ACVPU}",
        hard=("0", "4"),
        freshness=Freshness.VITAL,
        numeric=False,
        core=True,
        answers=_consciousness(),
    ),
    Row(
        name="SupplementalOxygen",
        title="On supplemental oxygen (1) or on air (0)",
        unit="",
        hard=("0", "1"),
        alternates={"1": IDENTITY},
        freshness=Freshness.VITAL,
        integral=True,
    ),
    Row(
        name="OxygenFlow",
        title="Inhaled oxygen flow rate",
        loinc=("3151-8", "19941-4"),
        unit="L/min",
        hard=("0", "100"),
        soft=("0", "80"),
        alternates={"mL/min": scaled("1", "1000")},
        freshness=Freshness.VITAL,
    ),
    _score("GCS", "Glasgow coma score, total", "9269-2", "15", "3"),
    _score("GCSEye", "Glasgow coma score, eye", "9267-6", "4"),
    _score("GCSVerbal", "Glasgow coma score, verbal", "9270-0", "5"),
    _score("GCSMotor", "Glasgow coma score, motor", "9268-4", "6"),
)
