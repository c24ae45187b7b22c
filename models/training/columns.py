"""The forty predictors of the PhysioNet/CinC 2019 challenge: order, units, possible range, spread, resolution.

The order is the wire order of every model tier. Ranges are the limits outside which a value cannot be a measurement;
the graphs turn such a value into a missing one and count it. Typical values and spreads are those published for the
training sets A and B.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW_H = 48
LABEL_COLUMN = "SepsisLabel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One predictor.

    `lowest`..`highest` is inclusive; `skewed` columns are treated on the log scale; `decimals` is charting resolution.
    """

    name: str
    unit: str
    lowest: float
    highest: float
    median: float
    decimals: int
    skewed: bool = False


def _column(
    name: str, unit: str, limits: tuple[float, float], median: float, decimals: int, *, skewed: bool = False
) -> Column:
    return Column(
        name=name, unit=unit, lowest=limits[0], highest=limits[1], median=median, decimals=decimals, skewed=skewed
    )


COLUMNS: tuple[Column, ...] = (
    _column("HR", "/min", (0, 350), 83.5, 0),
    _column("O2Sat", "%", (0, 100), 98, 0),
    _column("Temp", "Cel", (10, 47), 37.0, 1),
    _column("SBP", "mm[Hg]", (20, 400), 121, 0),
    _column("MAP", "mm[Hg]", (10, 330), 80, 0),
    _column("DBP", "mm[Hg]", (5, 300), 62, 0),
    _column("Resp", "/min", (0, 120), 18, 0),
    _column("EtCO2", "mm[Hg]", (0, 150), 33, 0),
    _column("BaseExcess", "mmol/L", (-50, 50), 0, 0),
    _column("HCO3", "mmol/L", (1, 70), 24, 0),
    _column("FiO2", "1", (0.21, 1.0), 0.5, 2),
    _column("pH", "[pH]", (6.3, 8.0), 7.38, 2),
    _column("PaCO2", "mm[Hg]", (5, 250), 40, 0),
    _column("SaO2", "%", (0, 100), 97, 0),
    _column("AST", "U/L", (0, 50000), 41, 0, skewed=True),
    _column("BUN", "mg/dL", (0, 400), 17, 0, skewed=True),
    _column("Alkalinephos", "U/L", (0, 10000), 74, 0, skewed=True),
    _column("Calcium", "mg/dL", (3, 30), 8.3, 1),
    _column("Chloride", "mmol/L", (40, 180), 106, 0),
    _column("Creatinine", "mg/dL", (0.05, 60), 0.94, 2, skewed=True),
    _column("Bilirubin_direct", "mg/dL", (0, 60), 0.445, 1, skewed=True),
    _column("Glucose", "mg/dL", (0, 3000), 127, 0, skewed=True),
    _column("Lactate", "mmol/L", (0, 50), 1.8, 1, skewed=True),
    _column("Magnesium", "mg/dL", (0, 20), 2.0, 1),
    _column("Phosphate", "mg/dL", (0, 40), 3.3, 1, skewed=True),
    _column("Potassium", "mmol/L", (0.5, 15), 4.1, 1),
    _column("Bilirubin_total", "mg/dL", (0, 100), 0.9, 1, skewed=True),
    _column("TroponinI", "ng/mL", (0, 5000), 0.3, 2, skewed=True),
    _column("Hct", "%", (1, 85), 30.3, 1),
    _column("Hgb", "g/dL", (0.5, 30), 10.3, 1),
    _column("PTT", "s", (5, 400), 32.4, 1, skewed=True),
    _column("WBC", "10*3/uL", (0, 1000), 10.3, 1, skewed=True),
    _column("Fibrinogen", "mg/dL", (0, 3000), 250, 0, skewed=True),
    _column("Platelets", "10*3/uL", (0, 5000), 181, 0, skewed=True),
    _column("Age", "a", (0, 125), 64, 0),
    _column("Gender", "1", (0, 1), 1, 0),
    _column("Unit1", "1", (0, 1), 0, 0),
    _column("Unit2", "1", (0, 1), 1, 0),
    _column("HospAdmTime", "h", (-100_000, 100), -6.03, 2),
    _column("ICULOS", "h", (0, 100_000), 21, 0),
)

NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
COLUMN_COUNT = len(COLUMNS)
INDEX: dict[str, int] = {name: position for position, name in enumerate(NAMES)}
VITALS: tuple[str, ...] = NAMES[:8]
LABORATORY: tuple[str, ...] = NAMES[8:34]
CONTEXT: tuple[str, ...] = NAMES[34:]

# A laboratory's zero means "below detection"; its logarithm must stay finite.
DETECTION_FLOOR = 0.01


def positions(names: tuple[str, ...]) -> NDArray[np.int64]:
    """Column positions of `names`, in the order given."""
    return np.array([INDEX[name] for name in names], dtype=np.int64)


def limits() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest possible value of each column, float32 [40] each, as the graphs compare them."""
    lowest = np.array([column.lowest for column in COLUMNS], dtype=np.float32)
    highest = np.array([column.highest for column in COLUMNS], dtype=np.float32)
    return lowest, highest


def skewed() -> NDArray[np.bool_]:
    """Which columns are treated on the log scale, bool [40]."""
    return np.array([column.skewed for column in COLUMNS])
