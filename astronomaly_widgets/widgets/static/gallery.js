// The gallery in the browser. What a person does is drawn at once, sent to the kernel by the
// channel, and confirmed by its answer; what the kernel says of labels is the truth.

const STORING_AFTER = 500; // ms until "storing" is said; usually it is stored by then
const MOVE_EVERY = 80; // ms between two words to the kernel of where the person is
const HEAD_EVERY = 50; // ms between two drawings of the head and its counts
const AT_END = "end of the page: \u2192 or PgDn goes on";

// Which scores the kernel has, and which are on their way: object id -> entry.
function makeLabels(paint) {
  const entries = new Map();
  const entryOf = (id) => {
    if (!entries.has(id)) entries.set(id, { stored: null, wanted: null, waiting: 0, failed: null });
    return entries.get(id);
  };
  const settle = (id, entry) => {
    if (!entry.waiting && entry.failed === null) entry.wanted = entry.stored;
    paint(id);
  };
  return {
    score: (id) => entryOf(id).wanted,
    state(id) {
      const { wanted, waiting, failed, late } = entryOf(id);
      if (failed !== null) return "failed";
      if (waiting) return late ? "late" : "pending";
      return wanted === null ? "" : "stored";
    },
    // the kernel's word; what is on its way is painted until it is answered
    learn(pairs) {
      for (const [id, score] of pairs) {
        const entry = entryOf(id);
        entry.stored = score;
        if (!entry.waiting) entry.failed = null;
        settle(id, entry);
      }
    },
    want(ids, score) {
      for (const id of ids) {
        const entry = entryOf(id);
        Object.assign(entry, { wanted: score, waiting: entry.waiting + 1, failed: null });
        paint(id);
      }
    },
    answered(ids, error, score) {
      for (const id of ids) {
        const entry = entryOf(id);
        entry.waiting -= 1;
        entry.late = false;
        if (error && !entry.waiting) Object.assign(entry, { wanted: score, failed: { score, error } });
        settle(id, entry);
      }
    },
    late(ids) {
      for (const id of ids) {
        entryOf(id).late = true;
        paint(id);
      }
    },
    failures: () => [...entries].filter(([, { failed }]) => failed !== null),
  };
}

