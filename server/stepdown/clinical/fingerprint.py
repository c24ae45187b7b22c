"""The digest that tells a repeated request from another one under the same id. Knows nothing of meaning."""

from array import array
from dataclasses import fields
from hashlib import sha256
from operator import attrgetter

from stepdown.domain.observations import ClinicalRequest, Indication, Observation

_HEAD = attrgetter(
    *(each.name for each in fields(ClinicalRequest) if each.name not in {"indication", "observations", "series"})
)
_INDICATION = attrgetter(*(each.name for each in fields(Indication)))
_OBSERVATION = attrgetter(*(each.name for each in fields(Observation)))


def payload_digest(request: ClinicalRequest) -> str:
    """SHA-256 in hex over everything the request says, in its order. One changed bit anywhere changes it.

    Decoded content counts, not wire bytes: the same message may be encoded in more than one way.
    """
    digest = sha256()
    head = (_HEAD(request), _INDICATION(request.indication), [_OBSERVATION(each) for each in request.observations])
    digest.update(repr(head).encode())
    for series in request.series:
        name = (series.field, series.code_system, series.code, series.unit, series.source)
        digest.update(repr((name, len(series.times_s), len(series.values))).encode())
        digest.update(array("d", series.times_s).tobytes())
        digest.update(array("d", series.values).tobytes())
    return digest.hexdigest()
