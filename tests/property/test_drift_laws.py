"""Laws of the drift statistics: never negative, zero for equal, symmetric, always finite."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from stepdown.drift.divergence import jensen_shannon, kolmogorov_smirnov, psi
from stepdown.drift.input_monitor import InputMonitor
from stepdown.drift.policy import DriftPolicy
from tests.fakes.drift_references import reference

COUNTS = arrays(np.int64, 8, elements=st.integers(0, 1_000_000))
ANY_NUMBER = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(0.0))


@given(COUNTS, COUNTS)
def test_distances_are_symmetric_and_never_negative(one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    for distance in (psi, jensen_shannon, kolmogorov_smirnov):
        there, back = float(distance(one, other)), float(distance(other, one))
        assert np.isfinite(there)
        assert there >= 0
        assert abs(there - back) <= 1e-9 * max(there, 1)
        assert distance(one, one) == 0


@given(arrays(np.float64, (20, 3), elements=ANY_NUMBER), arrays(np.float64, (20, 3), elements=ANY_NUMBER))
def test_whatever_is_seen_every_figure_is_finite(values: NDArray[np.float64], ages_h: NDArray[np.float64]) -> None:
    watched = InputMonitor(reference(), DriftPolicy())
    watched.observe(values, ages_h, np.arange(20), now_s=0.0)
    for comparison in watched.comparisons():
        for each in comparison.readings():
            assert np.isfinite((each.size, each.psi, each.jensen_shannon, each.shift, each.nats)).all()
