"""Normal densities and mixtures of them, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from personae.cues.normal import log_density, pool_normals

COMPONENTS = st.tuples(
    st.floats(0.01, 10, allow_subnormal=False),
    st.floats(-2, 2, allow_subnormal=False),
    st.floats(0.01, 2, allow_subnormal=False),
)


@given(st.floats(-3, 3, allow_subnormal=False), st.floats(0.05, 2, allow_subnormal=False))
def test_log_density_is_that_of_a_normal(mean: float, deviation: float) -> None:
    x = np.linspace(-3, 3, 13)
    found = log_density(x, (mean, deviation))
    np.testing.assert_allclose(found, norm.logpdf(x, mean, deviation), rtol=1e-9, atol=1e-9)


@given(st.lists(COMPONENTS, min_size=1, max_size=4))
def test_pooled_moments_are_those_of_the_mixture(
    components: list[tuple[float, float, float]],
) -> None:
    total = sum(weight for weight, _, _ in components)
    mean = sum(weight / total * m for weight, m, _ in components)
    square = sum(weight / total * (s**2 + m**2) for weight, m, s in components)
    found = pool_normals(*components)
    assert found[0] == pytest.approx(mean, abs=1e-9)
    assert found[1] ** 2 == pytest.approx(square - mean**2, rel=1e-6, abs=1e-9)


def test_components_without_weight_count_the_same() -> None:
    assert pool_normals((0, 1.0, 0.1), (0, 3.0, 0.1)) == pool_normals((2, 1.0, 0.1), (2, 3.0, 0.1))
