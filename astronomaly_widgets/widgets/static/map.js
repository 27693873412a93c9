// The head of the map, its lasso and hover card; with map_legend.js its legend, with map_canvas.js
// also its canvas, with map_keys.js its crosshair.

const MODE_ICONS = {
  point: ["choose objects", "M3 2l8.5 6.2-3.9.6L10 13l-2 .9-2.3-4.2L3 12.4z"],
  lasso: ["lasso", "M8 2.5c3.3 0 6 1.7 6 3.9s-2.7 3.9-6 3.9-6-1.700-6-3.900 2.700-3.900 6-3.900zM5 10c-1.200.9-1.300 2.600.1 3.800"],
  rectangle: ["rectangle", "M2.500 3.500h11v9h-11z"],
  pan: ["move and zoom", "M8 1.500v13M1.500 8h13M8 1.500L6 3.500M8 1.500l2 2M8 14.500l-2-2M8 14.500l2-2M1.500 8l2-2M1.500 8l2 2M14.500 8l-2-2M14.500 8l-2 2"],
};
const MOST_CORNERS = 256;
const CLICK_SLACK = 3; // px a click may move
const REACH = 8; // px from an object at which the pointer means it
const AIM_REACH = 24; // the crosshair goes in steps
const BELOW = 8; // px between the plot and the legend, and below that

const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};
const drawn = (name, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

function icon(path) {
  const svg = drawn("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" });
  svg.append(drawn("path", {
    d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.3, "stroke-linejoin": "round",
  }));
  return svg;
}

