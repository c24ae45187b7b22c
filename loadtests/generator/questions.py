"""What is asked: every hour of every stay of a folder, serialised once."""

from datetime import UTC, datetime
from itertools import count, zip_longest
from pathlib import Path
from uuid import uuid4

from loadtests.frames import request_frame
from stepdown.api.v1.observations_pb2 import Urgency
from stepdown.client.psv import read_stay


class Questions:
    """An endless supply: hour by hour over all stays, again and again. Every round asks the same."""

    def __init__(self, stays: Path, *, pathway: str) -> None:
        """Read the folder. Raises: StayFormatError, OSError, ValueError for a folder without stays."""
        ending = datetime.now(UTC)
        per_stay = [list(read_stay(path).requests(ending=ending)) for path in sorted(stays.glob("*.psv"))]
        self._templates = []
        for hour in (hour for hours in zip_longest(*per_stay) for hour in hours if hour is not None):
            hour.pathway = pathway
            hour.ClearField("request_id")
            self._templates.append(hour.SerializeToString())
        if not self._templates:
            raise ValueError(f"{stays} holds no stay (.psv)")
        self._next = count()

    def next(self, urgency: str) -> tuple[str, bytes]:
        """A request id that nobody used before, and the request."""
        request_id = str(uuid4())
        template = self._templates[next(self._next) % len(self._templates)]
        wire = Urgency.Value(f"URGENCY_{urgency.upper()}")
        return request_id, request_frame(template, request_id=request_id, urgency=wire)
