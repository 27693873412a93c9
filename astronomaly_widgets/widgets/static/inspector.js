// One object: compact in the page, or large over the whole window (a modal dialog, which no
// container of the notebook can clip, and which keeps the focus until Escape).

const WAITS = "tags and comment are stored with a score";

const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};

function button(name, text, words, action) {
  const node = make("button", name, text);
  node.type = "button";
  node.title = words;
  node.setAttribute("aria-label", words);
  node.addEventListener("click", action);
  return node;
}

function table(rows) {
  const node = make("table");
  for (const [name, value] of rows) {
    const line = make("tr");
    line.append(make("th", "", name), make("td", "", value));
    node.append(line);
  }
  return node;
}

function section(name, title) {
  const node = make("details", `aw-section ${name}`);
  const summary = make("summary", "", title);
  const content = make("div", "aw-section-content");
  node.append(summary, content);
  return { node, summary, content };
}

function render({ model, el }) {
  const root = make("div", "aw-inspector-root");
  keepKeys(root);
  const dialog = make("dialog", "aw-inspector-large");
  dialog.setAttribute("aria-label", "inspector");
  const body = make("div", "aw-inspector-body");
  body.tabIndex = -1;
  root.append(body, dialog);
  el.append(root);

  let shown = { object_id: null }; // the record on the screen
  let since = performance.now();
  // of the object on the screen
  let draft = { object_id: null, score: null, tags: [], comment: "" };
  let leaving = null; // the object that was scored and is about to make place for the next

  const focus = () => body.focus({ preventScroll: true });

  // One of the children may have the focus: it stays in the inspector, whose keys go on to work.
  function refill(parent, ...children) {
    const had = parent.contains(document.activeElement);
    parent.replaceChildren(...children);
    if (had) focus();
  }

  // ---- head
  const head = make("div", "aw-panel-head");
  const name = make("span", "aw-panel-title aw-inspector-id");
  const where = make("span", "aw-inspector-where");
  const sexagesimal = make("span", "aw-inspector-where aw-inspector-sexagesimal");
  const copy = button("aw-inspector-copy", "copy", "copy right ascension and declination", () => {
    const text = shown.sky.copy;
    // a hub without https has no clipboard; then the text is selected to be copied by hand
    if (navigator.clipboard) {
      navigator.clipboard.writeText(text).then(
        () => say("position copied"),
        () => select(where),
      );
    } else select(where);
  });
  const back = button("aw-inspector-step", "‹", "previous object (left arrow)", () => step(-1));
  const next = button("aw-inspector-step", "›", "next object (right arrow)", () => step(1));
  // after the gallery has taken the focus of a click, to be given it back
  const enlarge = button("aw-inspector-enlarge", "", "", () => setTimeout(toggle));
  const nameEnlarge = (open) => {
    enlarge.textContent = open ? "✕" : "⤢";
    enlarge.title = open ? "close (Escape)" : "show large";
    enlarge.setAttribute("aria-label", enlarge.title);
  };
  nameEnlarge(false);
  head.append(name, make("span", "aw-space"), back, next, enlarge);
  const sky = make("div", "aw-inspector-sky");
  const links = make("span", "aw-inspector-links");
  sky.append(where, sexagesimal, copy, links);

  // ---- picture
  const frame = make("div", "aw-inspector-frame");
  const box = make("div", "aw-inspector-picture");
  const picture = openPicture(box);
  const plot = openPlot(frame);
  const seen = () => (shown.plot ? plot : picture);
  const tools = make("div", "aw-inspector-zoom");
  tools.append(
    button("", "+", "zoom in (+)", () => seen().zoom(1.6)),
    button("", "−", "zoom out (−)", () => seen().zoom(1 / 1.6)),
    button("", "fit", "show it whole (double click)", () => seen().reset()),
  );
  const bands = make("div", "aw-inspector-bands"); // of an image; a plot has its own
  frame.append(box, tools, bands);

  // ---- numbers and label
  const side = make("div", "aw-inspector-side");
  const facts = make("div", "aw-inspector-facts");
  const scores = make("div", "aw-inspector-scores");
  scores.setAttribute("role", "group");
  scores.setAttribute("aria-label", "score");
  const scoreButtons = [0, 1, 2, 3, 4, 5].map((value) =>
    button("aw-score", String(value), `score ${value}`, () => score(value)),
  );
  scoreButtons.forEach((node, value) => {
    node.dataset.score = value;
  });
  scores.append(...scoreButtons);
  const tags = make("div", "aw-inspector-tags");
  const newTag = make("input", "aw-inspector-new-tag");
  newTag.placeholder = "add a tag";
  newTag.maxLength = 80;
  newTag.setAttribute("aria-label", "add a tag");
  const comment = make("textarea", "aw-inspector-comment");
  comment.placeholder = "comment";
  comment.rows = 1;
  comment.setAttribute("aria-label", "comment");
  const status = make("div", "aw-inspector-status");
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  const features = section("aw-inspector-features", "features");
  const catalog = section("aw-inspector-catalog", "catalog");
  const near = section("aw-inspector-neighbors", "nearest neighbors");
  near.node.open = true;
  tags.append(newTag);
  side.append(facts, scores, tags, comment, status);
  const more = make("div", "aw-inspector-more");
  more.append(near.node, features.node, catalog.node);
  body.append(head, sky, frame, side, more);

  // ---- showing
  function say(words, wrong = false) {
    status.textContent = words;
    status.classList.toggle("aw-wrong", wrong);
  }

  function select(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  function showRecord() {
    const record = model.get("record");
    if (record.key === shown.key) return;
    const other = record.object_id !== shown.object_id;
    const redrawn = other || record.band !== shown.band;
    if (other) keepTexts(); // what is still being typed belongs to the object that goes
    shown = record;
    if (other) leaving = null;
    const none = record.object_id === null || record.object_id === undefined;
    body.classList.toggle("aw-nothing", none);
    name.textContent = none ? "No object chosen" : record.object_id;
    name.title = none ? "" : record.object_id;
    root.dataset.objectId = none ? "" : record.object_id;
    if (none) {
      picture.show(null);
      plot.show(null);
      return;
    }
    if (other) {
      since = performance.now();
      box.style.display = record.plot ? "none" : "";
      plot.show(record.plot ?? null, record.object_id);
      say("");
    }
    if (redrawn) {
      const band = record.bands?.[record.band];
      const words = `picture of ${record.object_id}${band ? `, band ${band}` : ""}`;
      picture.show(record.picture, record.mime, words, !other);
      showBands();
    }
    where.textContent = record.sky ? `RA ${record.sky.ra}° Dec ${record.sky.dec}°` : "";
    sexagesimal.textContent = record.sky?.sexagesimal ?? "";
    sky.style.display = record.sky ? "" : "none";
    refill(
      links,
      ...(record.sky?.links ?? []).map(([title, url]) => {
        const link = make("a", "", title);
        link.href = url;
        link.target = "_blank";
        link.rel = "noopener noreferrer";
        return link;
      }),
    );
    facts.replaceChildren(table(record.facts));
    catalog.content.replaceChildren(table(record.catalog));
    catalog.node.style.display = record.catalog.length ? "" : "none";
    features.content.replaceChildren(...record.features.map(bar));
    features.summary.textContent = `features, most unusual first (${record.n_features})`;
    features.node.style.display = record.features.length ? "" : "none";
    showLabel();
    showNeighbors();
  }

  function showBands() {
    const names = shown.bands ?? [];
    const choices = names.length ? [["all", null], ...names.map((name, band) => [name, band])] : [];
    refill(
      bands,
      ...choices.map(([words, band]) => {
        const says = band === null ? "show all bands" : `show band ${words}`;
        const node = button("aw-inspector-band", words, says, () => {
          channel.send("band", { band }).catch(complain);
        });
        node.setAttribute("aria-pressed", String((shown.band ?? null) === band));
        return node;
      }),
    );
  }

  function bar([title, value, deviation]) {
    const line = make("div", "aw-feature");
    line.title = `${title} = ${value}: ${deviation.toFixed(1)} spreads from the median`;
    const track = make("span", "aw-feature-track");
    const fill = make("span", "aw-feature-fill");
    const length = Math.min(1, Math.abs(deviation) / 8) * 50;
    fill.style.left = `${deviation < 0 ? 50 - length : 50}%`;
    fill.style.width = `${length}%`;
    fill.classList.toggle("aw-extreme", Math.abs(deviation) > 3);
    track.append(fill);
    line.append(make("span", "aw-feature-name", title), track, make("span", "aw-feature-value", value));
    return line;
  }

  function showLabel() {
    const label = model.get("label");
    if (label.object_id !== shown.object_id) return;
    const typing = document.activeElement === comment && draft.object_id === label.object_id;
    const { object_id, score, tags: given, comment: words } = label;
    draft = { object_id, score, tags: [...given], comment: words };
    if (!typing) comment.value = draft.comment;
    if (score === null) paintWaiting();
    else paintLabel("stored");
  }

  // without a score nothing is stored; what was written waits for one
  function paintWaiting() {
    const waits = draft.tags.length > 0 || draft.comment !== "";
    paintLabel(waits ? "draft" : "stored");
    if (waits) say(WAITS);
    else if (status.textContent === WAITS) say("");
  }

  function paintLabel(state) {
    scoreButtons.forEach((node, value) => {
      const on = draft.score === value;
      node.setAttribute("aria-pressed", String(on));
      inScoreColor(node, on ? value : null);
    });
    root.dataset.score = draft.score ?? "";
    root.dataset.state = state;
    const chips = draft.tags.map((tag) => {
      const chip = make("span", "aw-chip", tag);
      chip.append(button("", "✕", `remove the tag ${tag}`, () => {
        draft.tags = draft.tags.filter((other) => other !== tag);
        focus(); // the button goes
        store();
      }));
      return chip;
    });
    for (const chip of tags.querySelectorAll(".aw-chip")) chip.remove();
    newTag.before(...chips); // which stays where it is, with the focus and what is being typed
  }

  function showNeighbors() {
    const found = model.get("neighbors");
    const fits = found.object_id === shown.object_id;
    near.node.classList.toggle("aw-waiting", !fits);
    if (!fits) return;
    refill(
      near.content,
      ...found.objects.map((object) => {
        const words = object.score === null ? "not labeled" : `labeled ${object.score}`;
        const node = button("aw-neighbor", "", `${object.object_id}, ${words}`, () => {
          channel.send("go", { object_id: object.object_id }).catch(complain);
        });
        node.dataset.objectId = object.object_id;
        const image = make("img");
        image.alt = "";
        image.src = pictureUrl(object.picture, "image/jpeg");
        node.append(image);
        if (object.score !== null) {
          const badge = make("span", "aw-badge", String(object.score));
          inScoreColor(badge, object.score);
          node.append(badge);
        }
        return node;
      }),
    );
  }

  // ---- labeling
  const complain = (error) => {
    say(error.message, true);
    showLabel(); // what the kernel has
  };

  function store() {
    const object_id = shown.object_id;
    if (object_id === null || object_id === undefined) return;
    if (draft.score === null) {
      const { tags: given, comment: words } = draft;
      paintWaiting();
      channel.send("draft", { object_id, tags: given, comment: words }).catch(complain);
      return;
    }
    paintLabel("pending");
    const seconds = Math.min(3600, (performance.now() - since) / 1000);
    channel.send("label", { ...draft, object_id, seconds }).then(
      () => {
        if (shown.object_id !== object_id) return;
        root.dataset.state = "stored";
        if (status.textContent === WAITS) say("");
      },
      complain,
    );
  }

  function score(value) {
    // a digit typed before the next object is seen is not for the one still on the screen
    if (leaving !== null && leaving === shown.object_id) return;
    takeTexts();
    draft.score = value;
    store();
    if (!dialog.open) return;
    leaving = shown.object_id;
    step(1);
  }

  function takeTexts() {
    draft.comment = comment.value;
    const tag = newTag.value.trim();
    if (tag && !draft.tags.includes(tag)) draft.tags.push(tag);
    newTag.value = "";
  }

  function keepTexts() {
    if (!newTag.value.trim() && comment.value === draft.comment) return;
    takeTexts();
    store();
  }

  function step(by) {
    channel.send("step", { by }).then(
      ({ current }) => {
        if (current === shown.object_id) leaving = null; // there was nothing to step to
      },
      (error) => {
        leaving = null;
        complain(error);
      },
    );
  }

  newTag.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || isComposing(event)) return;
    event.preventDefault();
    keepTexts();
  });
  for (const field of [newTag, comment]) field.addEventListener("change", keepTexts);

  // a page that is closed says no more than that it is hidden
  const onhide = () => document.hidden && keepTexts();
  document.addEventListener("visibilitychange", onhide);

  // ---- large
  // A modal dialog locks the page even if it lies in a hidden tab, and a second one locks the first.
  const isFree = () =>
    root.getClientRects().length > 0 && !document.querySelector(".aw-inspector-large[open]");

  let opener = null; // what had the focus, and is moved with the body
  function toggle(open = !dialog.open) {
    if (open === dialog.open) return;
    if (open) {
      opener = document.activeElement;
      root.style.minHeight = `${root.clientHeight}px`; // the page below stays where it is
      dialog.append(body);
      dialog.showModal();
      body.focus();
    } else dialog.close();
    nameEnlarge(open);
    features.node.open = catalog.node.open = open;
  }
  dialog.addEventListener("close", () => {
    root.prepend(body);
    root.style.minHeight = "";
    if (body.contains(opener)) opener.focus({ preventScroll: true });
    nameEnlarge(false);
    features.node.open = catalog.node.open = false;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside the content
  });
  root.addEventListener("keydown", (event) => {
    if (!dialog.open) return;
    const typing = event.target.matches("input, textarea");
    if (typing || event.altKey) return;
    const undoes = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if ((event.ctrlKey || event.metaKey) && !undoes) return;
    const digit = digitOf(event);
    const arrows = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (undoes || event.key === "u" || event.key === "U") {
      channel.send(event.shiftKey ? "redo" : "undo").catch(complain);
    } else if (typeof digit === "number") {
      if (!event.repeat) score(digit); // held down, it would score objects before they are seen
    } else if (event.key in arrows) step(arrows[event.key]);
    else if (event.key === "+" || event.key === "=") seen().zoom(1.6);
    else if (event.key === "-") seen().zoom(1 / 1.6);
    else if (event.key === "f" && shown.plot) plot.fold();
    else if (event.key === "Delete" || event.key === "Backspace") {
      channel.send("unlabel", { object_id: shown.object_id }).catch(complain);
    } else return;
    event.preventDefault();
  });

  let complaint = null; // what was last said of a kernel that does not answer
  const channel = openChannel(model, {
    onpush: (content) => content.type === "enlarge" && isFree() && toggle(true),
    onchange: () => {
      const late = channel.waiting().filter((event) => event.late).length;
      if (late) {
        complaint = `${late} not stored yet: the kernel does not answer`;
        say(complaint, true);
      } else if (status.textContent === complaint) say("");
    },
  });
  model.on("change:record", showRecord);
  model.on("change:label", showLabel);
  model.on("change:neighbors", showNeighbors);
  showRecord();
  channel.hello();

  return () => {
    keepTexts();
    document.removeEventListener("visibilitychange", onhide);
    channel.close();
    picture.close();
    plot.close();
    model.off("change:record", showRecord);
    model.off("change:label", showLabel);
    model.off("change:neighbors", showNeighbors);
  };
}

export default { render };