function render({ model, el }) {
  const root = make("div", "aw-map-root");
  keepKeys(root);
  el.append(root);
  const panel = () => el.closest(".aw-feature-map") ?? el;
  const draws = model.get("head").canvas;

  // head
  const head = make("div", "aw-panel-head");
  const note = make("span", "aw-panel-note");
  const clear = make("button", "aw-map-clear");
  clear.title = "show all objects in the gallery again";
  clear.addEventListener("click", () => channel.send("clear"));
  const modes = make("div", "aw-map-modes");
  modes.setAttribute("role", "radiogroup");
  modes.setAttribute("aria-label", "what the pointer does");
  const buttons = new Map();
  for (const mode of model.get("head").modes) {
    const [words, path] = MODE_ICONS[mode];
    const button = make("button", "aw-map-mode");
    button.dataset.mode = mode;
    button.title = words;
    button.setAttribute("aria-label", words);
    button.setAttribute("role", "radio");
    button.append(icon(path));
    button.addEventListener("click", () => {
      showMode(mode); // at once; the kernel follows
      channel.send("mode", { mode });
    });
    modes.append(button);
    buttons.set(mode, button);
  }
  const reset = make("button", "aw-map-reset");
  reset.title = "show the whole map";
  reset.setAttribute("aria-label", "show the whole map");
  reset.append(icon("M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4"));
  reset.addEventListener("click", showAll);
  modes.append(reset);
  head.append(make("span", "aw-panel-title", "Map"), note, clear, modes);

  const legend = makeMapLegend({
    oncolor: (value) => channel.send("color", { color_by: value }).catch(showHead),
    onkind: (number) => channel.send("kind", { number }).catch(showHead),
  });

  // lasso
  const lasso = drawn("svg", { class: "aw-map-lasso" });
  const outline = drawn("path", {});
  lasso.append(outline);
  lasso.style.display = "none";

  // hover card
  const card = make("div", "aw-map-card");
  card.setAttribute("role", "status"); // read out when the crosshair meets an object
  card.hidden = true;
  const cardPicture = make("img");
  cardPicture.alt = "";
  const cardName = make("b");
  const cardScore = make("span");
  card.append(cardPicture, cardName, cardScore);

  root.append(head);
  let canvas = null;
  if (draws) {
    el.classList.add("aw-map-draws");
    const stage = make("div", "aw-map-stage");
    root.append(stage);
    canvas = openMapCanvas(stage, model, { onview: (view) => channel.send("view", view) });
  }
  const aim = makeAim({
    look(place) {
      pointer = place && eventAt(place);
      if (pointer) askWhatIsHere();
      else hideCard();
    },
    choose: (place) => channel.send("click", locate(eventAt(place), AIM_REACH)),
    select: (a, b) => select([[a.x, a.y], [b.x, a.y], [b.x, b.y], [a.x, b.y]]),
    clear: () => channel.send("clear"),
    zoom(factor, place) {
      if (canvas) canvas.zoom(factor, place);
      else channel.send("zoom", { factor, ...place });
    },
    reset: showAll,
  });
  root.append(lasso, aim.node, legend.node, card);

  function showAll() {
    if (canvas) canvas.reset();
    else channel.send("reset");
  }

  function select(polygon) {
    channel.send("select", { polygon, window: canvas ? canvas.visible() : null });
  }

  let mode = "point";
  let pointer = null; // where it is over the map, in client coordinates
  let over = false; // whether it is over an object

  function plotBox() {
    const plot = canvas?.canvas ?? panel().querySelector(".plotarea_background");
    return plot?.getBoundingClientRect();
  }

  function showMode(name) {
    mode = name;
    panel().dataset.mode = name;
    for (const [key, button] of buttons) {
      button.setAttribute("aria-checked", String(key === name));
    }
    placeLasso();
    hideCard();
  }

  function placeLasso() {
    const box = plotBox();
    lasso.style.display = box && (mode === "lasso" || mode === "rectangle") ? "block" : "none";
    if (!box) return;
    const around = panel().getBoundingClientRect();
    const [left, top] = [box.left - around.left, box.top - around.top]
      .map((length) => length - panel().clientLeft); // its border
    lasso.style.left = `${left}px`;
    lasso.style.top = `${top}px`;
    lasso.setAttribute("width", box.width);
    lasso.setAttribute("height", box.height);
    aim.put(left, top, box.width, box.height);
  }

  function showHead() {
    const state = model.get("head");
    note.textContent = state.embedding;
    note.title = state.embedding;
    clear.hidden = state.n_selected === 0;
    clear.style.display = state.n_selected ? "" : "none";
    clear.textContent = `${state.n_selected.toLocaleString("en")} selected ✕`;
    legend.show(state, draws);
    showMode(state.mode);
  }

  // card
  function hideCard() {
    over = false;
    card.hidden = true;
  }

  function placeCard() {
    if (!pointer) return;
    const around = panel().getBoundingClientRect();
    const x = pointer.clientX - around.left;
    const y = pointer.clientY - around.top;
    const { offsetWidth: width, offsetHeight: height } = card;
    card.style.left = `${x + 14 + width < around.width ? x + 14 : Math.max(2, x - width - 14)}px`;
    card.style.top = `${Math.min(Math.max(2, y - height / 2), around.height - height - 4)}px`;
  }

  function showCard(content, [bytes]) {
    if (!over) return; // the pointer went on
    cardPicture.src = pictureUrl(bytes, "image/jpeg");
    card.dataset.objectId = content.object_id;
    cardName.textContent = content.object_id;
    const label = content.label === null ? "" : ` · labeled ${content.label}`;
    cardScore.textContent = content.score + label;
    card.hidden = false;
    placeCard();
  }

  const channel = openChannel(model, {
    onpush: (content, buffers) => content.type === "card" && showCard(content, buffers),
  });

  // pointer: all places are sent as parts of the plot, x to the right, y downwards
  function locate(event, reach = REACH) {
    const box = plotBox();
    return {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
      x_reach: reach / box.width,
      y_reach: reach / box.height,
      window: canvas ? canvas.visible() : null,
    };
  }

  // where a pointer would be at this place
  function eventAt({ x, y }) {
    const box = plotBox();
    return { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
  }

  function isOnPlot(event) {
    const box = plotBox();
    if (!box || root.contains(event.target) && event.target !== canvas?.canvas) return false;
    return event.clientX >= box.left && event.clientX <= box.right
      && event.clientY >= box.top && event.clientY <= box.bottom;
  }

  let asking = false;
  async function askWhatIsHere() {
    if (asking || !pointer) return;
    asking = true;
    const asked = pointer;
    try {
      const answer = await channel.send("hover", locate(asked));
      over = answer.found && pointer !== null;
    } catch {
      over = false; // the kernel keeps its own account of errors
    }
    if (!over) hideCard();
    panel().style.cursor = over ? "pointer" : "";
    asking = false;
    if (pointer && asked !== pointer) askWhatIsHere();
  }

  function onMove(event) {
    if (!event.buttons) drag = null; // let go beside the panel, which nobody told
    if (drag) {
      const far = Math.hypot(event.clientX - drag.from.clientX, event.clientY - drag.from.clientY);
      drag.moved ||= far > CLICK_SLACK;
      if (canvas && mode === "pan" && drag.moved) {
        canvas.pan(event.clientX - drag.last.clientX, event.clientY - drag.last.clientY);
      }
      drag.last = event;
    }
    pointer = !drag && isOnPlot(event) ? event : null;
    if (pointer) askWhatIsHere();
    else hideCard();
    if (!card.hidden) placeCard();
  }

  function onLeave() {
    pointer = null;
    hideCard();
  }

  // a press that does not move is a click; bqplot moves its own map, the canvas is moved here
  let drag = null;
  function onDown(event) {
    if (event.button !== 0 || !isOnPlot(event)) return;
    drag = { from: event, last: event, moved: false };
    if (canvas && mode === "pan") canvas.canvas.setPointerCapture(event.pointerId);
    hideCard();
  }

  function onUp(event) {
    if (drag && !drag.moved && event.type === "pointerup") channel.send("click", locate(event));
    drag = null;
  }

  // lasso and rectangle: corners are fractions of the plot
  let corners = null;
  const fraction = (event) => {
    const box = lasso.getBoundingClientRect();
    const part = (value, size) => Math.min(1, Math.max(0, value / size));
    return [part(event.clientX - box.left, box.width), part(event.clientY - box.top, box.height)];
  };
  const polygon = () => {
    if (mode === "lasso") return corners;
    const [[x0, y0]] = corners;
    const [x1, y1] = corners.at(-1);
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  };
  lasso.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    lasso.setPointerCapture(event.pointerId);
    corners = [fraction(event)];
  });
  lasso.addEventListener("pointermove", (event) => {
    if (!corners) return;
    corners.push(fraction(event));
    const { width, height } = lasso.getBoundingClientRect();
    const path = polygon().map(([x, y]) => `${(x * width).toFixed(1)},${(y * height).toFixed(1)}`);
    outline.setAttribute("d", `M${path.join("L")}Z`);
  });
  lasso.addEventListener("pointerup", () => {
    if (!corners) return;
    const all = polygon();
    const step = Math.ceil(all.length / MOST_CORNERS);
    const kept = all.filter((_, i) => i % step === 0);
    const large = corners.length > 2;
    corners = null;
    outline.removeAttribute("d");
    if (large && kept.length > 2) select(kept);
  });
  lasso.addEventListener("pointercancel", () => {
    corners = null;
    outline.removeAttribute("d");
  });

  if (canvas) {
    canvas.canvas.addEventListener("wheel", (event) => {
      if (mode !== "pan") return; // else the page scrolls
      event.preventDefault();
      hideCard();
      canvas.zoom(Math.exp(event.deltaY * 0.0015), locate(event));
    }, { passive: false });
    canvas.canvas.addEventListener("dblclick", () => mode === "pan" && canvas.reset());
  }

  // bqplot lays itself out some time after the panel has changed its size
  const gestures = {
    pointerenter: placeLasso,
    focusin: placeLasso,
    pointermove: onMove,
    pointerleave: onLeave,
    pointerdown: onDown,
    pointerup: onUp,
    pointercancel: onUp,
  };
  // the panel is there once this element lies in the page, which is after render()
  let watched = null;
  const size = new ResizeObserver(() => {
    if (!watched && el.isConnected) {
      watched = panel();
      for (const [name, action] of Object.entries(gestures)) watched.addEventListener(name, action);
      size.observe(watched);
    }
    panel().dataset.mode = mode;
    placeLasso();
  });
  size.observe(root);
  // the plot ends where the legend begins, which is higher the more kinds there are
  const room = new ResizeObserver(([{ borderBoxSize: [legendBox] }]) => {
    const height = legendBox.blockSize; // none while the page hides it
    if (height) requestAnimationFrame(() => (panel().style.paddingBottom = `${height + BELOW}px`));
  });
  room.observe(legend.node);
  model.on("change:head", showHead);
  showHead();
  channel.hello();

  return () => {
    channel.close();
    canvas?.close();
    size.disconnect();
    room.disconnect();
    for (const [name, action] of Object.entries(gestures)) {
      watched?.removeEventListener(name, action);
    }
    model.off("change:head", showHead);
  };
}

export default { render };
