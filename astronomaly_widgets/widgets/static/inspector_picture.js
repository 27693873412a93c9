// A picture that can be zoomed (wheel, buttons, keys) and moved; a double click shows it whole.
// Its brightness is stretched here, by a filter of the browser: nothing is asked of the kernel.

const MOST_ZOOM = 40;
const NEUTRAL = { black: 0, white: 1, curve: 0, inverted: false };
const SLIDERS = [
  ["black", "black point", 0, 0.95],
  ["white", "white point", 0.05, 1],
  ["curve", "stretch: faint light up, or down", -1, 1],
];

// What each of the 256 levels of a picture becomes, 0 to 1. Above zero the curve is an asinh, which
// lifts what is faint; below it is the sinh that takes that back.
function stretchLevels({ black, white, curve, inverted }) {
  const bend = Math.expm1(7 * Math.abs(curve));
  return Array.from({ length: 256 }, (_, level) => {
    const linear = (level / 255 - black) / Math.max(white - black, 0.01);
    let light = Math.min(1, Math.max(0, linear));
    if (curve > 0) light = Math.asinh(bend * light) / Math.asinh(bend);
    if (curve < 0) light = Math.sinh(light * Math.asinh(bend)) / bend;
    return inverted ? 1 - light : light;
  });
}

// Sliders in a corner of the box; they stay as they are when another object is shown.
function openStretch(box, image) {
  const SVG = "http://www.w3.org/2000/svg";
  const part = (parent, name, attributes) => {
    const node = parent.appendChild(document.createElementNS(SVG, name));
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const add = (parent, tag, name, properties = {}) => {
    const node = parent.appendChild(document.createElement(tag));
    node.className = name;
    return Object.assign(node, properties);
  };
  const id = `aw-stretch-${Math.random().toString(36).slice(2)}`;
  const svg = part(box, "svg", { class: "aw-stretch-filter", width: 0, height: 0, "aria-hidden": true });
  const filter = part(svg, "filter", { id, "color-interpolation-filters": "sRGB" });
  const transfer = part(filter, "feComponentTransfer", {});
  const channels = ["R", "G", "B"].map((letter) => part(transfer, `feFunc${letter}`, { type: "table" }));

  let now = { ...NEUTRAL };
  const tools = add(box, "div", "aw-stretch");
  const panel = add(tools, "div", "aw-stretch-panel", { hidden: true });
  const sliders = SLIDERS.map(([name, words, min, max]) => {
    const row = add(panel, "label", `aw-stretch-row${name === "curve" ? "" : " aw-stretch-large"}`);
    add(row, "span", "", { textContent: name, title: words });
    const slider = add(row, "input", "aw-stretch-slider", { type: "range", min, max, step: 0.005 });
    slider.dataset.name = name;
    slider.setAttribute("aria-label", words);
    slider.addEventListener("input", () => set({ [name]: slider.valueAsNumber }));
    slider.addEventListener("dblclick", () => set({ [name]: NEUTRAL[name] }));
    // after the mouse let go, the keys are those of the inspector again
    slider.addEventListener("pointerup", () => box.closest("[tabindex]")?.focus());
    return slider;
  });
  const buttons = add(panel, "div", "aw-stretch-row");
  const knob = (parent, name, text, words, action) => {
    const node = add(parent, "button", name, { type: "button", textContent: text, title: words });
    node.setAttribute("aria-label", words);
    node.addEventListener("click", action);
    return node;
  };
  const invert = knob(buttons, "aw-stretch-large", "invert", "dark on bright", () => {
    set({ inverted: !now.inverted });
  });
  knob(buttons, "", "reset", "show it as it came", () => set(NEUTRAL));
  const open = knob(tools, "aw-stretch-open", "◐", "brightness, contrast and stretch", () => {
    panel.hidden = !panel.hidden;
    open.setAttribute("aria-expanded", String(!panel.hidden));
  });
  open.setAttribute("aria-expanded", "false");
  for (const name of ["pointerdown", "dblclick", "wheel"]) {
    tools.addEventListener(name, (event) => event.stopPropagation()); // they would move the picture
  }

  function set(change) {
    now = { ...now, ...change };
    const neutral = Object.keys(NEUTRAL).every((name) => now[name] === NEUTRAL[name]);
    const table = stretchLevels(now).map((light) => light.toFixed(4)).join(" ");
    for (const channel of channels) channel.setAttribute("tableValues", table);
    image.style.filter = neutral ? "" : `url(#${id})`;
    for (const slider of sliders) slider.value = now[slider.dataset.name];
    invert.setAttribute("aria-pressed", String(now.inverted));
    open.setAttribute("aria-pressed", String(!neutral));
  }

  set(NEUTRAL);
}

function openPicture(box) {
  const image = document.createElement("img");
  image.draggable = false;
  box.append(image);
  openStretch(box, image);
  let scale = 1;
  let x = 0;
  let y = 0;
  let url = null;
  let drag = null;
  let [width, height] = [0, 0]; // of the box, as the observer tells: reading it costs a layout

  function place() {
    // the picture always covers the middle of its box
    const roomX = (width * scale) / 2;
    const roomY = (height * scale) / 2;
    x = Math.min(roomX, Math.max(-roomX, x));
    y = Math.min(roomY, Math.max(-roomY, y));
    image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    const fit = Math.min(
      width / (image.naturalWidth || 1),
      height / (image.naturalHeight || 1),
    );
    // pixels are shown as pixels once they are larger than two of the screen's
    image.classList.toggle("aw-pixels", fit * scale > 2);
    box.classList.toggle("aw-zoomed", scale > 1);
  }

  function reset() {
    scale = 1;
    x = y = 0;
    place();
  }

  function zoom(factor, atX = 0, atY = 0) {
    const next = Math.min(MOST_ZOOM, Math.max(1, scale * factor));
    x = atX - (atX - x) * (next / scale);
    y = atY - (atY - y) * (next / scale);
    scale = next;
    if (scale === 1) x = y = 0;
    place();
  }

  const fromMiddle = (event) => {
    const around = box.getBoundingClientRect();
    return [
      event.clientX - around.left - around.width / 2,
      event.clientY - around.top - around.height / 2,
    ];
  };
  box.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.002), ...fromMiddle(event));
  }, { passive: false });
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || scale === 1) return;
    box.setPointerCapture(event.pointerId);
    drag = [event.clientX - x, event.clientY - y];
  });
  box.addEventListener("pointermove", (event) => {
    if (!drag) return;
    x = event.clientX - drag[0];
    y = event.clientY - drag[1];
    place();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    box.addEventListener(name, () => {
      drag = null;
    });
  }
  box.addEventListener("dblclick", reset);
  image.addEventListener("load", place);
  const size = new ResizeObserver(([{ contentRect }]) => {
    ({ width, height } = contentRect);
    place();
  });
  size.observe(box);

  return {
    zoom,
    reset,
    // Show another picture, whole unless it is of the same object.
    show(bytes, mime, words, same = false) {
      const old = url;
      url = bytes ? URL.createObjectURL(new Blob([bytes], { type: mime })) : null;
      if (url) image.src = url;
      else image.removeAttribute("src");
      image.alt = words;
      image.style.visibility = url ? "" : "hidden";
      if (!same) reset();
      if (old) URL.revokeObjectURL(old);
    },
    close() {
      size.disconnect();
      if (url) URL.revokeObjectURL(url);
    },
  };
}
