"""An exercise tells of gold at once, of the rest nothing, and counts what was found."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import ProjectError
from astronomaly_widgets.teaching import Exercise

N, N_LIKED = 240, 24


@pytest.fixture
def session(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 4)).astype("float32")
    X[:N_LIKED] += 4  # a group of its own, not the oddest
    X[N_LIKED : 2 * N_LIKED] *= 4  # the oddest are dull
    score = rng.uniform(0, 2, N)
    score[:N_LIKED] = 1
    score[N_LIKED : 2 * N_LIKED] = rng.uniform(3, 5, N_LIKED)
    ids = [f"o{i:03d}" for i in rng.permutation(N)]
    session = aw.Session(
        X, ids, anomaly_score=score, project=tmp_path / "search", annotator="ann", title="Odd ones"
    )
    yield session
    session.close()


@pytest.fixture
def scores(session):
    values = np.zeros(N)
    values[:N_LIKED] = 5
    return pd.Series(values, index=session.object_ids)


@pytest.fixture
def exercise(session, scores):
    return Exercise(session, scores, n_gold=12, every=4, n_expert=60)


def test_gold_is_half_interesting_and_a_quarter_odd_but_dull(exercise, session, scores):
    gold = list(exercise.gold_ids)
    assert len(gold) == len(set(gold)) == 12
    assert (scores[gold] == 5).sum() == 6
    dull = [name for name in gold if scores[name] == 0]
    odd = session.ranking("anomaly_score")
    odd = [name for name in odd if scores[name] == 0][:48]
    assert sum(name in odd for name in dull) >= 3


def test_few_interesting_objects_are_not_given_away_as_gold(session):
    few = pd.Series(0.0, index=session.object_ids)
    few.iloc[:4] = 5
    exercise = Exercise(session, few, n_gold=16)
    assert sum(few[name] for name in exercise.gold_ids) == 5  # one of four


def test_gold_stands_at_every_fourth_place_among_the_suggested(exercise, session):
    ranking = list(session.ranking("suggested"))
    assert [ranking.index(name) for name in exercise.gold_ids] == list(range(3, 48, 4))
    assert sorted(ranking) == sorted(session.object_ids)
    reasons = [session.reason_of(name) for name in ranking[:48]]
    assert reasons[3::4] == reasons[2::4], "nothing tells gold from what stands before it"
    assert set(reasons) - {""}
    exercise.close()
    assert list(session.ranking("suggested")) == [
        name for name in session.ranking("suggested") if name in set(ranking)
    ]
    assert list(session.ranking("suggested"))[:48] != ranking[:48]


def test_gold_that_is_labeled_is_not_shown_again_after_a_retrain(exercise, session, scores):
    first, second = exercise.gold_ids[:2]
    for name in [*session.ranking("suggested")[:3], first]:
        session.label(name, scores[name])
    session.retrain().result()
    ranking = list(session.ranking("suggested"))
    assert ranking.index(second) == 3
    assert ranking.index(first) >= N - 4


@pytest.mark.parametrize(("off", "word"), [(0, "right"), (5, "not quite")])
def test_scoring_gold_says_at_once_what_experts_think(session, scores, off, word):
    exercise = Exercise(session, scores, words=dict.fromkeys(scores.index, "two nuclei"))
    name = exercise.gold_ids[0]
    session.label(name, abs(scores[name] - off))
    assert session.notice.startswith(f"gold, {word}: experts give {scores[name]:g}, you")
    assert session.notice.endswith(f": two nuclei ({name})")
    assert exercise.last_feedback == session.notice
    assert exercise.gold_right == (int(not off), 1)


def test_of_what_is_not_gold_nothing_is_said(exercise, session):
    name = next(name for name in session.object_ids if name not in exercise.gold_ids)
    session.label(name, 5)
    assert session.notice == ""
    with pytest.raises(KeyError, match="not one of the 12 gold objects"):
        exercise.feedback(name)


def test_gold_is_told_of_again_after_an_undo(exercise, session):
    name = exercise.gold_ids[0]
    session.label(name, 0)
    session.undo()
    assert exercise.gold_right == (0, 0)
    session.notice = ""
    session.label(name, 1)
    assert name in session.notice


def test_the_board_compares_at_equal_labels(exercise, session, scores):
    chosen = list(session.object_ids[:8]) + list(session.object_ids[100:112])
    for k, name in enumerate(chosen):
        session.label(name, 2 if k < 3 else scores[name])  # three are seen and not recognized
    board = exercise.score_board()
    assert board.index.name == "after 20 labels"
    assert board.loc["you", "found"] == 5
    odd = session.ranking("anomaly_score", unlabeled_first=False)[:20]
    assert board.loc["detector alone", "found"] == (scores[odd] == 5).sum()
    assert board.loc["at random", "found"] == 20 * N_LIKED / N
    assert np.isnan(board.loc["simulated expert", "found"])
    assert board.loc["you", "share"] == 5 / N_LIKED
    assert exercise.found().tolist() == [0, 0, 0, 1, 2, 3, 4, 5] + [5] * 12


def test_the_expert_finds_more_than_the_detector_and_leaves_no_label_behind(exercise, session):
    told = []
    exercise.watch(lambda: told.append(True))
    exercise.start_expert().join()
    assert told
    assert session.n_labeled == 0
    for name in session.object_ids[150:200]:
        session.label(name, 0)
    board = exercise.score_board()["found"]
    assert board["simulated expert"] > board["detector alone"]
    for name in session.object_ids[50:61]:
        session.label(name, 0)
    assert np.isnan(exercise.score_board().loc["simulated expert", "found"]), "it gave 60 labels"


def test_the_expert_does_not_teach_the_learner_of_the_person(session, scores):
    session.learner = learner = aw.learners.NeighborScore()
    before = set(vars(learner))
    Exercise(session, scores, n_expert=48).run_expert()
    assert set(vars(learner)) == before


def test_a_hint_shows_a_dozen_with_an_interesting_one_and_is_counted(session, scores):
    exercise = Exercise(session, scores, hints=["look for arcs"])
    assert exercise.hint() == "look for arcs"
    assert session.selected_ids == ()
    assert "one of these 12" in exercise.hint()
    shown = session.selected_ids
    assert len(set(shown)) == 12
    assert any(scores[name] == 5 for name in shown)
    assert exercise.n_hints == 2
    assert Exercise(aw.Session.open(session.project.path), scores).n_hints == 2


def test_a_hint_when_all_is_found_says_so(exercise, session):
    session.label_many(session.object_ids[:N_LIKED], 5)
    assert exercise.hint().startswith("nothing is left")


def test_the_hand_in_holds_labels_times_and_gold(exercise, session, tmp_path):
    first = next(name for name in session.object_ids if name not in exercise.gold_ids)
    session.label(first, 5, seconds=1.5)
    session.label(exercise.gold_ids[0], 0, seconds=None)
    path = exercise.hand_in(tmp_path / "ann.json")
    record = json.loads(path.read_text())
    assert record["name"] == "ann"
    assert record["labels"][0] == {"object_id": first, "score": 5.0, "seconds": 1.5}
    assert record["labels"][1]["seconds"] is None
    assert record["found"][0] == 1
    assert record["gold"]["answered"] == 1
    assert record["n_interesting"] == N_LIKED


def test_an_empty_or_misnamed_hand_in_is_refused(exercise, session, tmp_path):
    with pytest.raises(ValueError, match="nothing is labeled"):
        exercise.hand_in(tmp_path / "a.json")
    session.label(session.object_ids[0], 5)
    with pytest.raises(ValueError, match=r"not a \.json file"):
        exercise.hand_in(tmp_path / "a.csv")
    with pytest.raises(ProjectError, match="could not be written"):
        exercise.hand_in(tmp_path / "nowhere" / "a.json")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.iloc[:-1], "1 of 240 objects have no true score"),
        (lambda s: s * 2, "span 0..10"),
        (lambda s: s * 0, "nothing to find"),
    ],
)
def test_a_truth_that_cannot_serve_is_refused(session, scores, change, match):
    with pytest.raises(ValueError, match=match):
        Exercise(session, change(scores))


def test_yes_and_no_are_truth_enough(session, scores):
    assert Exercise(session, scores > 0).n_interesting == N_LIKED
    assert Exercise(session, dict((scores / 5).items())).n_interesting == N_LIKED


def test_an_exercise_is_shown_as_a_classroom(exercise):
    exercise._repr_mimebundle_()
    assert isinstance(exercise._view, aw.Classroom)
    exercise._view.close()
    assert repr(exercise) == (
        "<Exercise 'Odd ones': 24 to find among 240 objects, 0 labeled, gold 0 of 0 right>"
    )
