"""The random sample of a session, and what it says is left."""

import numpy as np
import pytest

from astronomaly_widgets import Session
from astronomaly_widgets.evaluation import estimate_from_audit

N, N_LIKED = 400, 40


@pytest.fixture
def session():
    made = Session(np.random.default_rng(0).normal(size=(N, 3)), anomaly_score=np.linspace(5, 0, N))
    yield made
    made.close()


def label_sample(session, ids):
    """Score as a person would who likes every tenth object."""
    for object_id in ids:
        session.label(object_id, 5 if int(object_id) % (N // N_LIKED) == 0 else 0)


def test_a_sample_is_selected_remembered_and_unlabeled(session):
    for object_id in session.object_ids[:100]:
        session.label(object_id, 0)
    sample = session.draw_audit(30)
    assert len(set(sample)) == 30
    assert set(sample).isdisjoint(session.object_ids[:100])
    assert session.selected_ids == session.audit_ids == tuple(sample)
    assert {session.reason_of(object_id) for object_id in sample} == {"random sample"}


def test_a_sample_is_drawn_whatever_the_anomaly_score(session):
    ranks = [session.row_of(object_id) for object_id in session.draw_audit(100)]
    assert abs(np.mean(ranks) - N / 2) < 4 * N / np.sqrt(12 * 100)
    assert ranks != sorted(ranks)


def test_a_sample_that_is_begun_is_gone_on_with(session):
    first = session.draw_audit(10)
    label_sample(session, first[:9])
    session.selected_ids = ()
    assert list(session.draw_audit(10)) == list(first)
    assert session.selected_ids == tuple(first)
    session.label(first[9], 0)
    assert set(session.draw_audit(10)).isdisjoint(first)


def test_the_whole_rest_can_be_a_sample(session):
    sample = session.draw_audit(10_000)
    assert set(sample) == set(session.object_ids)
    label_sample(session, sample)
    left = session.remaining_by_audit()
    assert (left.expected, left.low, left.high) == (0, 0, 0)


def test_no_sample_says_nothing(session):
    assert session.audit_ids == ()
    assert session.remaining_by_audit() is None
    session.draw_audit(5)
    assert session.remaining_by_audit() is None


def test_what_a_sample_says_is_right_nine_times_in_ten():
    inside = []
    for seed in range(60):
        X = np.random.default_rng(seed).normal(size=(N, 3))
        session = Session(X, anomaly_score=np.linspace(5, 0, N), random_state=seed)
        label_sample(session, session.draw_audit(60))
        left = session.remaining_by_audit()
        inside.append(left.low <= N_LIKED - session.n_found <= left.high)
        session.close()
    assert 0.8 < np.mean(inside) <= 1


def test_only_what_is_labeled_without_a_gap_counts(session):
    sample = session.draw_audit(40)
    label_sample(session, sample[:20])
    before = session.remaining_by_audit()
    liked = next(name for name in sample[25:] if session.score_of(name) is None)
    session.label(liked, 5)  # chosen by the person: not at random any more
    after = session.remaining_by_audit()
    assert after.high == before.high - 1


def test_what_is_found_elsewhere_is_left_no_more(session):
    sample = session.draw_audit(40)
    label_sample(session, sample)
    before = session.remaining_by_audit()
    others = [name for name in session.object_ids if name not in sample][:3]
    session.label_many(others, 5)
    assert session.remaining_by_audit().high == before.high - 3


def test_what_was_labeled_before_the_sample_is_not_found_since(session):
    before, corrected = session.object_ids[:100], session.object_ids[100]
    session.label_many(before, 3)
    session.label(corrected, 2)
    sample = session.draw_audit(20)
    session.label_many(sample, 0)
    session.label(sample[0], 3)
    session.label(corrected, 5)
    session.interesting_from = 3
    left, n_rest = session.remaining_by_audit(), N - 101 - 20
    assert left == estimate_from_audit([True] + 19 * [False], n_rest)


def test_a_sample_is_kept_with_the_project(tmp_path):
    X = np.random.default_rng(0).normal(size=(N, 3))
    first = Session(X, anomaly_score=np.linspace(5, 0, N), project=tmp_path / "p")
    sample = first.draw_audit(20)
    label_sample(first, sample[:15])
    said = first.remaining_by_audit()
    first.close()
    again = Session.open(tmp_path / "p")
    assert again.audit_ids == tuple(sample)
    assert again.remaining_by_audit() == said
    again.close()


@pytest.fixture
def two_kernels(tmp_path):
    X = np.random.default_rng(0).normal(size=(N, 3))
    ann = Session(X, anomaly_score=np.linspace(5, 0, N), project=tmp_path / "p", annotator="ann")
    ben = Session.open(tmp_path / "p", annotator="ben")
    yield ann, ben
    ann.close()
    ben.close()


def test_what_one_kernel_remembers_another_does_not_forget(two_kernels):
    ann, ben = two_kernels
    sample = ann.draw_audit(5)
    ann.interesting_from = 3.0
    ben.retrain_every = 20
    ben.save_view_state(current_id="3")
    ann.save_view_state(hints=1)
    again = Session.open(ann.project.path)
    assert again.audit_ids == tuple(sample)
    assert (again.interesting_from, again.retrain_every) == (3.0, 20)
    assert (again.current_id, again.view_state["hints"]) == ("3", 1)
    again.close()


def test_a_sample_that_another_kernel_began_is_gone_on_with(two_kernels):
    ann, ben = two_kernels
    sample = ann.draw_audit(6)
    label_sample(ann, sample[:4])
    assert list(ben.draw_audit(6)) == list(sample)
    label_sample(ben, sample[4:])
    assert ben.remaining_by_audit().low == 0
    assert set(ben.draw_audit(6)).isdisjoint(sample)
    assert list(ann.draw_audit(6)) == list(ben.audit_ids)


def test_a_sample_of_nothing_is_refused(session):
    with pytest.raises(ValueError, match="give 1 or more"):
        session.draw_audit(0)
