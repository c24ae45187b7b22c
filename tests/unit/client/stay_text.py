"""The text of a small stay, of which a test changes what it is about."""

from collections.abc import Mapping
from pathlib import Path

from stepdown.client.psv import UNITS

STATIC: Mapping[str, str] = {
    "Age": "63.14",
    "Gender": "0",
    "Unit1": "0",
    "Unit2": "1",
    "HospAdmTime": "-4.81",
    "ICULOS": "1",
    "SepsisLabel": "0",
    "Consciousness": "0",
    "SupplementalOxygen": "0",
}
COLUMNS = (*UNITS, *STATIC)
VITALS: Mapping[str, str] = {"HR": "84", "O2Sat": "97", "Temp": "36.9", "SBP": "118", "DBP": "66", "Resp": "17"}


def row(**cells: object) -> str:
    """One hour: vital signs and who the patient is, but for what is named."""
    known = {**dict.fromkeys(UNITS, "NaN"), **VITALS, **STATIC, **{name: str(cell) for name, cell in cells.items()}}
    return "|".join(known[name] for name in COLUMNS)


def stay_text(*rows: str, header: str = "|".join(COLUMNS)) -> str:
    """A whole file."""
    return "\n".join((header, *rows)) + "\n"


def written(folder: Path, *rows: str) -> Path:
    """A stay on disk."""
    path = folder / "stay.psv"
    path.write_text(stay_text(*rows), encoding="ascii")
    return path
