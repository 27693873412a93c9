from collections import Counter

import numpy as np
import pytest

from astronomaly_widgets import simulation

X = np.linspace(0, 1, 100)


@pytest.fixture(scope="module")
def curves():
    return simulation.make_curves(random_state=0)


def of_class(curves, name):
    return curves.values[curves.classes == name].astype(float)


def test_the_classes_are_as_many_as_in_table_1(curves):
    assert Counter(curves.classes) == {
        "sine": 25_000,
        "parabola": 24_500,
        "step": 150,
        "exponential": 150,
        "five_sines": 150,
    }
    assert curves.values.shape == (49_950, 100)
    assert curves.values.dtype == np.float32
    assert np.isfinite(curves.values).all()


def test_each_class_has_its_score(curves):
    scores = {name: set(curves.scores[curves.classes == name]) for name in set(curves.classes)}
    assert scores == {
        "sine": {0.0},
        "parabola": {0.0},
        "step": {3.0},
        "exponential": {0.0},
        "five_sines": {5.0},
    }


def test_ids_are_unique_and_say_nothing_of_the_class(curves):
    assert len(set(curves.object_ids)) == len(curves.object_ids)
    where = np.flatnonzero(curves.scores)
    assert abs(where.mean() / len(curves.object_ids) - 0.5) < 0.05


def test_the_same_seed_gives_the_same_curves(curves):
    again = simulation.make_curves(random_state=0)
    np.testing.assert_array_equal(again.values, curves.values)
    np.testing.assert_array_equal(again.classes, curves.classes)
    assert not np.array_equal(simulation.make_curves(random_state=1).values, curves.values)


def test_sines_start_at_zero_with_the_slope_of_their_frequency(curves):
    values = of_class(curves, "sine")
    np.testing.assert_allclose(values[:, 0].mean(), 0, atol=0.005)
    np.testing.assert_allclose(values[:, 0].std(), 0.1, atol=0.005)  # noise alone
    # the mean over w ~ N(5, 2) of sin(w x) is sin(5 x) exp(-2 x^2)
    np.testing.assert_allclose(values.mean(axis=0), np.sin(5 * X) * np.exp(-2 * X**2), atol=0.02)


def test_parabolas_have_the_moments_of_their_parameters(curves):
    values = of_class(curves, "parabola")
    np.testing.assert_allclose(values.mean(axis=0), 0.5 * X**2 + 0.5 * X, atol=0.02)
    variance = 0.2**2 * (X**4 + X**2 + 1) + 0.1**2
    np.testing.assert_allclose(values.var(axis=0), variance, rtol=0.1)


def test_steps_end_at_zero_and_start_at_their_height(curves):
    values = of_class(curves, "step")
    assert 0.8 < values[:, 0].mean() < 1.1  # a few start beyond their edge
    # x0 ~ N(.5, .2): by x = 1 nearly all have stepped down
    assert abs(np.median(values[:, -1])) < 0.05
    assert 0.35 < values.mean() < 0.6


def test_exponentials_fall_from_near_the_left_edge(curves):
    values = of_class(curves, "exponential")
    assert 0.4 < values[:, 10].mean() < 0.6  # A ~ N(.5, .2) around mu = .1
    assert values[:, 10].mean() > values[:, -1].mean()


def test_sums_of_sines_have_the_variance_of_five(curves):
    values = of_class(curves, "five_sines")
    # .2 times five sines of nearly random phase: variance .04 * 5 / 2, and the noise
    np.testing.assert_allclose(values[:, 50:].var(), 0.04 * 5 / 2 + 0.01, rtol=0.15)
    assert abs(values[:, 0].mean()) < 0.03


def test_shifted_exponentials_are_narrow_bumps_and_nothing_else_changes():
    printed = simulation.make_curves(0)
    shifted = simulation.make_curves(0, as_printed=False)
    bump = shifted.classes == "exponential"
    np.testing.assert_array_equal(printed.classes, shifted.classes)
    wide = (printed.values[bump] > printed.values[bump].max(axis=1, keepdims=True) / 2).mean()
    narrow = (shifted.values[bump] > shifted.values[bump].max(axis=1, keepdims=True) / 2).mean()
    assert narrow < wide / 2
