"""Arrays, ids and words as scripts have them: masked, read-only, from HDF5, with gaps."""

import numpy as np
import pandas as pd
import pytest
from astropy import units

from astronomaly_widgets import Session, embedding
from astronomaly_widgets._protocols import LearnerScores

N = 60


def features():
    return np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_a_masked_value_is_a_missing_one_whatever_lies_under_the_mask(dtype):
    X = np.ma.masked_array((10 * features()).astype(dtype), mask=np.zeros((N, 3), bool))
    X.data[7, 1] = 30_000
    X.mask[7, 1] = True
    session = Session(X)
    assert session.set_aside.index.tolist() == ["7"]
    assert type(session.features) is np.ndarray
    assert np.abs(session.features).max() < 1000
    session.close()


@pytest.mark.parametrize("make", [lambda X: X * units.Jy, np.asfortranarray])
def test_features_of_a_kind_of_their_own_become_plain_ones(make):
    session, plain = Session(make(features())), Session(features())
    for each in (session, plain):
        each.label("3", 5)
        each.label("4", 0)
        each.retrain().result(60)
    assert session.similar_to("3").tolist() == plain.similar_to("3").tolist()
    np.testing.assert_array_equal(session.trained_score, plain.trained_score)
    session.close()
    plain.close()


def test_two_columns_of_one_name_are_two_features():
    session = Session(pd.DataFrame(features(), columns=["g", "g", "r"]))
    assert session.feature_names == ("g", "g", "r")
    session.close()


def test_a_learner_that_changes_what_it_is_given_does_not_change_the_search():
    class Careless:
        def fit(self, X, rows, y, anomaly_score):
            X -= X.mean(axis=0)
            return self

        def score(self, X, anomaly_score):
            anomaly_score *= 2
            return LearnerScores(*[anomaly_score] * 4)

    class CarelessOfScores(Careless):
        def fit(self, X, rows, y, anomaly_score):
            return self

    X = features()
    for learner in (Careless(), CarelessOfScores()):
        session = Session(X, anomaly_score=np.linspace(0, 5, N), learner=learner)
        session.label("3", 5)
        with pytest.raises(ValueError, match="read-only"):
            session.retrain().result(60)
        np.testing.assert_array_equal(session.features, X)
        assert session.anomaly_score.max() == 5
        session.close()
    X[0] = 0  # it is still the person's own


ARRAYS = ("object_ids", "features", "anomaly_score", "trained_score", "relevance", "uncertainty")


def test_who_changes_an_array_of_a_session_does_not_change_the_search(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "compute", lambda X, **_: np.zeros((len(X), 2), np.float32))
    session = Session(features(), anomaly_score=np.linspace(0, 5, N), project=tmp_path / "p")
    session.label_many(["3", "4"], 5)
    for step in (session.retrain, session.start_embedding, session.close):
        for name in ARRAYS:
            with pytest.raises(ValueError, match="read-only"):
                getattr(session, name)[:] = 0
        with pytest.raises(ValueError, match="read-only"):
            np.random.default_rng(0).shuffle(session.object_ids)
        for rows in (session.best_embedding, session.ranking_rows(unlabeled_first=False)):
            with pytest.raises(ValueError, match="read-only"):
                rows[:] = 0
        for known in session.label_sequence():
            known[:] = 0
        assert session.n_found == 2
        future = step()
        if future is not None:
            future.result(120)
    again = Session.open(tmp_path / "p")
    assert not any(getattr(again, name).flags.writeable for name in ARRAYS)
    again.close()


YES = np.arange(N) < 5
NAMES = [f"star-{k}" for k in range(N)]


@pytest.mark.parametrize(
    "truth",
    [
        np.where(YES, 1.0, np.nan),
        pd.array(np.where(YES, True, None), dtype="boolean"),
        pd.Series(np.where(YES, 1.0, np.nan), index=NAMES),
        pd.Series(YES, index=NAMES).astype("boolean").where(YES),
        pd.Series(True, index=NAMES[:5])[::-1],
        dict.fromkeys([*NAMES[:5], "gone"], True),
    ],
)
def test_what_is_not_known_to_be_true_is_not(truth):
    session = Session(features(), NAMES, truth=truth)
    assert np.flatnonzero(session.truth).tolist() == [0, 1, 2, 3, 4]
    session.close()


@pytest.mark.parametrize("first", [0, 1000])
def test_truth_by_number_belongs_to_the_objects_whose_ids_are_these_numbers(first):
    X = features()
    X[2, 0] = np.nan  # is set aside, and moves no truth
    numbers = np.arange(first, first + N)
    session = Session(pd.DataFrame(X, index=numbers), truth=pd.Series(YES, index=numbers))
    assert session.ids_of(np.flatnonzero(session.truth)).tolist() == [
        str(first + k) for k in (0, 1, 3, 4)
    ]
    session.close()


def test_truth_of_other_objects_is_refused():
    with pytest.raises(ValueError, match="it is of '0', '1', '2', but the objects are 'star-0',"):
        Session(features(), NAMES, truth=pd.Series(YES))


@pytest.mark.parametrize("kind", [list, lambda names: np.array(names, dtype=object)])
def test_ids_may_be_bytes_as_hdf5_has_them(kind):
    session = Session(features(), kind([name.encode() for name in NAMES]))
    assert session.object_ids.tolist() == NAMES
    session.close()
    with pytest.raises(ValueError, match="not text that can be stored"):
        Session(features()[:1], kind([b"\xff"]))


def test_a_number_where_an_id_belongs_is_answered_with_an_id():
    session = Session(features())
    with pytest.raises(KeyError, match="no object 5 among 60: ids are text, such as '0'"):
        session.label(5, 3)
    session.close()


def test_no_comment_is_stored_as_none():
    session = Session(features())
    session.label("5", 3, comment=None)
    assert session.label_of("5").comment == ""
    session.close()
