"""First pages of a ranking that are taken stay as they are when the rest has been scored."""

import numpy as np
import pytest

from astronomaly_widgets.widgets._taken import TakenRanking


class Rankings:
    """What a gallery asks of a session, with rankings that the test decides."""

    def __init__(self, n=30):
        self.rows = np.arange(n)
        self.score_revision = self.early_revision = 0
        self.batch_settings = (50,)
        self.labeled = set()
        self.asked = 0

    @property
    def ranking_revision(self):
        return max(self.score_revision, self.early_revision)

    def ranking_rows(self, order, unlabeled_first):
        self.asked += 1
        late = np.isin(self.rows, [int(name) for name in self.labeled]) & unlabeled_first
        return np.concatenate([self.rows[~late], self.rows[late]])

    def ids_of(self, rows):
        return np.array([str(row) for row in rows], dtype=object)

    def score_of(self, object_id):
        return 3.0 if object_id in self.labeled else None

    def rank_early(self, rows, revision=7):
        self.rows, self.early_revision = rows, revision

    def rank_all(self, rows, revision=7):
        self.rows, self.score_revision = rows, revision


def settings(**changes):
    return {"order": "suggested", "hide_labeled": True, "per_page": 4, **changes}


@pytest.fixture
def session():
    return Rankings()


@pytest.fixture
def ranking(session):
    return TakenRanking(session, settings())


def test_first_pages_are_offered_as_such(session, ranking):
    assert ranking.offers == ""
    session.rank_early(np.arange(30)[::-1])
    assert ranking.offers == "early"
    session.rank_all(np.arange(30)[::-1])
    assert ranking.offers == "new"


def test_only_what_is_suggested_is_offered_early(session):
    ranking = TakenRanking(session, settings(order="trained_score"))
    session.rank_early(np.arange(30)[::-1])
    assert ranking.offers == ""
    session.rank_all(np.arange(30)[::-1])
    assert ranking.offers == "new"


def test_the_whole_ranking_follows_the_page_after_the_one_that_is_shown(session, ranking):
    early, whole = np.roll(np.arange(30), 3), np.arange(30)[::-1]
    session.rank_early(early)
    ranking.take_offered()
    shown = ranking.pages.start()
    ranking.complete(shown)  # not all is scored
    assert ranking.pages.rows.tolist() == early.tolist()
    session.rank_all(whole)
    ranking.complete(shown)
    rows = ranking.pages.rows.tolist()
    assert rows[:8] == early[:8].tolist()
    assert rows[8:] == [row for row in whole if row not in rows[:8]]
    assert ranking.offers == ""


def test_it_follows_once(session, ranking):
    session.rank_early(np.roll(np.arange(30), 3))
    ranking.take()
    session.rank_all(np.arange(30)[::-1])
    ranking.complete(ranking.pages.start())
    asked, rows = session.asked, ranking.pages.rows
    ranking.complete(ranking.pages.after(ranking.pages.start()))
    assert session.asked == asked
    assert ranking.pages.rows is rows


def test_what_was_labeled_meanwhile_does_not_come_again(session, ranking):
    session.rank_early(np.arange(30)[::-1])
    ranking.take()
    shown = ranking.pages.start()
    session.labeled = {"29", "28", "3"}
    session.rank_all(np.arange(30)[::-1])
    ranking.complete(shown)
    rows = ranking.pages.rows.tolist()
    assert rows[:4] == [29, 28, 27, 26]
    assert 3 not in rows
    assert len(set(rows)) == len(rows) == 29


def test_first_pages_that_nobody_took_leave_no_trace(session, ranking):
    session.rank_early(np.roll(np.arange(30), 3))
    assert ranking.offered().rows[0] == 27
    session.rank_all(np.arange(30)[::-1])
    assert ranking.offered().rows.tolist() == list(range(29, -1, -1))
    ranking.take_offered()
    ranking.complete(ranking.pages.start())
    assert ranking.pages.rows.tolist() == list(range(29, -1, -1))


def test_the_earlier_ranking_is_offered_if_the_retrain_ends_early(session, ranking):
    session.rank_early(np.arange(30)[::-1])
    ranking.take()
    session.rank_early(np.arange(30), revision=0)
    assert ranking.offers == "earlier"
    ranking.take_offered()
    assert ranking.pages.rows.tolist() == list(range(30))
    assert ranking.offers == ""


def test_what_would_be_chosen_otherwise_is_offered(session, ranking):
    session.batch_settings = (7,)
    assert ranking.offers == "new"
    session.batch_settings = (50,)
    assert ranking.offers == ""


def test_first_pages_that_were_chosen_otherwise_are_completed_and_the_new_ones_offered(
    session, ranking
):
    session.rank_early(np.arange(30)[::-1])
    ranking.take()
    session.batch_settings = (7,)
    session.rank_all(np.roll(np.arange(30), 3))
    ranking.complete(ranking.pages.start())
    assert ranking.pages.rows[:9].tolist() == [29, 28, 27, 26, 25, 24, 23, 22, 0]
    assert ranking.offers == "new"


def test_an_offer_is_asked_for_once(session, ranking):
    session.rank_early(np.arange(30)[::-1])
    before = session.asked
    ranking.offered()
    ranking.offered()
    assert session.asked == before + 1