function render({ model, el }) {
  const uid = `aw-${randomName()}`;
  const root = make("div", "aw-gallery", {
    role: "group",
    tabindex: "0",
    "aria-roledescription": "gallery",
  });
  const labels = makeLabels(paint);
  const ahead = new Map(); // direction -> opened page
  let opened = null; // what is drawn
  let state = model.get("state");
  let turns = 0; // requests to turn a page, of this view
  let atEnd = false;
  let since = performance.now();
  let headTimer = null;
  let sought = "";

  const channel = openChannel(model, { onpush, onchange: drawHeadSoon });
  const head = makeHead({
    order: (order) => act("order", { order }),
    hide: () => act("hide", { hide: !state.hide_labeled }),
    size: (n) => act("per_page", { per_page: n }),
    zoom: (by) => act("zoom", { zoom: by }),
    find: (text) => {
      head.find.value = "";
      sought = text;
      act("find", { text });
      focus(); // so that a digit scores what was found
    },
    leave: focus,
    turn,
    undo: () => history("undo"),
    redo: () => history("redo"),
    retrain: () => act("retrain"),
    cancel: () => act("cancel"),
    take: () => act("take"),
    clear: () => act("clear"),
    all: (score) => act("all", { score }),
    pace: (every) => act("pace", { every }),
    audit: () => act("audit"),
    dismiss: () => act("dismiss"),
    retry,
    help: () => showKeys(root),
  });
  const grid = makeGrid(uid);
  const empty = make("p", "aw-empty");
  const footText = make("span");
  const footNext = makeButton("aw-link", "next page \u203a", "next page (PgDn)", () => turn("next"));
  const foot = make("div", "aw-foot", {}, footText, footNext);
  const body = make("div", "aw-body", {}, grid.root, empty, foot);
  root.append(head.root, body);
  el.append(root);

  function focus() {
    root.focus({ preventScroll: true });
  }

  // -- drawing -----------------------------------------------------------------------------

  function paint(objectId) {
    const tile = grid.tileOf(objectId);
    if (tile) paintLabel(tile, labels.score(objectId), labels.state(objectId));
  }

  function draw(next, current) {
    opened = next;
    const { page } = opened;
    grid.fill(opened);
    for (const tile of grid.tiles()) onscroll.observe(tile.root);
    labels.learn(page.records.map((record) => [record.object_id, record.score]));
    root.dataset.page = page.number;
    grid.fit(body.clientWidth, page.records.length);
    move(Math.max(0, page.records.findIndex((record) => record.object_id === current)), false);
    empty.hidden = page.records.length > 0;
    setText(empty, emptyInWords());
    drawHead();
  }

  function emptyInWords() {
    if (state.filter) return "None of these objects is in this session.";
    return "Nothing is left to label. Turn off \u201chide labeled\u201d to see what you have scored.";
  }

  // after the frame that shows what the person did
  function drawHeadSoon() {
    headTimer ??= setTimeout(drawHead, HEAD_EVERY);
  }

  function drawHead() {
    clearTimeout(headTimer);
    headTimer = null;
    if (!opened) return;
    const failures = labels.failures();
    const waiting = channel.waiting().filter(({ message }) => message.object_ids);
    const late = waiting.filter((event) => event.late);
    labels.late(late.flatMap(({ message }) => message.object_ids));
    const missing = new Set(late.flatMap(({ message }) => message.object_ids));
    for (const [id] of failures) missing.add(id);
    const slow = waiting.filter(({ message }) => Date.now() - message.time > STORING_AFTER);
    let stored = "all stored";
    if (missing.size) stored = `${grouped(missing.size)} not stored`;
    else if (slow.length) stored = `storing ${grouped(slow.length)}\u2026`;
    if (late.length) stored += " (no answer from the kernel, trying again)";
    const reason = failures.length ? failures[0][1].failed.error : "";
    const own = { stored, reason, failed: failures.length > 0, late: late.length > 0 };
    head.draw(opened.page, state, own);
    root.setAttribute("aria-label", `Gallery: ${state.title}`);
    const { has_next: hasNext, number } = opened.page;
    foot.classList.toggle("aw-at-end", atEnd);
    let done = state.filter ? "Esc shows all objects again" : "nothing follows";
    if (hasNext || state.offers) done = "\u2192 or PgDn goes on";
    setText(footText, atEnd ? `End of page ${grouped(number)}: ${done}` : "");
    footNext.disabled = !hasNext && !state.offers;
  }

  // -- where the person is -----------------------------------------------------------------

  let moveTimer = null;
  let toldAt = 0;

  const inView = new Set(); // nodes that are wholly on the screen
  const onscroll = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio } of entries) {
        if (intersectionRatio >= 1) inView.add(target);
        else inView.delete(target);
      }
    },
    { threshold: [0.99, 1] },
  );

  // index === length of the page: past the end, where digits do nothing
  function move(index, tell = true) {
    const n = grid.tiles().length;
    atEnd = n > 0 && index >= n;
    if (!atEnd) head.unsay(AT_END);
    grid.mark(Math.max(0, Math.min(n - 1, index)));
    const tile = grid.current();
    since = performance.now();
    if (tile) root.setAttribute("aria-activedescendant", tile.root.id);
    else root.removeAttribute("aria-activedescendant");
    root.classList.toggle("aw-past-end", atEnd);
    if (!tell || !tile) return;
    bringIntoView();
    clearTimeout(moveTimer);
    moveTimer = setTimeout(tellWhere, Math.max(0, toldAt + MOVE_EVERY - performance.now()));
    drawHeadSoon();
  }

  // asking the browser to scroll makes it lay out the page: only when there is a need
  function bringIntoView() {
    const node = atEnd ? foot : (grid.current()?.root ?? root);
    if (!inView.has(node)) node.scrollIntoView({ block: "nearest" });
  }

  function moveToObject(objectId) {
    const i = grid.tiles().findIndex((tile) => tile.record.object_id === objectId);
    if (i < 0 || i === grid.index()) return;
    move(i, false);
    drawHead();
  }

  function tellWhere() {
    toldAt = performance.now();
    const tile = grid.current();
    if (tile) act("current", { object_id: tile.record.object_id });
  }

  // -- what the person does ----------------------------------------------------------------

  function act(type, fields) {
    return channel.send(type, fields).catch((error) => head.note(error.message));
  }

  function store(type, objectIds, score, fields) {
    const seconds = (performance.now() - since) / 1000;
    const message = { ...fields, object_ids: objectIds, score, seconds, time: Date.now() };
    labels.want(objectIds, score);
    setTimeout(drawHead, STORING_AFTER + 20);
    channel.send(type, message).then(
      (reply) => {
        labels.learn(reply.labels);
        labels.answered(objectIds, null, score);
        drawHeadSoon();
      },
      (error) => {
        labels.answered(objectIds, error.message, score);
        drawHeadSoon();
      },
    );
  }

  function scoreCurrent(score) {
    const tile = grid.current();
    if (!tile || grid.waits()) return;
    if (atEnd) {
      head.note(AT_END);
      return;
    }
    const id = tile.record.object_id;
    const index = grid.index() + 1;
    const next = grid.tiles()[index]?.record.object_id ?? id;
    // a double click or a repeated key is one decision
    if (labels.score(id) !== score || labels.state(id) === "failed") {
      store("score", [id], score, { object_id: id, next });
      move(index, false);
      bringIntoView();
      drawHeadSoon();
    } else {
      move(index);
    }
  }

  function scoreRest() {
    const ids = grid.tiles().map((tile) => tile.record.object_id);
    const rest = ids.filter((id) => labels.score(id) === null);
    if (!rest.length || grid.waits()) return;
    store("rest", rest, 0, {});
    move(ids.length);
  }

  function unlabel() {
    const tile = grid.current();
    if (!tile || labels.score(tile.record.object_id) === null || grid.waits()) return;
    const id = tile.record.object_id;
    store("unlabel", [id], null, { object_id: id });
  }

  function retry() {
    for (const [id, { failed }] of labels.failures()) {
      if (failed.score === null) store("unlabel", [id], null, { object_id: id });
      else store("score", [id], failed.score, { object_id: id });
    }
  }

  function history(type) {
    act(type).then((reply) => {
      if (!reply) return;
      labels.learn(reply.labels);
      if (!reply.touched) head.note(`nothing to ${type}`);
    });
  }

  function inspect() {
    const tile = grid.current();
    if (tile) act("inspect", { object_id: tile.record.object_id });
  }

  function magnify(step) {
    const by = state.zooms[state.zooms.indexOf(state.zoom) + step];
    if (!by) return;
    state = { ...state, zoom: by }; // so that a second key goes on from here
    act("zoom", { zoom: by });
  }

  function turn(to) {
    const { page } = opened;
    if (to === "next" ? !page.has_next && !state.offers : !page.has_previous) {
      head.note(to === "next" ? "this is the last page" : "this is the first page");
      return;
    }
    turns += 1;
    const mine = turns;
    const near = ahead.get(to);
    ahead.clear(); // the neighbors of a page are not those of the next
    if (near) draw(near, near.page.current);
    else grid.wait();
    bringIntoView();
    channel.send("turn", { to, turn: mine }).catch((error) => {
      if (turns === mine) turns = 0; // take any page that comes
      head.note(error.message);
    });
  }

  // -- what the kernel says ----------------------------------------------------------------

  function onPage() {
    const page = model.get("page");
    if (!page?.records) return;
    // an answer to an earlier request is not what the person waits for
    if ((page.turned[channel.client] ?? 0) < turns) return;
    if (opened?.page.key === page.key) {
      opened.page = page;
      grid.root.classList.remove("aw-waiting");
      labels.learn(page.records.map((record) => [record.object_id, record.score]));
      drawHead();
      return;
    }
    draw(openPage(page, page.thumbnails), page.current);
    // where the person is at work; a page that comes for another reason moves nothing
    if (root.contains(document.activeElement)) bringIntoView();
  }

  function onState() {
    const before = state;
    state = model.get("state");
    if (state.offers && state.offers !== before.offers) {
      ahead.delete("next"); // of another ranking
    }
    if (opened) setText(empty, emptyInWords());
    drawHeadSoon();
  }

  function onpush(content, buffers) {
    if (content.type === "labels") {
      labels.learn(content.labels);
      drawHeadSoon();
    } else if (content.type === "current") {
      moveToObject(content.object_id);
    } else if (content.type === "ahead" && content.of === opened?.page.key) {
      const near = openPage(content.page, buffers);
      ahead.set(content.direction, near);
      decodeAhead(near);
    } else if (content.type === "note") {
      head.note(content.text);
    }
  }

  // -- keys and clicks ---------------------------------------------------------------------

  function onkeydown(event) {
    const { target } = event;
    if (target.matches("input, select")) {
      if (event.key === "Escape" && !isComposing(event)) focus();
      return;
    }
    if (onkey(event)) event.preventDefault();
  }

  function onkey(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: grid.columns(), ArrowUp: -grid.columns() };
    const last = grid.tiles().length - 1;
    if (event.altKey) return false;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") history(event.shiftKey ? "redo" : "undo");
      else if (key === "y") history("redo");
      else return false;
      return true;
    }
    const digit = digitOf(event);
    // a key that is held down would score objects before they are seen
    if (digit !== null && event.repeat) return true;
    if (digit === "rest") scoreRest();
    else if (digit !== null) scoreCurrent(digit);
    else if (key in step) moveBy(step[key], key);
    else if (key === "Home") move(0);
    else if (key === "End") move(last);
    else if (key === "PageDown") turn("next");
    else if (key === "PageUp") turn("previous");
    else if (key === "Enter" || key === " ") {
      if (event.target.matches("button")) return false; // it presses the button
      if (atEnd) turn("next");
      else inspect();
    } else if (key === "Delete" || key === "Backspace") unlabel();
    else if (key === "u") history(event.shiftKey ? "redo" : "undo");
    else if (key === "r") act("retrain");
    else if (key === "t" && state.offers) act("take");
    else if (key === "+" || key === "=") magnify(1);
    else if (key === "-") magnify(-1);
    else if (key === "/") seek();
    else if (key === "?") showKeys(root);
    else if (key === "Escape" && state.filter) act("clear");
    else return false;
    return true;
  }

  // what was sought last is there to be changed, or typed over
  function seek() {
    head.find.value ||= sought;
    head.find.focus();
    head.find.select();
  }

  function moveBy(step, key) {
    const last = grid.tiles().length - 1;
    const index = grid.index();
    if (atEnd) {
      if (key === "ArrowRight") turn("next");
      else if (step < 0) move(last);
    } else if (step === 1 || index + step >= 0) {
      if (step === 1 || index + step <= last) move(index + step);
    }
  }

  function onclick(event) {
    const tile = grid.tiles().find((one) => one.root.contains(event.target));
    if (!tile || grid.waits()) return;
    const button = event.target.closest(".aw-score");
    const looked = since;
    move(grid.tiles().indexOf(tile), !button);
    if (button) {
      since = looked; // the person looked at it before the click
      scoreCurrent(Number(button.dataset.score));
    }
    focus();
  }

  root.addEventListener("keydown", onkeydown);
  keepKeys(root);
  grid.root.addEventListener("click", onclick);
  grid.root.addEventListener("dblclick", (event) => {
    if (event.target.closest(".aw-picture")) inspect();
  });
  head.root.addEventListener("click", (event) => {
    // after a button the keys go on to work as before
    if (event.target.closest("button") && !root.querySelector(".aw-overlay")) focus();
  });

  // After a click beside the gallery its keys go on to work. A button that was pressed by key keeps
  // the focus, as does whatever has a use for keys of its own.
  function takeKeys({ target, detail }) {
    const isBeside = detail > 0 && !root.contains(target);
    if (isBeside && !target.closest("input, textarea, select, summary, a, dialog")) focus();
  }

  // -- life --------------------------------------------------------------------------------

  let dashboard = null;
  const onresize = new ResizeObserver(() => {
    grid.fit(body.clientWidth, opened?.page.records.length ?? 0);
    dashboard ??= el.closest(".aw-dashboard"); // there once this element lies in the page
    dashboard?.addEventListener("click", takeKeys);
    dashboard?.style.setProperty("--aw-head-height", `${head.root.offsetHeight}px`);
  });
  onresize.observe(head.root);
  onresize.observe(body);
  onscroll.observe(foot);
  const onleave = (event) => {
    // the browser asks whether to leave while a score is not stored
    if (labels.failures().length || channel.waiting().some(({ message }) => message.object_ids)) {
      event.preventDefault();
    }
  };
  window.addEventListener("beforeunload", onleave);
  model.on("change:page", onPage);
  model.on("change:state", onState);
  head.note("");
  onPage();
  channel.hello().then((reply) => {
    labels.learn(reply.labels);
    if (!channel.waiting().length) moveToObject(reply.current); // unless the person was quicker
    drawHead();
  });

  return () => {
    onresize.disconnect();
    dashboard?.removeEventListener("click", takeKeys);
    onscroll.disconnect();
    clearTimeout(moveTimer);
    clearTimeout(headTimer);
    window.removeEventListener("beforeunload", onleave);
    channel.close();
    model.off("change:page", onPage);
    model.off("change:state", onState);
  };
}

export default { render };
