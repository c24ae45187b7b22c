"""What the publications say, written a second time and in another form than `rules.toml`: ranges of charted values.

Whole numbers stand for themselves, temperature, lactate and white cells are in tenths. Nothing here is read from the
product or from the rule bundles.
"""

from collections.abc import Mapping

Points = Mapping[int, tuple[range, ...]]

_ANY = 4_000  # beyond every charted value

NEWS2_RESP: Points = {
    3: (range(9), range(25, _ANY)),
    2: (range(21, 25),),
    1: (range(9, 12),),
    0: (range(12, 21),),
}
NEWS2_SPO2_SCALE_1: Points = {3: (range(92),), 2: (range(92, 94),), 1: (range(94, 96),), 0: (range(96, _ANY),)}
NEWS2_SPO2_SCALE_2_AIR: Points = {3: (range(84),), 2: (range(84, 86),), 1: (range(86, 88),), 0: (range(88, _ANY),)}
NEWS2_SPO2_SCALE_2_OXYGEN: Points = {
    3: (range(84), range(97, _ANY)),
    2: (range(84, 86), range(95, 97)),
    1: (range(86, 88), range(93, 95)),
    0: (range(88, 93),),
}
NEWS2_SBP: Points = {
    3: (range(91), range(220, _ANY)),
    2: (range(91, 101),),
    1: (range(101, 111),),
    0: (range(111, 220),),
}
NEWS2_HR: Points = {
    3: (range(41), range(131, _ANY)),
    2: (range(111, 131),),
    1: (range(41, 51), range(91, 111)),
    0: (range(51, 91),),
}
NEWS2_TEMP_TENTHS: Points = {
    3: (range(351),),
    2: (range(391, _ANY),),
    1: (range(351, 361), range(381, 391)),
    0: (range(361, 381),),
}
NEWS2_GCS: Points = {3: (range(15),), 0: (range(15, _ANY),)}
NEWS2_CODES = {"A": 0, "C": 3, "V": 3, "P": 3, "U": 3}

QSOFA_RESP: Points = {0: (range(22),), 1: (range(22, _ANY),)}
QSOFA_SBP: Points = {1: (range(101),), 0: (range(101, _ANY),)}
QSOFA_GCS: Points = {1: (range(15),), 0: (range(15, _ANY),)}

SIRS_TEMP_TENTHS: Points = {1: (range(360), range(381, _ANY)), 0: (range(360, 381),)}
SIRS_HR: Points = {0: (range(91),), 1: (range(91, _ANY),)}
SIRS_RESP: Points = {0: (range(21),), 1: (range(21, _ANY),)}
SIRS_PACO2: Points = {1: (range(32),), 0: (range(32, _ANY),)}
SIRS_WBC_TENTHS: Points = {1: (range(40), range(121, _ANY)), 0: (range(40, 121),)}
SIRS_BANDS: Points = {0: (range(11),), 1: (range(11, _ANY),)}

MEWS_SBP: Points = {
    3: (range(71),),
    2: (range(71, 81), range(200, _ANY)),
    1: (range(81, 101),),
    0: (range(101, 200),),
}
MEWS_HR: Points = {
    3: (range(130, _ANY),),
    2: (range(41), range(111, 130)),
    1: (range(41, 51), range(101, 111)),
    0: (range(51, 101),),
}
MEWS_RESP: Points = {
    3: (range(30, _ANY),),
    2: (range(9), range(21, 30)),
    1: (range(15, 21),),
    0: (range(9, 15),),
}
MEWS_TEMP_TENTHS: Points = {2: (range(350), range(385, _ANY)), 0: (range(350, 385),)}
MEWS_CODES = {"A": 0, "V": 1, "P": 2, "U": 3}

LACTATE_TENTHS: Points = {0: (range(21),), 1: (range(21, 40),), 2: (range(40, _ANY),)}


def points(table: Points, charted: int) -> int:
    """The points that the publication gives a charted value."""
    (found,) = (earned for earned, spans in table.items() if any(charted in span for span in spans))
    return found


def news2_band(total: int, *, single_three: bool) -> str:
    """RCP 2017, chart 2."""
    if total >= 7:
        return "HIGH"
    if total >= 5:
        return "MEDIUM"
    return "LOW_MEDIUM" if single_three else "LOW"
