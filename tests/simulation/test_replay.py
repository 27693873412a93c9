import numpy as np
import pytest

from astronomaly_widgets import Session
from astronomaly_widgets.learners import DirectRegression
from astronomaly_widgets.simulation import replay


@pytest.fixture
def session():
    """Labeled from the top of the anomaly score, where what is liked comes last."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)).astype("float32")
    X[:20] += [4, 0, 0]
    S = np.linspace(0, 5, 300)
    labeled = Session(X, anomaly_score=S)
    for row in range(299, -1, -2):
        labeled.label(str(row), 5 if row < 20 else 0)
    yield labeled
    labeled.close()


def test_every_learner_finds_all_in_the_end_and_a_good_one_sooner(session):
    curves = replay(session, batch_size=15)
    assert list(curves.columns) == ["as it was", "auto", "neighbor_score", "direct_regression"]
    assert curves.index.tolist() == list(range(151))
    assert (curves.iloc[0] == 0).all()
    assert (curves.iloc[-1] == 10).all()
    assert (curves.diff().iloc[1:].isin([0, 1])).all().all()
    assert curves["auto"][100] > curves["as it was"][100] == 0


def test_a_replay_changes_nothing(session):
    before = session.labels, list(session.ranking()), len(session.history)
    replay(session, ["neighbor_score"], batch_size=50)
    assert session.labels.equals(before[0])
    assert list(session.ranking()) == before[1]
    assert len(session.history) == before[2]


def test_a_learner_of_ones_own_takes_part(session):
    curves = replay(session, [DirectRegression(xi=1.0)], batch_size=50)
    assert list(curves.columns) == ["as it was", "DirectRegression"]


def test_without_labels_there_is_nothing_to_replay():
    session = Session(np.zeros((5, 2)))
    assert replay(session).to_numpy().tolist() == [[0, 0, 0, 0]]
    session.close()


def test_a_batch_of_none_is_refused(session):
    with pytest.raises(ValueError, match="batch_size is 0"):
        replay(session, batch_size=0)
