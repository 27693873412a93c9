"""channel.js against a kernel that loses, delays and refuses messages; no server needed."""

import pytest

from astronomaly_widgets.widgets._static import bundle

# a model whose kernel does only what the test says; window.sent is what it got
KERNEL = """
window.sent = [];
window.outcomes = [];
window.listeners = new Set();
window.dead = false;
const model = {
  send(message) { if (window.dead) throw new Error("comm is closed"); window.sent.push(message); },
  on: (_, listener) => window.listeners.add(listener),
  off: (_, listener) => window.listeners.delete(listener),
};
window.pushed = [];
window.channel = openChannel(model, { onpush: (content) => window.pushed.push(content) });
window.say = (content) => window.listeners.forEach((listener) => listener(content, []));
window.answer = (seq, type = "ack", fields = {}) =>
  window.say({ type, client: window.channel.client, seq, ...fields });
window.act = (word) => window.channel.send("note", { word }).then(
  (reply) => window.outcomes.push(`${word} ${reply.type}`),
  (error) => window.outcomes.push(`${word}: ${error.message}`),
);
"""


@pytest.fixture
def page(browser):
    context = browser.new_context()
    page = context.new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # installed alone, the clock goes on by itself
    page.add_script_tag(content=f"{bundle('keeper.js', 'channel.js')}\n{KERNEL}")
    yield page
    context.close()


def draw(page):
    """Let a frame pass: messages leave after it."""
    page.clock.run_for(60)


def sent(page):
    return [message.get("word", message["type"]) for message in page.evaluate("() => window.sent")]


def waiting(page):
    return page.evaluate("() => window.channel.waiting().map((e) => [e.message.word, e.late])")


def test_messages_are_numbered_and_named(page):
    page.evaluate("() => { act('a'); act('b'); }")
    draw(page)
    first, second = page.evaluate("() => window.sent")
    assert (first["seq"], second["seq"]) == (1, 2)
    assert first["client"] == second["client"] != ""
    assert (first["oldest"], second["oldest"]) == (1, 1)


def test_what_was_done_is_drawn_before_it_is_sent(page):
    page.evaluate("() => { requestAnimationFrame(() => (window.before = sent.length)); act('a'); }")
    assert sent(page) == []
    draw(page)
    assert page.evaluate("() => window.before") == 0
    assert sent(page) == ["a"]


def test_a_hidden_tab_sends_without_a_frame(page):
    page.evaluate("() => { window.requestAnimationFrame = () => {}; act('a'); }")
    draw(page)
    assert sent(page) == ["a"]


def test_a_page_that_goes_sends_what_waits_for_a_frame(page):
    page.evaluate("() => { act('a'); window.dispatchEvent(new Event('pagehide')); }")
    assert sent(page) == ["a"]
    draw(page)
    assert sent(page) == ["a"]


def test_an_answered_message_is_not_sent_again(page):
    page.evaluate("() => { act('a'); answer(1); }")
    page.clock.run_for(60_000)
    assert sent(page) == ["a"]
    assert page.evaluate("() => window.outcomes") == ["a ack"]
    assert waiting(page) == []


def test_a_lost_message_is_sent_again_until_it_is_answered(page):
    page.evaluate("() => { act('a'); }")
    page.clock.run_for(1900)
    assert sent(page) == ["a"]
    assert waiting(page) == [["a", False]]
    page.clock.run_for(200)
    assert sent(page) == ["a", "a"]
    assert waiting(page) == [["a", True]]
    page.clock.run_for(4000)
    assert sent(page) == ["a", "a", "a"]
    page.evaluate("() => answer(1)")
    assert page.evaluate("() => window.outcomes") == ["a ack"]


def test_messages_are_sent_again_in_their_order(page):
    page.evaluate("() => { act('a'); act('b'); act('c'); answer(1); }")
    page.clock.run_for(2100)
    assert sent(page) == ["a", "b", "c", "b", "c"]
    assert page.evaluate("() => window.sent.at(-1).oldest") == 2


def test_a_gap_is_filled_at_once(page):
    page.evaluate("() => { act('a'); act('b'); }")
    draw(page)
    page.evaluate("() => say({ type: 'gap', client: channel.client, expected: 1 })")
    assert sent(page) == ["a", "b", "a", "b"]


def test_a_refusal_carries_the_words_of_the_kernel(page):
    page.evaluate("() => { act('a'); answer(1, 'nack', { error: 'disk full' }); }")
    assert page.evaluate("() => window.outcomes") == ["a: disk full"]
    assert waiting(page) == []


