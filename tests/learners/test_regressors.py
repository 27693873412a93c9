import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from astronomaly_widgets.learners import NeighborScore, _regressors

each_name = pytest.mark.parametrize("name", _regressors.NAMES)


def survey(n=400, n_labels=60):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3)).astype("float32")
    taste = 5 / (1 + np.exp(-2 * X[:, 0]))
    S = rng.uniform(1, 5, n).astype("float32")
    return X, S, rng.permutation(n)[:n_labels], taste


@each_name
def test_every_regressor_learns_a_simple_taste(name):
    X, S, rows, taste = survey()
    scores = NeighborScore(regressor=name).fit(X, rows, taste[rows], S).score(X, S)
    assert np.corrcoef(scores.relevance, taste)[0, 1] > 0.85
    assert ((scores.relevance >= 0) & (scores.relevance <= 5)).all()


@each_name
@pytest.mark.parametrize("n_labels", [1, 2, 4])
def test_a_handful_of_labels_will_do(name, n_labels):
    X, S, rows, taste = survey(n_labels=n_labels)
    scores = NeighborScore(regressor=name).fit(X, rows, taste[rows], S).score(X, S)
    assert np.isfinite(scores.trained_score).all()


@each_name
def test_the_same_seed_predicts_the_same(name):
    X, S, rows, taste = survey()
    first, second = (
        NeighborScore(regressor=name, random_state=5).fit(X, rows, taste[rows], S).score(X, S)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.relevance, second.relevance)


@pytest.mark.parametrize(
    "regressor",
    [
        LinearRegression(),
        KNeighborsRegressor(3),
        ExtraTreesRegressor(20, random_state=1, bootstrap=True),
        RandomForestRegressor(20, random_state=1),
        make_pipeline(StandardScaler(), KNeighborsRegressor(3)),
    ],
    ids=lambda regressor: type(regressor).__name__,
)
def test_an_object_predicts_as_it_does_on_its_own(regressor):
    X, S, rows, taste = survey()
    scores = NeighborScore(regressor=regressor).fit(X, rows, taste[rows], S).score(X, S)
    alone = regressor.fit(X[rows], taste[rows]).predict(X)
    np.testing.assert_allclose(scores.relevance, np.clip(alone, 0, 5), rtol=1e-4, atol=1e-5)


def test_an_object_stays_as_it_is_and_is_seeded():
    X, S, rows, taste = survey()
    network = MLPRegressor(hidden_layer_sizes=(5,), max_iter=2000, tol=1e-2)
    mine = make_pipeline(StandardScaler(), network)

    def relevance(seed):
        learner = NeighborScore(regressor=mine, random_state=seed)
        return learner.fit(X, rows, taste[rows], S).score(X, S).relevance

    first, again, other = relevance(1), relevance(1), relevance(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert mine.get_params()["mlpregressor__random_state"] is None
    assert not hasattr(mine[-1], "coefs_")


def test_its_own_seed_is_respected():
    mine = RandomForestRegressor(random_state=7)
    assert _regressors.make(mine, 10, 100, 3).random_state == 7


def test_an_unknown_name_lists_the_known_ones():
    X, S, rows, taste = survey()
    with pytest.raises(ValueError, match=r"no regressor 'forest'; there are: extra_trees, .*ridge"):
        NeighborScore(regressor="forest").fit(X, rows, taste[rows], S)


@pytest.mark.parametrize("wrong", [None, 3, RandomForestRegressor])
def test_what_cannot_regress_is_refused_with_advice(wrong):
    X, S, rows, taste = survey()
    with pytest.raises(TypeError, match="is not a regressor; give one of extra_trees"):
        NeighborScore(regressor=wrong).fit(X, rows, taste[rows], S)


class Odd(LinearRegression):
    def predict(self, X):
        return np.full((len(X), 2), 3.0)


class Lost(LinearRegression):
    def predict(self, X):
        return np.full(len(X), np.nan)


@pytest.mark.parametrize("regressor", [Odd(), Lost()])
def test_nonsense_is_not_passed_on(regressor):
    X, S, rows, taste = survey()
    learner = NeighborScore(regressor=regressor).fit(X, rows, taste[rows], S)
    with pytest.raises(ValueError, match="one finite number per object is wanted"):
        learner.score(X, S)
