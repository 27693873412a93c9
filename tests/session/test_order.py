"""The fast order is the order NumPy gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from astronomaly_widgets.session._order import descending

FLOATS = st.floats(width=32) | st.sampled_from([0.0, -0.0, 1.0, np.nan, np.inf, -np.inf])


@given(hnp.arrays(np.float32, st.integers(0, 60), elements=FLOATS))
def test_order_is_the_stable_one_from_large_to_small(values):
    assert descending(values).tolist() == np.argsort(-values, kind="stable").tolist()


def test_ties_among_many_keep_their_order():
    values = np.random.default_rng(0).integers(-3, 4, 200_000).astype(np.float32)
    assert np.array_equal(descending(values), np.argsort(-values, kind="stable"))


def test_doubles_are_ordered_as_single_precision():
    assert descending([1.0, 1.0 + 1e-12, 2.0]).tolist() == [2, 0, 1]
