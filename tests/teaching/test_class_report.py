"""A class is compared by what is true, by agreement and by time."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import ProjectError
from astronomaly_widgets.teaching import compare
from astronomaly_widgets.teaching._records import FORMAT
from astronomaly_widgets.teaching.class_report import cohen_kappa, fleiss_kappa


def hand_in(folder, name, scores, seconds=2.0, **more):
    labels = [
        {"object_id": object_id, "score": score, "seconds": seconds}
        for object_id, score in scores.items()
    ]
    record = {
        "format": FORMAT, "name": name, "exercise": "x", "n_objects": 9, "interesting_from": 4.0,
        "labels": labels, "found": [1, 1, 2], "n_interesting": 4,
        "gold": {"right": 1, "answered": 2}, "n_hints": 3,
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(record | more))


@pytest.fixture
def folder(tmp_path):
    hand_in(tmp_path, "ann", {"a": 5, "b": 0, "c": 4}, seconds=2.0)
    hand_in(tmp_path, "bob", {"a": 5, "b": 5, "d": 0}, seconds=None)
    hand_in(tmp_path, "eve", {"a": 4, "b": 1, "c": 0}, gold={"right": 0, "answered": 0})
    return tmp_path


TRUTH = {"a": 5, "b": 0, "c": 5, "d": 5}


def test_what_is_true_says_who_found_missed_and_imagined(folder):
    students = compare(folder, TRUTH).students
    assert students["found"].tolist() == [2, 1, 1]
    assert students["recall"].tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3])
    assert students["missed"].tolist() == [0, 1, 1]
    assert students["false_alarms"].tolist() == [0, 1, 0]
    assert students.loc["ann", "seconds"] == 2.0
    assert students.loc["ann", "minutes"] == 0.1
    assert np.isnan(students.loc["bob", "seconds"])
    assert students["gold_right"].tolist()[:2] == [0.5, 0.5]
    assert np.isnan(students.loc["eve", "gold_right"])


def test_without_truth_a_hand_in_says_what_it_was_told(folder):
    report = compare(folder)
    assert report.students["found"].tolist() == [2, 2, 2]
    assert report.students["recall"].tolist() == [0.5] * 3
    assert report.students["missed"].isna().all()
    assert report.found["ann"].tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize("kind", [int, bool])
def test_a_truth_of_yes_and_no_is_that_of_an_exercise(folder, kind):
    yes_and_no = {name: kind(score > 0) for name, score in TRUTH.items()}
    report = compare(folder, yes_and_no)
    pd.testing.assert_frame_equal(report.students, compare(folder, TRUTH).students)
    assert report.found["ann"].tolist() == [0, 1, 1, 2]


def test_what_nobody_knows_is_no_false_alarm(folder):
    students = compare(folder, {"a": 5, "d": 0}).students
    assert students["found"].tolist() == [1, 1, 1]
    assert students["false_alarms"].tolist() == [0, 0, 0]


def test_a_truth_of_other_objects_or_on_another_scale_is_refused(folder):
    with pytest.raises(ValueError, match="'a', has a true score: these are of 'x'"):
        compare(folder, {"x": 5})
    with pytest.raises(ValueError, match=r"lie in 0\.\.5, but these span 0\.\.10"):
        compare(folder, {"a": 10, "b": 0})


def test_one_who_set_another_threshold_does_not_set_that_of_the_class(folder):
    before = compare(folder, TRUTH).students
    hand_in(folder, "ann", {"a": 5, "b": 0, "c": 4}, interesting_from=1.0)
    pd.testing.assert_frame_equal(compare(folder, TRUTH).students, before)


def test_what_editors_and_macs_leave_in_a_folder_does_no_harm(folder):
    ann = (folder / "ann.json").read_text()
    (folder / "ann.json").write_text(ann, encoding="utf-8-sig")
    (folder / "._ann.json").write_bytes(b"\0\5\x16\7Mac OS X")
    assert compare(folder).students.index.tolist() == ["ann", "bob", "eve"]


def test_curves_begin_at_nothing_and_count_what_was_recognized(folder):
    found = compare(folder, TRUTH).found
    assert found["ann"].tolist() == [0, 1, 1, 2]
    assert found["bob"].tolist() == [0, 1, 1, 1]


def test_agreement_is_over_what_both_have_seen(folder):
    report = compare(folder)
    assert report.n_common.loc["ann", "eve"] == 3
    assert report.n_common.loc["ann", "bob"] == 2
    assert report.kappa.loc["ann", "eve"] == pytest.approx(cohen_kappa_score([1, 0, 1], [1, 0, 0]))
    assert report.kappa.loc["bob", "ann"] == report.kappa.loc["ann", "bob"] == 0
    assert report.disputed.index[0] == "b"
    assert report.disputed.loc["b", "range"] == 5
    assert "d" not in report.disputed.index
    assert "3 people" in repr(report)


@pytest.mark.parametrize("seed", range(5))
def test_cohen_kappa_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    a = rng.random(40) < 0.3
    b = np.where(rng.random(40) < 0.7, a, rng.random(40) < 0.5)
    assert cohen_kappa(a, b) == pytest.approx(cohen_kappa_score(a, b))


def test_kappa_of_nothing_or_of_one_answer_is_not_defined():
    assert np.isnan(cohen_kappa([], []))
    assert np.isnan(cohen_kappa([True, True], [True, True]))
    assert np.isnan(fleiss_kappa(np.ones((5, 3), dtype=int)))
    assert np.isnan(fleiss_kappa(np.zeros((0, 3), dtype=int)))


def test_fleiss_kappa_by_hand():
    votes = np.array([[1, 1, 1], [0, 0, 0], [1, 1, 0], [1, 0, 0]])
    # agreement of pairs: 1, 1, 1/3, 1/3; half of all votes are yes
    assert fleiss_kappa(votes) == pytest.approx((2 / 3 - 0.5) / 0.5)


def test_fleiss_kappa_of_two_who_answer_alike_on_the_whole_is_cohens():
    votes = np.array([[1, 1], [1, 0], [0, 1], [0, 0], [1, 1]])
    assert fleiss_kappa(votes) == pytest.approx(cohen_kappa(votes[:, 0], votes[:, 1]))


def test_projects_are_compared_as_hand_ins_are(tmp_path):
    X = np.random.default_rng(0).normal(size=(30, 3))
    for name, score in {"ann": 5, "bob": 1}.items():
        session = aw.Session(X, project=tmp_path / name)
        session.label("3", score, seconds=4.0)
        session.close()
    report = compare(tmp_path, pd.Series(5.0, index=[str(i) for i in range(30)]))
    assert report.students["found"].tolist() == [1, 0]
    assert report.students["seconds"].tolist() == [4.0, 4.0]
    assert report.students["n_hints"].isna().all()


def test_one_look_at_many_objects_counts_once(tmp_path):
    session = aw.Session(np.eye(9), project=tmp_path / "ann")
    session.label("0", 5, seconds=2.0)
    session.label_many(list("12345678"), 0, seconds=8.0)
    session.undo()
    session.redo()
    session.close()
    assert compare(tmp_path).students.loc["ann", "minutes"] == pytest.approx(10 / 60)


def test_who_bears_the_name_of_a_servers_user_is_called_by_the_file(folder):
    for name in ("ann", "bob"):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"name": "jovyan"}))
    assert compare(folder).students.index.tolist() == ["ann", "bob", "eve"]
    (folder / "ann.json").rename(folder / "jovyan(1).json")
    with pytest.raises(ProjectError, match=r"'jovyan' .* bob\.json and jovyan\(1\)\.json"):
        compare(folder)


def test_what_is_no_class_is_refused(tmp_path):
    with pytest.raises(ProjectError, match="holds no hand-in"):
        compare(tmp_path)
    with pytest.raises(ProjectError, match="is not a folder"):
        compare(tmp_path / "absent")
    hand_in(tmp_path, "ann", {"a": 5})
    (tmp_path / "copy.json").write_text((tmp_path / "ann.json").read_text())
    with pytest.raises(ProjectError, match=r"'ann' .* more than once: ann\.json and copy"):
        compare(tmp_path)
    (tmp_path / "copy.json").write_text('{"a": 1}')
    with pytest.raises(ProjectError, match="is no hand-in"):
        compare(tmp_path)
    (tmp_path / "copy.json").write_text("{")
    with pytest.raises(ProjectError, match="cannot be read as a hand-in"):
        compare(tmp_path)
