"""Rows of the channel table: who the patient is and where. Requests state it in the indication, records in columns."""

from stepdown.clinical.channel import Freshness
from stepdown.clinical.channel_rows import Row


def _flag(name: str, title: str) -> Row:
    return Row(name=name, title=title, unit="1", hard=("0", "1"), freshness=Freshness.STATIC, integral=True)


ENCOUNTER_ROWS = (
    Row(name="Age", title="Age", loinc=("30525-0",), unit="a", hard=("0", "125"), freshness=Freshness.STATIC),
    Row(
        name="Gender",
        title="Administrative sex (0 female, 1 male)",
        loinc=("46098-0",),
        unit="1",
        hard=("0", "1"),
        freshness=Freshness.STATIC,
        integral=True,
        answers={"female": 0.0, "LA3-6": 0.0, "male": 1.0, "LA2-8": 1.0},
    ),
    _flag("Unit1", "Medical intensive care unit"),
    _flag("Unit2", "Surgical intensive care unit"),
    Row(
        name="HospAdmTime",
        title="Hospital admission, hours from intensive care admission",
        unit="h",
        hard=("-87600", "87600"),
        freshness=Freshness.STATIC,
    ),
    Row(
        name="ICULOS",
        title="Hours in intensive care, counted from 1",
        unit="h",
        hard=("0", "87600"),
        freshness=Freshness.STATIC,
    ),
)
