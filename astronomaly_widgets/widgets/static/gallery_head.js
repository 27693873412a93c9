// The head of the gallery: the toolbar, the status line and the list of keys.

const KEYS = [
  ["0 \u2026 5", "score it, go to the next"],
  ["\u2190 \u2192 \u2191 \u2193", "move; also Home, End"],
  ["Space or \u21b5", "open in the inspector"],
  ["u", "undo; also Ctrl Z"],
  ["\u21e7 u", "redo; also Ctrl Y"],
  ["Del", "take the label away"],
  ["\u21e7 0", "rest of the page is 0"],
  ["PgDn, PgUp", "turn the page"],
  ["r", "retrain"],
  ["t", "take the new ranking"],
  ["+ \u2212", "magnify the pictures"],
  ["/", "find an object by its id"],
  ["Esc", "show all objects again"],
  ["?", "this list"],
];

// what is said of a ranking that may be taken
const OFFERS = {
  early: "first pages ready, the rest is being scored: take them \u21b5",
  new: "new ranking ready: take it \u21b5",
  earlier: "the earlier ranking is back: take it \u21b5",
};

// Make an element. Texts are set as text, never parsed, so names of objects stay names.
function make(tag, className, { text, label, title, on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (label) element.setAttribute("aria-label", label);
  if (title ?? label) element.title = title ?? label;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function makeButton(className, text, label, onclick) {
  return make("button", className, { type: "button", text, label, on: { click: onclick } });
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function grouped(n) {
  return n.toLocaleString("en"); // as the map, the axes and what the kernel says
}

function counted(n, one, many) {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

// Fill a <select> only when its options have changed, so that an open list stays open.
function setOptions(select, values, words, chosen) {
  const wanted = JSON.stringify(values);
  if (select.dataset.values !== wanted) {
    select.dataset.values = wanted;
    select.replaceChildren(
      ...values.map((value, i) => make("option", "", { value: String(value), text: words[i] })),
    );
  }
  select.value = String(chosen);
}

// actions: what the buttons do, by name; see gallery.js
function makeHead(actions) {
  const title = make("b", "aw-title");
  const counts = make("span", "aw-quiet");
  const order = make("select", "aw-order", {
    label: "order of the objects",
    on: { change: () => actions.order(order.value) },
  });
  const hide = makeButton("aw-chip aw-hide-labeled", "hide labeled", "", () => actions.hide());
  const find = make("input", "aw-chip aw-find", {
    type: "search",
    placeholder: "find id",
    label: "find an object by its id, or by a part of it",
    spellcheck: "false",
    on: {
      keydown: (event) => {
        if (isComposing(event)) return;
        if (event.key === "Enter" && find.value.trim()) actions.find(find.value.trim());
        if (event.key === "Escape") actions.leave();
      },
    },
  });
  const previous = makeButton("aw-icon aw-previous-page", "\u2039", "previous page (PgUp)", () =>
    actions.turn("previous"),
  );
  const number = make("b");
  const total = make("span");
  // as wide as it ever gets: the buttons beside it stay under the pointer
  const pages = make("span", "aw-pages", {}, make("span", "", {}, "page ", number, total));
  const next = makeButton("aw-icon aw-next-page", "\u203a", "next page (PgDn)", () =>
    actions.turn("next"),
  );
  const size = make("select", "aw-per-page", {
    label: "objects on a page",
    on: { change: () => actions.size(Number(size.value)) },
  });
  const zoom = make("select", "aw-zoom", {
    label: "magnify the middle of the pictures (+, \u2212)",
    on: { change: () => actions.zoom(Number(zoom.value)) },
  });
  const undo = makeButton("aw-chip aw-undo", "\u21b6 undo", "undo (u)", () => actions.undo());
  const redo = makeButton("aw-chip aw-redo", "\u21b7", "redo (shift u)", () => actions.redo());
  const retrain = makeButton(
    "aw-retrain",
    "Retrain",
    "learn from the labels (r); labeling goes on meanwhile",
    () => actions.retrain(),
  );
  const cancel = makeButton("aw-chip aw-cancel", "\u2715", "cancel the retrain", () =>
    actions.cancel(),
  );
  const chip = (select, word) => make("label", "aw-chip aw-select", {}, word, select);
  const zoomChip = chip(zoom, "");
  const group = (...children) => make("div", "aw-group", {}, ...children); // what wraps together
  const toolbar = make(
    "div",
    "aw-toolbar",
    { role: "toolbar", label: "gallery", title: "" },
    group(group(title, counts), group(chip(order, "order: "), hide, find)),
    group(
      group(make("span", "aw-pager", {}, previous, pages, next), chip(size, ""), zoomChip),
      group(undo, redo, make("span", "aw-train", {}, retrain, cancel)),
    ),
  );

  const labeled = make("span", "");
  const found = make("b");
  const stored = make("span", "aw-stored");
  const retry = makeButton("aw-link aw-retry", "retry", "store these labels again", () =>
    actions.retry(),
  );
  const offer = makeButton("aw-link aw-offer", "", "", () => actions.take());
  offer.title = "show it from its first page (t); the next page takes it, too";
  const filter = make("span", "aw-filter");
  const filterText = make("span");
  const clear = makeButton("aw-link aw-clear", "\u2715 clear", "show all objects again (Esc)", () =>
    actions.clear(),
  );
  const scoreAll = () => {
    actions.all(Number(all.value));
    all.value = "";
  };
  const all = make("select", "aw-all", {
    label: "score all that are shown, also on other pages (by key: \u21b5)",
    on: {
      change: () => byKey || scoreAll(), // a key may pass scores that are not meant
      keydown: (event) => {
        if (event.key === "Enter" && all.value) scoreAll();
      },
      blur: () => (all.value = ""),
    },
  });
  for (const score of ["", 0, 1, 2, 3, 4, 5]) {
    const option = make("option", "", { text: score === "" ? "score all" : `all ${score}` });
    option.value = String(score);
    all.append(option);
  }
  const allLabel = make("label", "aw-select", {}, all);
  filterText.className = "aw-filter-text";
  filter.append(filterText, allLabel, clear);
  const reason = make("span", "aw-page-reason");
  const note = make("span", "aw-note");
  const warning = make("span", "aw-warning");
  const error = make("span", "aw-error", { role: "alert" });
  const errorText = make("span");
  const dismiss = makeButton("aw-link", "\u2715", "dismiss this message", () => actions.dismiss());
  error.append(errorText, dismiss);
  const status = make(
    "div",
    "aw-status",
    { role: "status", "aria-live": "polite" },
    make(
      "div",
      "aw-line",
      {},
      make("span", "", {}, labeled, found),
      make("span", "", {}, stored, retry),
      ...[offer, filter, reason, note, warning],
    ),
    error,
  );
  const pace = make("select", "aw-pace", {
    label: "when to retrain",
    on: { change: () => actions.pace(Number(pace.value)) },
  });
  const audit = makeButton(
    "aw-link aw-audit",
    "random sample",
    "score a random sample: it tells what the learner has missed",
    () => actions.audit(),
  );
  const kbd = (key) => make("kbd", "", { text: key });
  const help = makeButton("aw-keys-button", "?", "list the keys (?)", () => actions.help());
  const scoring = [kbd("0"), "\u2013", kbd("5"), " score ", kbd("\u2190"), kbd("\u2192"), " move "];
  const keys = make(
    "div",
    "aw-keys",
    {},
    make("span", "aw-some-keys", {}, ...scoring),
    make("span", "aw-more-keys", {}, kbd("u"), " undo ", kbd("\u21e70"), " rest of page "),
    help,
  );
  const aside = make("div", "aw-aside", {}, make("label", "aw-select", {}, "retrain: ", pace), audit);
  const under = make("div", "aw-under", {}, status, aside, keys);
  const root = make("div", "aw-head", {}, toolbar, under);

  // who goes through a list by key is not done at its first change; Escape leaves it
  let byKey = false;
  root.addEventListener("keydown", () => (byKey = true), true);
  root.addEventListener("pointerdown", () => (byKey = false), true);
  root.addEventListener("change", ({ target }) => {
    if (target.matches("select") && !byKey) actions.leave();
  });

  let noteTimer = null;

  return {
    root,
    find,
    order,
    note(text) {
      clearTimeout(noteTimer);
      setText(note, text);
      note.title = text; // where it is cut off
      note.hidden = !text;
      if (text) noteTimer = setTimeout(() => this.note(""), 6000);
    },
    unsay(text) {
      if (note.textContent === text) this.note("");
    },
    // page: what is shown; state: the kernel's; own: what only the browser knows
    draw(page, state, own) {
      setText(title, state.title);
      title.title = state.title;
      const setAside = state.n_set_aside ? ` \u00b7 ${grouped(state.n_set_aside)} set aside` : "";
      setText(counts, counted(state.n_objects, "object", "objects") + setAside);
      setOptions(order, state.orders, state.orders.map(inWords), state.order);
      setOptions(size, state.page_sizes, state.page_sizes.map((n) => `${n} a page`), state.per_page);
      setOptions(zoom, state.zooms, state.zooms.map((by) => `\u00d7${by}`), state.zoom);
      zoomChip.hidden = !state.zooms.length;
      hide.setAttribute("aria-pressed", String(state.hide_labeled));
      hide.title = "leave labeled objects out, from the next page on";
      setText(number, grouped(page.number));
      setText(total, ` of ${grouped(page.n_pages)}`);
      const most = grouped(Math.ceil(state.n_objects / state.per_page));
      pages.dataset.widest = `page ${most} of ${most}`;
      previous.disabled = !page.has_previous;
      next.disabled = !page.has_next && !state.offers;
      undo.disabled = !state.can_undo;
      redo.disabled = !state.can_redo;
      retrain.disabled = state.retraining;
      const percent = Math.round(100 * state.progress);
      setText(retrain, state.retraining ? `${percent}%` : "Retrain");
      retrain.style.setProperty("--aw-progress", state.retraining ? `${percent}%` : "0%");
      cancel.hidden = !state.retraining;

      setText(labeled, `${grouped(state.n_labeled)} labeled, `);
      setText(found, `${grouped(state.n_found)} interesting`);
      setText(stored, own.stored);
      stored.classList.toggle("aw-not-stored", own.failed || own.late);
      stored.title = own.reason;
      retry.hidden = !own.failed;
      offer.hidden = !state.offers;
      if (state.offers) setText(offer, OFFERS[state.offers]);
      filter.hidden = !state.filter;
      if (state.filter) setText(filterText, filterInWords(state.filter));
      filterText.title = filterText.textContent; // where it is cut off
      allLabel.hidden = state.read_only || (state.filter && state.filter.n > state.most_at_once);
      reason.hidden = !page.reason || Boolean(state.offers || state.filter);
      setText(reason, `this page: ${page.reason}`);
      setOptions(pace, state.paces, state.paces.map(paceInWords), state.retrain_every);
      pace.disabled = audit.disabled = state.read_only;
      const place = state.read_only
        ? ["read only", "This project can be looked at, but labels cannot be stored in it."]
        : ["temporary: session.save(\u2026) keeps it", "Labels are in a temporary folder."];
      // where it is narrow, what is shown matters more
      const warns = state.read_only || state.is_temporary;
      warning.hidden = !warns || Boolean(state.offers || state.filter);
      setText(warning, place[0]);
      warning.title = place[1];
      setText(errorText, state.error);
      error.hidden = !state.error;
    },
  };
}

function inWords(order) {
  return order.replaceAll("_", " ");
}

function paceInWords(every) {
  return every ? `every ${counted(every, "label", "labels")}` : "when asked";
}

function filterInWords({ kind, n, text }) {
  if (kind === "audit") return `showing a random sample of ${grouped(n)}`;
  if (kind === "changed") return `showing the ${n === 1 ? "one" : grouped(n)} that changed`;
  if (kind === "selected") return `showing ${grouped(n)} selected on the map`;
  return n === 1 ? "showing the one you asked for" : `showing ${grouped(n)} with \u201c${text}\u201d`;
}

// A dialog over the gallery that lists the keys.
function showKeys(root) {
  const close = () => {
    overlay.remove();
    root.focus({ preventScroll: true });
  };
  const rows = KEYS.map(([key, words]) =>
    make(
      "div",
      "",
      {},
      make("dt", "", {}, make("kbd", "", { text: key })),
      make("dd", "", { text: words }),
    ),
  );
  const button = makeButton("aw-chip", "close", "close (Esc)", close);
  const box = make(
    "div",
    "aw-dialog",
    {},
    make("b", "", { text: "Keys" }),
    make("dl", "", {}, ...rows),
    make("p", "", { text: "They work while the gallery has the focus; none reaches the notebook." }),
    button,
  );
  // modal: over the whole window, of which the gallery's own head may have been scrolled out
  const overlay = make("dialog", "aw-overlay", { label: "keys", title: "" }, box);
  overlay.addEventListener("click", (event) => {
    if (event.target === overlay) close();
  });
  overlay.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "?") {
      event.preventDefault();
      close();
    }
    if (event.key === "Tab") event.preventDefault(); // one button: the focus stays on it
  });
  root.append(overlay);
  overlay.showModal();
  button.focus({ preventScroll: true });
}
