"""A rule set that uses every clause of the format, to be broken one clause at a time."""

SUM = """\
schema = "stepdown/rules/v1"
id = "sample"
title = "Sample score"
variant = "sample-1"
kind = "sum"
purpose = "Shows every clause."
population = "Nobody."
scope_limits = ["Not for use."]
hard_trigger_total = 7
source = { authors = "A", title = "T", published = "2026", identifier = "none" }
undetermined = { classification = "open", response = "Measure." }
citation = [{ key = "table-1", text = "Table 1" }, { key = "overlay", text = "Overlay" }]

[single_parameter]
points = 3
total_at_least = 3
total_at_most = 4
band = "LOW_MEDIUM"
classification = "single"
response = "Look at it."
cites = ["table-1"]

[[parameter]]
title = "Saturation"
cites = ["table-1"]
missing = { minimum = 0, maximum = 3 }
[[parameter.reading]]
channel = "O2Sat"
unit = "%"
resolution = 1
depends_on = "SupplementalOxygen"
[[parameter.reading.table]]
spo2_scale = 1
bands = [{ at_most = 91, points = 3 }, { at_least = 92, points = 0 }]
[[parameter.reading.table]]
spo2_scale = 2
given = "air"
bands = [{ at_most = 87, points = 3 }, { at_least = 88, points = 0 }]
[[parameter.reading.table]]
spo2_scale = 2
given = "oxygen"
bands = [{ at_most = 87, points = 3 }, { at_least = 88, at_most = 92, points = 0 }, { at_least = 93, points = 3 }]

[[parameter]]
title = "Oxygen"
cites = ["table-1"]
missing = { minimum = 0, maximum = 2 }
[[parameter.reading]]
channel = "SupplementalOxygen"
resolution = 1
[[parameter.reading.table]]
bands = [{ label = "air", at_most = 0, points = 0 }, { label = "oxygen", at_least = 1, points = 2 }]

[[parameter]]
title = "Consciousness"
cites = ["table-1"]
missing = { minimum = 0, maximum = 3 }
combine = "first-present"
[[parameter.reading]]
channel = "Consciousness"
[[parameter.reading.table]]
codes = { A = 0, V = 1, P = 2, U = 3 }
unscored = { C = "the source does not know it" }
[[parameter.reading]]
channel = "GCS"
unit = "{score}"
resolution = 1
[[parameter.reading.table]]
bands = [{ below = 15, points = 3 }, { at_least = 15, points = 0 }]

[[outcome]]
at_least = 0
at_most = 4
band = "LOW"
classification = "low"
response = "Wait."
cites = ["table-1"]

[[outcome]]
at_least = 5
at_most = 6
band = "MEDIUM"
classification = "medium"
response = "Look soon."
cites = ["table-1"]

[[outcome]]
at_least = 7
at_most = 8
band = "HIGH"
classification = "high"
response = "Act."
cites = ["table-1"]

[[overlay]]
rule_set = "lactate"
classification = "raised"
total_at_least = 5
band = "HIGH"
cites = ["overlay"]
"""

QUOTIENT = """\
schema = "stepdown/rules/v1"
id = "ratio"
title = "Sample ratio"
variant = "ratio-1"
kind = "quotient"
purpose = "Shows every clause."
population = "Nobody."
scope_limits = ["Not for use."]
source = { authors = "A", title = "T", published = "2026", identifier = "none" }
undetermined = { classification = "open", response = "Measure." }
citation = [{ key = "table-1", text = "Table 1" }]

[quotient]
title = "One over the other"
numerator = { channel = "HR", unit = "/min" }
denominator = { channel = "SBP", unit = "mm[Hg]" }
maximum_apart_s = 60
invalid_classification = "invalid"
cites = ["table-1"]

[[outcome]]
at_most = 0.5
band = "LOW"
classification = "low"
response = "Wait."
cites = ["table-1"]

[[outcome]]
above = 0.5
band = "HIGH"
classification = "high"
response = "Act."
cites = ["table-1"]
"""


def replaced(text: str, old: str, new: str) -> bytes:
    """The text with its first `old` replaced; `old` must be there, or the test would break nothing."""
    if old not in text:
        raise AssertionError(old)
    return text.replace(old, new, 1).encode()
