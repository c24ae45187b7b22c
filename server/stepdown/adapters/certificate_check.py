"""How long the server's own certificates are still good, and an alarm while there is time to renew them.

Read anew at each look, since they are renewed under a running server. Refuses to judge whether they are the right ones.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography import x509

from stepdown.domain.alarms import Alarm, AlarmKind
from stepdown.domain.drills import FaultInjection
from stepdown.ports import Clock

WARNING_S = 30 * 86_400.0
_DAY_S = 86_400.0


class CertificateCheck:
    """Meets `ports.Sufferer` too: a drill can make the server's certificate seem near its end."""

    def __init__(self, files: Mapping[str, Path], *, clock: Clock) -> None:
        """`files`: PEM certificates by what they are for. The first is the server's own."""
        self._files = files
        self._clock = clock
        self._drill_end_s: float | None = None

    def remaining_s(self) -> dict[str, float]:
        """Seconds until the first certificate of each file ends; below zero after. A file that cannot be read has none.

        The wall clock decides, as it does for everyone who is shown the certificate.
        """
        now_s = self._clock.wall_s()
        left = {}
        for name, file in self._files.items():
            end_s = _end_s(file)
            if end_s is not None:
                left[name] = end_s - now_s
        if self._drill_end_s is not None and left:
            left[next(iter(self._files))] = self._drill_end_s - now_s
        return left

    def alarms(self) -> Iterator[Alarm]:
        """One for each file that ends within 30 days or cannot be read."""
        left = self.remaining_s()
        for name, file in self._files.items():
            if name not in left:
                yield Alarm(
                    kind=AlarmKind.CERTIFICATE_EXPIRING, subject=name, detail=f"{file} holds no certificate now"
                )
            elif left[name] < WARNING_S:
                days = f"{left[name] / _DAY_S:.1f} days"
                yield Alarm(kind=AlarmKind.CERTIFICATE_EXPIRING, subject=name, detail=f"{file} ends in {days}")

    def begin(self, injection: FaultInjection) -> None:
        """Let the server's certificate seem to end so many days from now."""
        self._drill_end_s = self._clock.wall_s() + injection.days_left * _DAY_S

    def end(self, injection: FaultInjection) -> None:
        """Tell the truth again."""
        del injection
        self._drill_end_s = None


def _end_s(file: Path) -> float | None:
    """When the first of the file's certificates to end does, in Unix time."""
    try:
        held = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        return None
    return min(each.not_valid_after_utc.timestamp() for each in held)
