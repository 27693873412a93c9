// A light curve or a spectrum that can be zoomed (wheel, buttons, keys) and moved; a double click
// shows it whole. A light curve can be folded, and its bands chosen, without asking the kernel.

const PLOT = {
  ground: "#10131a",
  rule: "#3a4250",
  words: "#969eaa",
  most: 1e6, // times the whole range
  small: 240, // px: a plot that is narrower has no axes
};

const numbers = (Kind, view) =>
  new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

// Round numbers between two, at most n.
function plotTicks(low, high, n) {
  const rough = Math.abs(high - low) / n;
  if (!(rough > 0) || !Number.isFinite(rough)) return { ticks: [], step: 1 };
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((nice) => power * nice >= rough * 0.999999);
  const [start, stop] = low < high ? [low, high] : [high, low];
  const ticks = [];
  for (let k = Math.ceil(start / step); k * step <= stop && ticks.length < 50; k++) {
    ticks.push(k * step);
  }
  return { ticks, step };
}

// A number with as many digits as tell it from its neighbors in steps of `step`.
function plotNumber(value, step) {
  const size = Math.max(Math.abs(value), step);
  if (size >= 1e8 || size < 1e-4) return value.toExponential(2);
  return value.toFixed(Math.max(0, Math.min(8, Math.ceil(-Math.log10(step) - 1e-6))));
}

// The phase of each point, twice (two cycles), with the brightest point at 0.
function foldPoints(points, period, turned) {
  const better = turned ? (a, b) => a < b : (a, b) => a > b;
  let first = points[0];
  for (const point of points) if (better(point.y, first.y)) first = point;
  const phase = ({ x }) => ((((x - first.x) / period) % 1) + 1) % 1;
  return [0, 1].flatMap((cycle) =>
    points.map((point) => ({ ...point, x: phase(point) + cycle, time: point.x })),
  );
}

