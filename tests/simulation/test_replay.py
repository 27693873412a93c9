import numpy as np
import pytest

from astronomaly_widgets import Session, _display, batches
from astronomaly_widgets.learners import AnomalyScore, DirectRegression, RandomOrder
from astronomaly_widgets.simulation import Replay, replay


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


def quietly(*arguments, **more):
    return replay(*arguments, progress=False, **more)


def test_every_learner_finds_all_in_the_end_and_a_good_one_sooner(session):
    played = quietly(session, batch_size=15)
    curves = played.curves
    learners = ["auto", "neighbor_score", "direct_regression", "anomaly_score"]
    assert list(curves.columns) == ["as it was", *learners, "at random"]
    assert curves.index.tolist() == list(range(151))
    assert (curves.iloc[0] == 0).all()
    assert (curves.iloc[-1] == 10).all()
    assert (curves[learners].diff().iloc[1:].isin([0, 1])).all().all()
    assert curves["auto"][100] > curves["as it was"][100] == 0
    assert (played.n_labels, played.n_interesting, played.batch_size) == (150, 10, 15)


def test_the_anomaly_score_alone_goes_down_the_anomaly_score(session):
    """The person did just that, so the two curves are the same."""
    curves = quietly(session, ["anomaly_score"], batch_size=7).curves
    np.testing.assert_array_equal(curves["anomaly_score"], curves["as it was"])


def test_a_random_order_finds_on_average_what_is_found_at_random(session):
    orders = {f"seed {seed}": RandomOrder(seed) for seed in range(60)}
    curves = quietly(session, orders, batch_size=150).curves
    mean = curves[list(orders)].mean(axis=1)
    assert (mean - curves["at random"]).abs().max() < 1  # 4 standard errors at half way


def test_the_order_of_labeling_leaks_to_no_learner(session):
    """Whoever labeled the same objects in another order gets the same curves."""
    reverse = Session(session.features, anomaly_score=session.anomaly_score)
    ids, scores = session.label_sequence()
    for object_id, score in list(zip(ids, scores, strict=True))[::-1]:
        reverse.label(object_id, score)
    first, second = (
        quietly(each, ["auto", "anomaly_score"], batch_size=40).curves
        for each in (session, reverse)
    )
    reverse.close()
    assert first[["auto", "anomaly_score"]].equals(second[["auto", "anomaly_score"]])
    assert not first["as it was"].equals(second["as it was"])


def test_a_learner_is_told_the_labels_in_the_order_of_the_survey(session):
    """As in a search, so that the same labels teach the same."""

    class Watcher(AnomalyScore):
        told = ()

        def fit(self, X, rows, y, anomaly_score):
            Watcher.told = (*Watcher.told, rows.tolist())
            return super().fit(X, rows, y, anomaly_score)

    quietly(session, [Watcher()], batch_size=50)
    assert [len(rows) for rows in Watcher.told] == [0, 50, 100]
    assert all(rows == sorted(rows) for rows in Watcher.told)


def test_learners_see_the_survey_and_not_only_what_was_labeled(session):
    """Only labeled objects are shown, but there are others round them."""

    class Watcher(AnomalyScore):
        seen = ()

        def score(self, X, anomaly_score):
            Watcher.seen = X
            return super().score(X, anomaly_score)

    quietly(session, [Watcher()], batch_size=50)
    assert len(Watcher.seen) == 300
    assert {row.tobytes() for row in Watcher.seen} == {
        row.tobytes() for row in np.asarray(session.features)
    }


def test_a_replay_changes_nothing(session):
    before = session.labels, list(session.ranking()), len(session.history)
    quietly(session, ["neighbor_score"], batch_size=50)
    assert session.labels.equals(before[0])
    assert list(session.ranking()) == before[1]
    assert len(session.history) == before[2]


def test_the_same_labels_give_the_same_replay(session):
    first, second = (quietly(session, ["auto", "random"], batch_size=50) for _ in range(2))
    assert first.curves.equals(second.curves)


def test_learners_of_ones_own_take_part_under_their_names(session):
    own = DirectRegression(xi=1.0)
    curves = quietly(session, [own, DirectRegression(xi=0.0)], batch_size=50).curves
    names = ["as it was", "DirectRegression", "DirectRegression 2", "at random"]
    assert list(curves.columns) == names
    curves = quietly(session, {"greedy": DirectRegression(xi=0.0)}, batch_size=50).curves
    assert list(curves.columns) == ["as it was", "greedy", "at random"]
    assert list(quietly(session, "random", batch_size=50).curves)[1] == "random"


def test_a_learner_may_start_in_its_own_way(session):
    cold = {start: DirectRegression(cold_start=start) for start in ("anomaly_score", "random")}
    curves = quietly(session, cold, batch_size=75, strategy="top").curves
    assert curves["anomaly_score"][75] == 0  # the liked are the least anomalous
    assert curves["random"][75] > 0


def test_without_labels_there_is_nothing_to_replay():
    session = Session(np.zeros((5, 2)))
    played = quietly(session)
    assert played.curves.to_numpy().tolist() == [[0] * 6]
    assert played.needed().isna().all(axis=None)
    session.close()


def test_labels_of_objects_that_are_gone_are_left_out(tmp_path):
    X = np.random.default_rng(0).normal(size=(30, 2))
    first = Session(X, [f"o{i}" for i in range(30)], project=tmp_path / "p")
    for i in range(0, 30, 2):
        first.label(f"o{i}", 5 if i < 8 else 0)
    first.close()
    fewer = Session(X[:20], [f"o{i}" for i in range(20)], project=tmp_path / "p")
    played = quietly(fewer, ["auto"], batch_size=4)
    fewer.close()
    assert (played.n_labels, played.n_interesting) == (10, 4)


def test_the_number_of_labels_needed_is_read_off_the_curves(session):
    played = quietly(session, ["anomaly_score"], batch_size=50)
    needed = played.needed([0.5, 1.0])
    assert needed.loc["as it was"].tolist() == [145, 150]
    assert needed.loc["at random"].tolist() == [75, 150]
    for name, curve in played.curves.items():
        assert curve[needed.loc[name, 0.5]] >= 5 > curve[needed.loc[name, 0.5] - 1]


@pytest.mark.parametrize("wrong", [0.0, 1.5, -1])
def test_a_share_that_is_none_is_refused(session, wrong):
    with pytest.raises(ValueError, match="give fractions above 0 and up to 1"):
        quietly(session, ["random"], batch_size=50).needed(wrong)


def test_a_replay_says_in_words_what_it_cannot_say(session, monkeypatch):
    played = quietly(session, ["random"], batch_size=50)
    assert "Only the 150 labeled objects can be shown again" in played.caveat
    assert "too few" not in played.caveat
    few = Replay(played.curves.clip(upper=3), 50)
    assert "3 interesting objects are too few to tell luck apart" in few.caveat
    monkeypatch.setattr(_display, "make_replay_panel", None)
    text = played._repr_mimebundle_()["text/plain"]
    assert text == repr(played)
    assert played.caveat in text
    assert "labels for 50%" in text


def test_a_bar_is_shown_when_asked_for(session, capsys):
    replay(session, ["random"], batch_size=50)
    assert "Replaying" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"strategy": "best"}, f"choose one of {', '.join(batches.STRATEGIES)}"),
        ({"learners": ["svm"]}, "no learner 'svm'"),
        ({"learners": {"at random": "random"}}, "'at random' is the name of another curve"),
    ],
)
def test_nonsense_is_refused(session, more, message):
    with pytest.raises(ValueError, match=message):
        quietly(session, **more)