def test_answers_to_other_views_are_not_ours(page):
    page.evaluate("() => { act('a'); say({ type: 'ack', client: 'other', seq: 1 }); }")
    assert waiting(page) == [["a", False]]
    page.evaluate("() => say({ type: 'labels', labels: [] })")
    assert [content["type"] for content in page.evaluate("() => window.pushed")] == ["labels"]


def test_a_closed_comm_loses_nothing(page):
    page.evaluate("() => { window.dead = true; act('a'); }")
    draw(page)
    assert sent(page) == []
    assert waiting(page) == [["a", False]]
    page.evaluate("() => { window.dead = false; }")
    page.clock.run_for(2100)
    assert sent(page) == ["a"]


def test_hello_is_said_until_it_is_answered(page):
    page.evaluate("() => { channel.hello().then((r) => outcomes.push(r.page)); }")
    page.clock.run_for(2100)
    assert sent(page) == ["hello", "hello"]
    page.evaluate("() => say({ type: 'hello', client: channel.client, page: 7 })")
    page.clock.run_for(60_000)
    assert sent(page) == ["hello", "hello"]
    assert page.evaluate("() => window.outcomes") == [7]


def test_a_closed_channel_says_bye_and_is_silent(page):
    page.evaluate("() => { act('a'); channel.close(); }")
    page.clock.run_for(60_000)
    assert sent(page) == ["a", "bye"]


LEFT = "() => Object.keys(localStorage).sort().map((name) => JSON.parse(localStorage[name]))"
HELLO = """(ahead = 0) => { channel.hello(); say({
    type: 'hello', client: channel.client, shelf: 'a-project', decisions: ['note'],
    time: Date.now() + ahead,
}); }"""
LEAVE = "() => window.dispatchEvent(new Event('pagehide'))"


@pytest.fixture
def visit(browser):
    """Open pages of one site: what one of them keeps, the next one finds."""
    context = browser.new_context()
    context.route("**/*", lambda route: route.fulfill(body="", content_type="text/html"))

    def open_page():
        page = context.new_page()
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        page.goto("http://localhost/")
        page.add_script_tag(content=f"{bundle('keeper.js', 'channel.js')}\n{KERNEL}")
        page.evaluate(HELLO)
        return page

    yield open_page
    context.close()


def test_a_page_that_goes_leaves_its_decisions_to_the_next(visit):
    page = visit()
    page.evaluate("() => { act('a'); act('b'); act('c'); answer(2); channel.send('turn'); }")
    assert page.evaluate(LEFT) == []
    page.evaluate(LEAVE)
    client = page.evaluate("() => channel.client")
    later = visit()
    draw(later)
    (told,) = [m for m in later.evaluate("() => window.sent") if m["type"] == "kept"]
    decisions = [(kept["word"], kept["event_id"], kept["time"]) for kept in told["decisions"]]
    assert decisions == [("a", f"{client}-1", 1_000_000), ("c", f"{client}-3", 1_000_000)]


@pytest.mark.parametrize("ahead", [5_000, -3_600_000])
def test_decisions_are_kept_with_the_kernel_s_time(visit, ahead):
    page = visit()
    page.evaluate(HELLO, ahead)
    page.evaluate("() => { act('a'); }")
    page.evaluate(LEAVE)
    assert [kept["time"] for kept in page.evaluate(LEFT)] == [1_000_000 + ahead]


def test_the_browser_keeps_until_the_kernel_has_taken(visit):
    page = visit()
    page.evaluate("() => { act('a'); }")
    page.evaluate(LEAVE)
    refused = visit()
    refused.evaluate("() => answer(1, 'nack', { error: 'disk full' })")
    assert len(refused.evaluate(LEFT)) == 1
    taken = visit()
    taken.evaluate("() => answer(1)")
    assert taken.evaluate(LEFT) == []


def test_what_has_no_answer_for_long_is_kept_while_the_page_stays(visit):
    page = visit()
    page.evaluate("() => { act('a'); }")
    page.clock.run_for(2100)
    assert [kept["word"] for kept in page.evaluate(LEFT)] == ["a"]
    page.evaluate("() => answer(1)")
    assert page.evaluate(LEFT) == []


def test_a_browser_that_keeps_nothing_loses_no_message(page):
    """A page without an address has no storage: asking for it is an error."""
    page.evaluate(HELLO)
    page.evaluate("() => { act('a'); }")
    page.clock.run_for(2100)
    assert sent(page).count("a") == 2
    page.evaluate("() => answer(1)")
    assert page.evaluate("() => window.outcomes") == ["a ack"]