function openPlot(frame) {
  const add = (parent, tag, name, properties = {}) => {
    const node = parent.appendChild(document.createElement(tag));
    node.className = name;
    return Object.assign(node, properties);
  };
  const knob = (parent, name, text, words, action) => {
    const node = add(parent, "button", name, { type: "button", textContent: text, title: words });
    node.setAttribute("aria-label", words);
    node.addEventListener("click", action);
    return node;
  };
  const box = add(frame, "div", "aw-plot");
  const canvas = add(box, "canvas", "aw-plot-canvas");
  canvas.setAttribute("role", "img");
  const readout = add(box, "div", "aw-plot-readout");
  const tools = add(box, "div", "aw-plot-tools");
  const folding = add(tools, "span", "aw-plot-folding");
  const foldKnob = knob(folding, "aw-plot-fold", "fold", "fold at the period (f)", () => fold());
  const half = knob(folding, "", "÷2", "half the period", () => setPeriod(period / 2));
  const number = add(folding, "input", "aw-plot-period", { type: "text", inputMode: "decimal" });
  number.setAttribute("aria-label", "period in days");
  const double = knob(folding, "", "×2", "twice the period", () => setPeriod(period * 2));
  const fine = add(folding, "input", "aw-plot-fine", {
    type: "range", min: -1, max: 1, step: 0.001, title: "change the period a little",
  });
  fine.setAttribute("aria-label", "change the period a little");
  const bands = add(tools, "span", "aw-plot-bands");

  let plot = null; // as the kernel sent it, its arrays decoded
  let all = []; // its points
  let shown = []; // those of the bands that are chosen, perhaps folded
  let view = null; // [x at the left, x at the right, y at the bottom, y at the top]
  let whole = null;
  let wanted = null; // whether to fold; null until the person says
  let period = NaN;
  let given = NaN; // the period from which the slider starts
  const hidden = new Set(); // names of bands
  let there = []; // the bands of its points
  let [width, height] = [0, 0];
  let drag = null;
  let near = null;
  let asked = false;

  const small = () => width < PLOT.small;
  const folded = () =>
    plot?.kind === "light_curve" && period > 0 && (wanted ?? plot.folded) && all.length > 0;

  // a lone band is shown: it has no button
  const hides = (band) => there.length > 1 && hidden.has(plot.bands[band]);

  function choose() {
    const some = all.filter((point) => !hides(point.band));
    shown = folded() && some.length ? foldPoints(some, period, plot.turned) : some;
    whole = extent();
    foldKnob.setAttribute("aria-pressed", String(folded()));
    for (const node of [half, double, number, fine]) node.hidden = !folded();
  }

  function extent() {
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const { x, y } of shown) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
    if (!shown.length) return [0, 1, 0, 1];
    if (folded()) [left, right] = [0, 2];
    const roomX = plot.kind === "spectrum" ? 0 : 0.03 * (right - left) || 0.5;
    const roomY = 0.08 * (high - low) || Math.abs(high) * 0.05 || 1;
    const ends = [low - roomY, high + roomY];
    if (plot.turned) ends.reverse();
    return [left - roomX, right + roomX, ...ends];
  }

  const area = () =>
    small() ? [3, 3, width - 3, height - 3] : [66, 10, width - 12, height - 76];

  function scales() {
    const [left, top, right, bottom] = area();
    const [x0, x1, y0, y1] = view;
    return {
      across: (x) => left + ((right - left) * (x - x0)) / (x1 - x0),
      up: (y) => bottom - ((bottom - top) * (y - y0)) / (y1 - y0),
      x: (place) => x0 + ((place - left) / (right - left)) * (x1 - x0),
      y: (place) => y0 + ((bottom - place) / (bottom - top)) * (y1 - y0),
    };
  }

  function draw() {
    asked = false;
    if (!plot || !width || !height) return;
    const sharp = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * sharp);
    canvas.height = Math.round(height * sharp);
    const pen = canvas.getContext("2d");
    pen.scale(sharp, sharp);
    pen.fillStyle = PLOT.ground;
    pen.fillRect(0, 0, width, height);
    const to = scales();
    const [left, top, right, bottom] = area();
    if (!small()) drawAxes(pen, to);
    pen.save();
    pen.beginPath();
    pen.rect(left, top, right - left, bottom - top);
    pen.clip();
    if (plot.kind === "spectrum") drawLine(pen, to);
    else drawPoints(pen, to);
    pen.restore();
  }

  function drawAxes(pen, to) {
    const [left, top, right, bottom] = area();
    pen.font = "11px system-ui, sans-serif";
    pen.strokeStyle = PLOT.rule;
    pen.fillStyle = PLOT.words;
    pen.lineWidth = 1;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    const line = (...ends) => {
      pen.beginPath();
      pen.moveTo(ends[0], ends[1]);
      pen.lineTo(ends[2], ends[3]);
      pen.stroke();
    };
    const alongX = plotTicks(view[0], view[1], Math.max(2, width / 110));
    for (const value of alongX.ticks) {
      const x = Math.round(to.across(value)) + 0.5;
      line(x, top, x, bottom);
      pen.fillText(plotNumber(value, alongX.step), x, bottom + 5);
    }
    const title = folded() ? `phase (period ${Number(period.toPrecision(8))} d)` : plot.x_label;
    pen.fillText(title, (left + right) / 2, bottom + 20);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const alongY = plotTicks(view[2], view[3], Math.max(2, height / 45));
    for (const value of alongY.ticks) {
      const y = Math.round(to.up(value)) + 0.5;
      line(left, y, right, y);
      pen.fillText(plotNumber(value, alongY.step), left - 6, y);
    }
    pen.textAlign = "left";
    pen.textBaseline = "top";
    pen.fillText(plot.y_label, left + 6, top + 4);
  }

  function drawPoints(pen, to) {
    const radius = (small() ? 1.7 : 3.2) * (shown.length > 800 ? 0.7 : 1);
    const [x0, x1] = view;
    const seen = shown.filter(({ x }) => x >= x0 && x <= x1);
    pen.lineWidth = 1;
    pen.globalAlpha = 0.55;
    for (const { x, y, error, band } of seen) {
      if (!(error > 0)) continue;
      const column = Math.round(to.across(x)) + 0.5;
      pen.strokeStyle = plot.colors[band];
      pen.beginPath();
      pen.moveTo(column, to.up(y - error));
      pen.lineTo(column, to.up(y + error));
      pen.stroke();
    }
    pen.globalAlpha = 1;
    for (const point of seen) {
      pen.fillStyle = plot.colors[point.band];
      pen.beginPath();
      pen.arc(to.across(point.x), to.up(point.y), point === near ? 5.5 : radius, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  function drawLine(pen, to) {
    const { x, y, error } = plot;
    pen.strokeStyle = pen.fillStyle = plot.colors[0];
    if (!small()) {
      pen.globalAlpha = 0.22;
      for (let k = 0; k < x.length; k++) {
        if (!(error[k] > 0) || Number.isNaN(y[k])) continue;
        const next = Math.max(1, to.across(x[Math.min(k + 1, x.length - 1)]) - to.across(x[k]));
        const top = to.up(y[k] + error[k]);
        pen.fillRect(to.across(x[k]) - next / 2, top, next, to.up(y[k] - error[k]) - top);
      }
      pen.globalAlpha = 1;
    }
    pen.lineWidth = small() ? 1 : 1.3;
    pen.lineJoin = "round";
    pen.beginPath();
    let down = false;
    for (let k = 0; k < x.length; k++) {
      if (Number.isNaN(y[k])) down = false; // a gap is not bridged
      else if (down) pen.lineTo(to.across(x[k]), to.up(y[k]));
      else pen.moveTo(to.across(x[k]), to.up(y[k]));
      down = !Number.isNaN(y[k]);
    }
    pen.stroke();
    if (near) {
      pen.beginPath();
      pen.arc(to.across(near.x), to.up(near.y), 4, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  function redraw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(draw);
  }

  function reset() {
    if (!plot) return;
    view = [...whole];
    redraw();
  }

  function zoom(factor, atX = null, atY = null) {
    if (!plot) return;
    const to = scales();
    const [left, top, right, bottom] = area();
    const x = to.x(atX ?? (left + right) / 2);
    const y = to.y(atY ?? (top + bottom) / 2);
    const size = Math.abs((whole[1] - whole[0]) / (view[1] - view[0])) * factor;
    if (size > PLOT.most) return;
    if (size <= 1) {
      reset();
      return;
    }
    view = view.map((end, k) => (k < 2 ? x : y) + (end - (k < 2 ? x : y)) / factor);
    redraw();
  }

  function refold() {
    choose();
    view = [...whole];
    near = null;
    readout.textContent = "";
    redraw();
  }

  function fold(on = !folded()) {
    if (plot?.kind !== "light_curve") return;
    wanted = on;
    if (on && !(period > 0)) {
      const span = all.length > 1 ? all[all.length - 1].x - all[0].x : 1;
      setPeriod(span / 4 || 1);
    } else refold();
    if (on && document.activeElement !== number) number.value = Number(period.toPrecision(8));
  }

  function setPeriod(days, { fresh = true } = {}) {
    if (!(days > 0) || !Number.isFinite(days)) {
      number.value = Number(period.toPrecision(8));
      return;
    }
    period = days;
    if (fresh) {
      given = days;
      fine.value = 0;
    }
    number.value = Number(period.toPrecision(8));
    refold();
  }

  number.addEventListener("change", () => setPeriod(Number(number.value)));
  number.addEventListener("keydown", (event) => {
    if (event.key === "Enter") number.blur();
    event.stopPropagation();
  });
  fine.addEventListener("input", () => {
    // one turn of the slider shifts the last point by half a cycle against the first
    const span = Math.max(all[all.length - 1].x - all[0].x, given);
    setPeriod(1 / (1 / given + fine.valueAsNumber / 2 / span), { fresh: false });
  });
  fine.addEventListener("pointerup", () => box.closest("[tabindex]")?.focus());

  function showBands() {
    there = [...new Set(all.map(({ band }) => band))].sort((a, b) => a - b);
    const nodes = there.length < 2 ? [] : there.map((band) => {
      const name = plot.bands[band] || "no band";
      const node = knob(bands, "aw-plot-band", name, `show or hide band ${name}`, () => {
        if (!hidden.delete(plot.bands[band])) hidden.add(plot.bands[band]);
        node.setAttribute("aria-pressed", String(!hidden.has(plot.bands[band])));
        refold();
      });
      node.dataset.band = name;
      node.style.color = plot.colors[band];
      node.setAttribute("aria-pressed", String(!hidden.has(plot.bands[band])));
      return node;
    });
    bands.replaceChildren(...nodes);
  }

  // ---- pointer
  const place = (event) => {
    const around = box.getBoundingClientRect();
    return [event.clientX - around.left, event.clientY - around.top];
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.002), ...place(event));
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !plot) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { from: place(event), view: [...view], to: scales() };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!plot) return;
    const [x, y] = place(event);
    if (!drag) {
      point(x, y);
      return;
    }
    const shiftX = drag.to.x(drag.from[0]) - drag.to.x(x);
    const shiftY = drag.to.y(drag.from[1]) - drag.to.y(y);
    view = drag.view.map((end, k) => end + (k < 2 ? shiftX : shiftY));
    redraw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => {
      drag = null;
    });
  }
  canvas.addEventListener("pointerleave", () => tell(null));
  canvas.addEventListener("dblclick", reset);

  function point(x, y) {
    if (small()) return;
    const to = scales();
    const spectrum = plot.kind === "spectrum";
    let found = null;
    let least = spectrum ? Infinity : 18;
    for (const each of shown) {
      const away = Math.abs(to.across(each.x) - x);
      if (away >= least) continue;
      const distance = spectrum ? away : Math.hypot(away, to.up(each.y) - y);
      if (distance < least) [found, least] = [each, distance];
    }
    tell(found);
  }

  function tell(found) {
    if (found === near) return;
    near = found;
    if (!found) readout.textContent = "";
    else {
      const digits = (value) => Number(value.toPrecision(plot.kind === "spectrum" ? 6 : 10));
      const parts = [`${digits(found.time ?? found.x)}`];
      if (folded()) parts.push(`phase ${(found.x % 1).toFixed(3)}`);
      const error = found.error > 0 ? ` ± ${found.error.toPrecision(2)}` : "";
      parts.push(`${Number(found.y.toPrecision(6))}${error}`);
      if (plot.bands[found.band]) parts.push(plot.bands[found.band]);
      readout.textContent = parts.join("  ");
    }
    redraw();
  }

  const size = new ResizeObserver(([{ contentRect }]) => {
    ({ width, height } = contentRect);
    redraw();
  });
  size.observe(box);

  return {
    zoom,
    reset,
    fold,
    // Show what the kernel sent of an object, or nothing (null).
    show(sent, name = "") {
      box.hidden = !sent;
      plot = sent && {
        ...sent,
        x: numbers(Float64Array, sent.x),
        y: numbers(Float64Array, sent.y),
        error: numbers(Float64Array, sent.error),
        band: numbers(Uint8Array, sent.band),
      };
      near = null;
      readout.textContent = "";
      if (!plot) return;
      all = Array.from(plot.x, (x, k) => ({
        x, y: plot.y[k], error: plot.error[k], band: plot.band[k],
      })).filter(({ y }) => Number.isFinite(y));
      period = given = plot.period ?? NaN;
      number.value = period > 0 ? Number(period.toPrecision(8)) : "";
      fine.value = 0;
      folding.hidden = plot.kind !== "light_curve";
      showBands();
      choose();
      view = [...whole];
      const kind = plot.kind === "spectrum" ? "spectrum" : "light curve";
      canvas.setAttribute("aria-label", `${kind} of ${name}: ${all.length} points`);
      redraw();
    },
    close: () => size.disconnect(),
  };
}
