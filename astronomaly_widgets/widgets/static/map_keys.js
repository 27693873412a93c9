// The map by keyboard: a crosshair does what the pointer does.
//
//   const aim = makeAim({ look, choose, select, clear, zoom, reset });
//   aim.node                  lies over the plot and takes the focus, never the pointer
//   aim.put(left, top, width, height)
//
// Places are parts of the plot: { x, y }, x to the right, y downwards. look(null) is called when
// the crosshair goes.

const AIM_HELP =
  "map: arrows move the crosshair, enter chooses what is there, s at two corners selects what is " +
  "between them, + and - zoom, 0 shows the whole map, escape shows all objects again";
const AIM_STEP = 0.04; // of the plot; a fourth of it with shift
const AIM_ZOOM = 1.5;

function makeAim({ look, choose, select, clear, zoom, reset }) {
  const node = document.createElement("div");
  node.className = "aw-map-aim";
  node.tabIndex = 0;
  node.setAttribute("role", "application");
  node.setAttribute("aria-label", AIM_HELP);
  const area = document.createElement("div");
  area.className = "aw-map-area";
  const cross = document.createElement("div");
  cross.className = "aw-map-cross";
  const help = document.createElement("div");
  help.className = "aw-map-help";
  help.setAttribute("aria-hidden", "true");
  help.textContent = "↵ choose · s … s select · + − 0 zoom · esc all";
  node.append(area, cross, help);

  const place = { x: 0.5, y: 0.5 };
  let corner = null; // where the selection began

  function draw() {
    cross.style.left = `${100 * place.x}%`;
    cross.style.top = `${100 * place.y}%`;
    area.hidden = corner === null;
    if (!corner) return;
    area.style.left = `${100 * Math.min(corner.x, place.x)}%`;
    area.style.top = `${100 * Math.min(corner.y, place.y)}%`;
    area.style.width = `${100 * Math.abs(corner.x - place.x)}%`;
    area.style.height = `${100 * Math.abs(corner.y - place.y)}%`;
  }

  function moveBy(dx, dy) {
    place.x = Math.min(1, Math.max(0, place.x + dx));
    place.y = Math.min(1, Math.max(0, place.y + dy));
    draw();
    look(place);
  }

  function mark() {
    if (corner) select(corner, place);
    corner = corner ? null : { ...place };
    draw();
  }

  function leave() {
    if (!corner) clear();
    corner = null;
    draw();
  }

  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? AIM_STEP / 4 : AIM_STEP;
    const actions = {
      ArrowLeft: () => moveBy(-step, 0),
      ArrowRight: () => moveBy(step, 0),
      ArrowUp: () => moveBy(0, -step),
      ArrowDown: () => moveBy(0, step),
      Enter: () => choose(place),
      " ": () => choose(place),
      s: mark,
      "+": () => zoom(1 / AIM_ZOOM, place),
      "=": () => zoom(1 / AIM_ZOOM, place),
      "-": () => zoom(AIM_ZOOM, place),
      0: reset,
      Escape: leave,
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  node.addEventListener("focus", () => look(place));
  node.addEventListener("blur", () => {
    corner = null;
    draw();
    look(null);
  });
  draw();

  return {
    node,
    put(left, top, width, height) {
      Object.assign(node.style, {
        left: `${left}px`,
        top: `${top}px`,
        width: `${width}px`,
        height: `${height}px`,
      });
    },
  };
}
