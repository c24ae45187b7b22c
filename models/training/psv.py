"""Read and write the challenge's `.psv` files: a stay per file, a row per hour, `NaN` for missing.

Two bedside observations that NEWS2 needs are absent from the challenge: consciousness and supplemental oxygen. They may
follow the label as two further numeric columns. Challenge tools index the forty predictors by position and the label by
name, so they read such a file unchanged; the writer still leaves the columns out unless asked.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.columns import COLUMNS, LABEL_COLUMN, NAMES
from models.training.stays import UNRECORDED, Stays

CONSCIOUSNESS_COLUMN = "Consciousness"
OXYGEN_COLUMN = "SupplementalOxygen"
BEDSIDE_COLUMNS = (CONSCIOUSNESS_COLUMN, OXYGEN_COLUMN)


class PsvFormatError(ValueError):
    """A file is not in the challenge's format."""


def read_folder(folder: Path) -> Stays:
    """Read every `.psv` under `folder`, in order of name.

    Raises:
        PsvFormatError: no file is there, or one of them is not in the challenge's format.

    """
    paths = sorted(folder.rglob("*.psv"))
    if not paths:
        message = f"no .psv file under {folder}"
        raise PsvFormatError(message)
    tables = [_read_table(path) for path in paths]
    lengths = np.array([len(label) for _, _, label in tables])
    bedside = np.concatenate([rows for _, rows, _ in tables])
    return Stays(
        names=tuple(path.stem for path in paths),
        first_row=np.concatenate([[0], np.cumsum(lengths)]),
        predictors=np.concatenate([rows for rows, _, _ in tables]),
        consciousness=bedside[:, 0],
        on_oxygen=bedside[:, 1],
        label=np.concatenate([label for _, _, label in tables]),
    )


def write_folder(stays: Stays, folder: Path, *, bedside: bool) -> tuple[Path, ...]:
    """Write one file per stay, named after it; `bedside` appends consciousness and supplemental oxygen."""
    folder.mkdir(parents=True, exist_ok=True)
    header = "|".join((*NAMES, LABEL_COLUMN, *(BEDSIDE_COLUMNS if bedside else ())))
    written = []
    for position, name in enumerate(stays.names):
        rows = slice(int(stays.first_row[position]), int(stays.first_row[position + 1]))
        lines = [_line(stays, row, bedside=bedside) for row in range(rows.start, rows.stop)]
        path = folder / f"{name}.psv"
        path.write_text("\n".join((header, *lines)) + "\n", encoding="ascii")
        written.append(path)
    return tuple(written)


def _line(stays: Stays, row: int, *, bedside: bool) -> str:
    cells = [
        _number(value, column.decimals) for value, column in zip(stays.predictors[row].tolist(), COLUMNS, strict=True)
    ]
    cells.append(str(int(stays.label[row])))
    if bedside:
        cells += [_code(int(stays.consciousness[row])), _code(int(stays.on_oxygen[row]))]
    return "|".join(cells)


def _number(value: float, decimals: int) -> str:
    # A value finer than the charting resolution (real data) keeps its seven significant digits.
    rounded = f"{value:.{decimals}f}"
    return "NaN" if np.isnan(value) else rounded if np.float32(rounded) == np.float32(value) else f"{value:.7g}"


def _code(value: int) -> str:
    return "NaN" if value == UNRECORDED else str(value)


def _read_table(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.int8]]:
    lines = path.read_text(encoding="ascii").splitlines()
    header = tuple(lines[0].split("|")) if lines else ()
    if header[: len(NAMES)] != NAMES:
        message = f"{path.name}: the header does not begin with the forty predictors of the challenge"
        raise PsvFormatError(message)
    if len(lines) == 1:
        message = f"{path.name}: no hours"
        raise PsvFormatError(message)
    try:
        table = np.array([line.split("|") for line in lines[1:]], dtype=np.float64)
    except ValueError as error:
        message = f"{path.name}: a row is not {len(header)} numbers"
        raise PsvFormatError(message) from error
    if table.shape[1] != len(header):
        message = f"{path.name}: rows of {table.shape[1]} numbers under a header of {len(header)}"
        raise PsvFormatError(message)
    beside = np.stack([_whole(table, header, name, absent=UNRECORDED) for name in BEDSIDE_COLUMNS], axis=1)
    return table[:, : len(NAMES)].astype(np.float32), beside, _whole(table, header, LABEL_COLUMN, absent=0)


def _whole(table: NDArray[np.float64], header: tuple[str, ...], name: str, *, absent: int) -> NDArray[np.int8]:
    if name not in header:
        return np.full(len(table), absent, dtype=np.int8)
    return np.nan_to_num(table[:, header.index(name)], nan=absent).astype(np.int8)
