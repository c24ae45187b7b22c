"""The document that integrators and clinicians read says what the table says."""

from stepdown.clinical.channels import CHANNELS, ROWS
from stepdown.clinical.markdown import channel_document


def test_every_channel_code_and_unit_is_in_the_document() -> None:
    document = channel_document()
    for row in ROWS:
        (line,) = (line for line in document.splitlines() if line.startswith(f"| `{row.name}` |"))
        assert row.title in line
        assert all(code in line for code in row.loinc)
        assert all(f"`{unit}`" in line for unit in CHANNELS[row.name].units if unit and row.numeric)


def test_limits_and_columns_are_those_of_the_table() -> None:
    lines = channel_document().splitlines()
    assert (
        "| `Temp` | Body temperature | 3 | 8310-5 | `Cel`, `[degF]`, `K` | 10 to 47 | 32 to 42 | 0.1 | vital sign |"
        in lines
    )
    assert any("up to 20 |  | laboratory |" in line and "`Creatinine`" in line for line in lines)


def test_every_line_of_a_table_has_as_many_cells() -> None:
    table = [line for line in channel_document().splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {10, 3}
    assert "| C | `C`, `130987000`, `LA6560-2` |" in table
