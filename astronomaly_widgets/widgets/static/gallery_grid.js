// The grid of objects: pictures, scores, and which one is current. Tiles are made once and filled
// again for every page.

const SCORES = [0, 1, 2, 3, 4, 5];
const TAIL = 6; // of a long id, this many characters at its end are always seen

function makeTile(i, uid) {
  const image = make("img", "", { alt: "", draggable: "false" });
  image.decoding = "sync";
  const badge = make("span", "aw-badge");
  const reason = make("span", "aw-reason");
  const mark = make("span", "aw-mark");
  const head = make("span", "aw-id-head");
  const tail = make("span", "aw-id-tail");
  const value = make("span", "aw-value");
  const buttons = SCORES.map((score) =>
    make("button", "aw-score", { type: "button", tabindex: "-1", text: String(score) }),
  );
  buttons.forEach((button, score) => {
    button.dataset.score = score;
    button.setAttribute("aria-pressed", "false");
  });
  const root = make(
    "div",
    "aw-object",
    { role: "listitem", id: `${uid}-${i}` },
    make("div", "aw-picture", {}, image, badge, reason, mark),
    make("div", "aw-caption", {}, make("span", "aw-id", {}, head, tail), value),
    make("div", "aw-scores", { role: "group" }, ...buttons),
  );
  return { root, image, badge, reason, mark, head, tail, value, buttons, pressed: [], record: null };
}

const VALUES = {
  trained_score: "trained score",
  anomaly_score: "anomaly score",
  relevance: "predicted score",
  uncertainty: "uncertainty",
};

// what the order goes by
function shownValue(record, order) {
  if (record.value !== undefined) return record.value;
  const name = order in VALUES ? order : order === "suggested" ? "trained_score" : "anomaly_score";
  return (record[name] ?? record.anomaly_score)?.toFixed(2) ?? "";
}

function describe(record, order) {
  const lines = [record.object_id];
  if (record.value !== undefined) lines.push(`${order} ${record.value}`);
  for (const [name, words] of Object.entries(VALUES)) {
    if (record[name] !== null) lines.push(`${words} ${record[name].toFixed(3)}`);
  }
  return lines.join("\n");
}

function fillTile(tile, record, url, order) {
  tile.record = record;
  tile.root.dataset.objectId = record.object_id;
  tile.image.src = url;
  tile.image.alt = `object ${record.object_id}`;
  const letters = Array.from(record.object_id);
  const cut = letters.length > TAIL + 2 ? letters.length - TAIL : letters.length;
  setText(tile.head, letters.slice(0, cut).join(""));
  setText(tile.tail, letters.slice(cut).join(""));
  setText(tile.value, shownValue(record, order));
  setText(tile.reason, record.reason);
  tile.reason.hidden = !record.reason;
  tile.root.title = describe(record, order);
}

// state: "" (unlabeled), "stored", "pending" (on its way), "late" or "failed" (not stored)
function paintLabel(tile, score, state) {
  const { root, badge, mark, buttons, record } = tile;
  if (score === null) delete root.dataset.score;
  else root.dataset.score = score;
  root.dataset.state = state;
  setText(badge, score === null ? "" : String(score));
  badge.hidden = score === null;
  inScoreColor(badge, score);
  for (const button of tile.pressed.splice(0)) {
    button.setAttribute("aria-pressed", "false");
    inScoreColor(button, null);
  }
  if (buttons[score]) {
    buttons[score].setAttribute("aria-pressed", "true");
    inScoreColor(buttons[score], score);
    tile.pressed.push(buttons[score]);
  }
  mark.hidden = state !== "late" && state !== "failed";
  setText(mark, mark.hidden ? "" : "not stored");
  const words = score === null ? "unlabeled" : `scored ${score}`;
  root.setAttribute("aria-label", `${record.object_id}, ${words}`);
}

// Pictures of a page, as addresses the browser has decoded before they are shown.
function openPage(page, thumbnails) {
  return { page, urls: thumbnails.map((bytes) => pictureUrl(bytes, page.mime)) };
}

function decodeAhead({ urls }) {
  for (const url of urls) {
    const image = new Image();
    image.src = url;
    image.decode().catch(() => {}); // a page that was dropped meanwhile has no picture to decode
  }
}

// Choose the number of columns: tiles of a good size, and rows that are full or only one.
function columnsFor(width, n) {
  const gap = 7;
  const wanted = Math.min(150, Math.max(92, width / 8.2)); // small tiles where there is little room
  let best = 1;
  let least = Infinity;
  for (let columns = 1; ; columns++) {
    const tile = (width - gap * (columns - 1)) / columns;
    if (tile < 84 && columns > 2) break;
    const ragged = n <= columns || n % columns === 0 ? 0 : 0.22;
    const cost = Math.abs(Math.log(tile / wanted)) + ragged;
    if (cost < least) [best, least] = [columns, cost];
  }
  return best;
}

function makeGrid(uid) {
  const root = make("div", "aw-grid", { role: "list", label: "objects", title: "" });
  const tiles = [];
  let shown = [];
  let current = -1;

  function mark(i) {
    shown[current]?.root.removeAttribute("aria-current");
    current = i;
    shown[current]?.root.setAttribute("aria-current", "true");
  }

  return {
    root,
    tiles: () => shown,
    current: () => shown[current],
    index: () => current,
    tileOf: (objectId) => shown.find((tile) => tile.record.object_id === objectId),
    mark,
    columns: () => {
      const top = shown[0]?.root.offsetTop;
      const second = shown.findIndex((tile) => tile.root.offsetTop !== top);
      return second < 0 ? Math.max(1, shown.length) : second;
    },
    fill({ page, urls }) {
      const n = page.records.length;
      while (tiles.length < n) {
        const tile = makeTile(tiles.length, uid);
        tiles.push(tile);
      }
      mark(-1);
      if (shown.length !== n) {
        shown = tiles.slice(0, n);
        root.replaceChildren(...shown.map((tile) => tile.root));
      }
      shown.forEach((tile, i) => fillTile(tile, page.records[i], urls[i], page.order));
      root.classList.remove("aw-waiting");
    },
    wait() {
      root.classList.add("aw-waiting");
    },
    waits: () => root.classList.contains("aw-waiting"),
    fit(width, n) {
      root.style.setProperty("--aw-columns", columnsFor(width, n));
    },
  };
}
