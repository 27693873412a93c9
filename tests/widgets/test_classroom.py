"""The score board follows the exercise, and its buttons do what they say."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets.widgets.classroom import ScoreBoard


@pytest.fixture
def exercise():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3)).astype("float32")
    X[:12] += 3
    session = aw.Session(X, annotator="Ann Lee", title="Odd ones!")
    session.max_embedded = 0
    scores = pd.Series(0.0, index=session.object_ids)
    scores.iloc[:12] = 5
    exercise = aw.teaching.Exercise(session, scores, n_gold=8, n_expert=24)
    yield exercise
    session.close()


@pytest.fixture
def board(exercise):
    board = ScoreBoard(exercise)
    yield board
    board.close()


def wait(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def found(board):
    return {row["name"]: row["found"] for row in board.rows}


def test_the_board_begins_with_nothing_found(board):
    assert board.title == "found of 12 after 0 labels"
    assert board.gold == "no gold object met yet"
    assert found(board) == {
        "you": 0.0, "simulated expert": None, "detector alone": 0.0, "at random": 0.0
    }  # fmt: skip


def test_the_board_follows_labels_and_undo(exercise, board):
    session = exercise.session
    gold = exercise.gold_ids[0]
    session.label(gold, 5 if gold in session.object_ids[:12] else 0)
    session.label_many([n for n in session.object_ids[:12] if n not in exercise.gold_ids], 5)
    wait(lambda: found(board)["you"] >= 8)
    assert board.gold == "gold 1 of 1 right"
    assert board.feedback.startswith("gold, right: experts give")
    session.undo()
    wait(lambda: found(board)["you"] <= 1)


def test_the_expert_appears_once_the_board_is_seen(exercise, board):
    board._on_hello()
    wait(lambda: found(board)["simulated expert"] is not None)
    assert found(board)["simulated expert"] == 0.0


def test_the_hint_button_selects_objects_and_is_counted(exercise, board):
    board._later("hint")
    wait(lambda: board.gold.endswith("1 hint"))
    assert len(exercise.session.selected_ids) == 12


def test_the_hand_in_button_writes_a_file_named_after_search_and_person(
    exercise, board, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    board._later("hand_in")
    wait(lambda: exercise.session.last_error is not None)
    assert "nothing is labeled" in str(exercise.session.last_error)
    exercise.session.label("3", 5)
    board._later("hand_in")
    wait((tmp_path / "odd-ones-ann-lee.json").is_file)
    wait(lambda: exercise.session.notice == "handed in as odd-ones-ann-lee.json")


def test_a_closed_classroom_lets_go_of_its_exercise(exercise):
    room = aw.Classroom(exercise)
    assert [type(child).__name__ for child in room.children] == ["ScoreBoard", "Dashboard"]
    room.close()
    room.close()
    assert exercise._watchers == []
