"""What is believed of one encounter so far, filled in by the screens. Judges codes; the screens judge values."""

from stepdown.clinical.channel import Channel, CodedChannel
from stepdown.clinical.channels import find
from stepdown.clinical.findings import Findings
from stepdown.clinical.laboratory_channels import IONISED_CALCIUM_CODES
from stepdown.clinical.loinc import is_well_formed
from stepdown.clinical.readings import Readings
from stepdown.clinical.timings import Timings
from stepdown.clinical.window import Window
from stepdown.domain.observations import CodeSystem
from stepdown.domain.reasons import InputIssue


class Chart:
    """Readings by channel, and the findings made on the way. `wrong_patient`: something was retracted as another's."""

    __slots__ = ("_readings", "findings", "timings", "window", "wrong_patient")

    def __init__(self, *, window: Window, findings: Findings) -> None:
        """Start with nothing believed."""
        self.window = window
        self.timings = Timings(window)
        self.findings = findings
        self.wrong_patient = False
        self._readings: dict[str, Readings] = {}

    def readings_of(self, channel: Channel) -> Readings:
        """The readings of a channel, to add to."""
        readings = self._readings.get(channel.name)
        if readings is None:
            readings = self._readings[channel.name] = Readings(channel=channel)
        return readings

    def all_readings(self) -> tuple[Readings, ...]:
        """Every channel that anything was said about."""
        return tuple(self._readings.values())

    def coded_channel(self, code_system: str, code: str, *, field: str, count: int = 1) -> CodedChannel | None:
        """The channel that a code names; None, with the code dropped, if it names none."""
        coded = find(code_system, code)
        if coded is not None:
            return coded
        if code_system == CodeSystem.LOINC and not is_well_formed(code):
            hint = "not a LOINC code: its shape or its check digit is wrong"
            self.findings.drop(InputIssue.CODE_INVALID, field=field, channel="", hint=hint, count=count)
        elif code_system == CodeSystem.LOINC and code in IONISED_CALCIUM_CODES:
            hint = "ionised calcium is another analyte; send total calcium (LOINC 17861-6)"
            self.findings.drop(InputIssue.CODE_UNSUPPORTED, field=field, channel="", hint=hint, count=count)
        else:
            self.findings.drop_unsupported(field=field, count=count)
        return None
