"""The table of channels and the codes that name them, checked at import. Refuses a row whose LOINC code is mistyped."""

from collections.abc import Iterable, Mapping
from itertools import chain

from stepdown.clinical.channel import Channel, CodedChannel
from stepdown.clinical.channel_rows import Row, channel_of, codes_of
from stepdown.clinical.encounter_channels import ENCOUNTER_ROWS
from stepdown.clinical.laboratory_channels import (
    BLOOD_GAS_ROWS,
    CHEMISTRY_ROWS,
    HAEMATOLOGY_ROWS,
    IONISED_CALCIUM_CODES,
)
from stepdown.clinical.loinc import is_well_formed
from stepdown.clinical.vital_channels import BEDSIDE_ROWS, VITAL_ROWS
from stepdown.domain.errors import ConfigurationError
from stepdown.domain.observations import CodeSystem

# The 40 predictors of the PhysioNet/CinC 2019 challenge in the order of its files (Reyna et al. 2020).
GRID_CHANNELS = (
    "HR",
    "O2Sat",
    "Temp",
    "SBP",
    "MAP",
    "DBP",
    "Resp",
    "EtCO2",
    "BaseExcess",
    "HCO3",
    "FiO2",
    "pH",
    "PaCO2",
    "SaO2",
    "AST",
    "BUN",
    "Alkalinephos",
    "Calcium",
    "Chloride",
    "Creatinine",
    "Bilirubin_direct",
    "Glucose",
    "Lactate",
    "Magnesium",
    "Phosphate",
    "Potassium",
    "Bilirubin_total",
    "TroponinI",
    "Hct",
    "Hgb",
    "PTT",
    "WBC",
    "Fibrinogen",
    "Platelets",
    "Age",
    "Gender",
    "Unit1",
    "Unit2",
    "HospAdmTime",
    "ICULOS",
)

ROWS: tuple[Row, ...] = (
    *VITAL_ROWS,
    *BLOOD_GAS_ROWS,
    *CHEMISTRY_ROWS,
    *HAEMATOLOGY_ROWS,
    *ENCOUNTER_ROWS,
    *BEDSIDE_ROWS,
)


def table_faults(rows: Iterable[Row]) -> tuple[str, ...]:
    """What is wrong with a channel table: codes that fail their check or name two channels, columns without a row."""
    listed = tuple(rows)
    codes = tuple(chain.from_iterable(row.loinc for row in listed))
    names = tuple(row.name for row in listed)
    faults = [
        f"{code}: LOINC check digit is wrong" for code in (*codes, *IONISED_CALCIUM_CODES) if not is_well_formed(code)
    ]
    faults += [f"{code}: names two channels" for code in sorted({code for code in codes if codes.count(code) > 1})]
    faults += [f"{name}: described twice" for name in sorted({name for name in names if names.count(name) > 1})]
    faults += [f"{name}: grid column without a row" for name in GRID_CHANNELS if name not in names]
    return tuple(faults)


def checked_channels(rows: tuple[Row, ...]) -> dict[str, Channel]:
    """The channels of a table by name. Raises ConfigurationError with every fault of the table."""
    faults = table_faults(rows)
    if faults:
        raise ConfigurationError(faults)
    return {row.name: channel_of(row) for row in rows}


CHANNELS: Mapping[str, Channel] = checked_channels(ROWS)
GRID_COLUMN: Mapping[str, int] = {name: column for column, name in enumerate(GRID_CHANNELS)}

# Channels in one order that does not depend on a request: the grid's columns, then what only the rules read.
CHANNEL_ORDER: Mapping[str, int] = {
    name: place
    for place, name in enumerate((*GRID_CHANNELS, *(name for name in CHANNELS if name not in GRID_CHANNELS)))
}

# A column name of the challenge, or one of our bedside names beside them, defines its unit: the canonical one.
_BY_NAME: Mapping[str, CodedChannel] = {
    name: CodedChannel(channel=channel, code=name, units=channel.units, default_unit=channel.unit)
    for name, channel in CHANNELS.items()
}
_BY_LOINC: Mapping[str, CodedChannel] = {
    coded.code: coded for row in ROWS for coded in codes_of(row, CHANNELS[row.name])
}
_BY_SYSTEM: Mapping[str, Mapping[str, CodedChannel]] = {CodeSystem.LOINC: _BY_LOINC, CodeSystem.CINC2019: _BY_NAME}
_NO_CODES: Mapping[str, CodedChannel] = {}

KNOWN_UNITS = frozenset(
    unit for coded in (*_BY_LOINC.values(), *_BY_NAME.values()) for unit in coded.units if unit
) | frozenset({"{score}", "d", "min", "mol/L", "g", "kg", "cm", "m", "mL", "L", "deg", "Pa", "bar", "meq", "[IU]/L"})

KNOWN_ANSWERS = frozenset(chain.from_iterable(channel.answers for channel in CHANNELS.values()))


def find(code_system: str, code: str) -> CodedChannel | None:
    """The channel that a code names, or None for a code that nothing here reads."""
    return _BY_SYSTEM.get(code_system, _NO_CODES).get(code)
