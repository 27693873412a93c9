import numpy as np
import pytest

from astronomaly_widgets.widgets._pages import Pages


@pytest.fixture
def hidden():
    return set()


@pytest.fixture
def pages(hidden):
    return Pages(100 + np.arange(25), 10, lambda row: row in hidden)


def test_pages_follow_each_other_without_overlap(pages):
    first = pages.start()
    second = pages.after(first)
    third = pages.after(second)
    assert (first, second, third) == (
        tuple(range(10)),
        tuple(range(10, 20)),
        tuple(range(20, 25)),
    )
    assert pages.after(third) == ()
    assert pages.before(third) == second
    assert pages.before(first) == ()
    assert [pages.number(shown) for shown in (first, second, third)] == [1, 2, 3]
    assert {pages.count(shown) for shown in (first, second, third)} == {3}


def test_hiding_what_was_shown_skips_nothing_on_the_next_page(pages, hidden):
    first = pages.start()
    hidden.update(pages.at(first).tolist())
    assert pages.after(first) == tuple(range(10, 20))


def test_hidden_objects_are_filled_up_from_further_on(pages, hidden):
    hidden.update({111, 113})
    assert pages.after(pages.start()) == (10, 12, *range(14, 22))


def test_going_back_shows_what_is_left_on_a_full_page(pages, hidden):
    second = pages.after(pages.start())
    hidden.update({100, 101, 102})
    assert pages.before(second) == tuple(range(3, 13))


def test_going_back_stays_where_nothing_is_left(pages, hidden):
    second = pages.after(pages.start())
    hidden.update(range(100, 110))
    assert pages.before(second) == ()


def test_the_page_around_an_object_shows_it_even_if_it_is_hidden(pages, hidden):
    hidden.add(114)
    assert 14 in pages.around(114)
    assert pages.around(123) == tuple(range(20, 25))
    assert pages.around(-1) == ()


def test_nothing_to_show_is_an_empty_first_page():
    pages = Pages(np.array([], dtype=np.intp), 10, lambda _: False)
    assert pages.start() == pages.after(()) == pages.before(()) == ()
    assert (pages.number(()), pages.count(())) == (1, 1)


def test_a_list_goes_on_without_what_it_has_begun_with(pages):
    first = pages.rows[:7].tolist()
    pages.go_on(7, np.arange(200, 90, -1))
    assert pages.rows[:7].tolist() == first
    assert pages.rows[7:].tolist() == [row for row in range(200, 90, -1) if row not in first]
