// The canvas of a large map: a picture from the kernel, stretched at once when the window moves
// and replaced when the kernel has made a new one; and at most 5,000 marks on it.

const LONGEST_WAIT = 500; // ms for a picture, before another is asked for
const EMPTY_WINDOW = [-1, 1, -1, 1]; // [x_min, x_max, y_min, y_max], y upwards

function openMapCanvas(stage, model, { onview }) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "map of feature space, drawn by the kernel");
  stage.append(canvas);
  let frame = EMPTY_WINDOW;
  let view = EMPTY_WINDOW;
  let bitmap = null; // { image, window, key }
  let drawing = 0;
  let asked = -Infinity; // when the kernel was told what is visible
  let answered = true;
  let waiting = null; // the timer that will tell it

  const color = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
  const floats = (view) =>
    view ? new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)) : [];

  function place([x_min, x_max, y_min, y_max]) {
    const across = canvas.width / (view[1] - view[0]);
    const down = canvas.height / (view[3] - view[2]);
    return [
      (x_min - view[0]) * across,
      (view[3] - y_max) * down,
      (x_max - x_min) * across,
      (y_max - y_min) * down,
    ];
  }

  function redraw() {
    if (!drawing) drawing = requestAnimationFrame(paint);
  }

  function paint() {
    drawing = 0;
    const ratio = canvas.width / Math.max(1, canvas.clientWidth);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (bitmap) context.drawImage(bitmap.image, ...place(bitmap.window));
    const marks = model.get("marks");
    const across = canvas.width / (view[1] - view[0]);
    const down = canvas.height / (view[3] - view[2]);
    const dots = (array, step, draw) => {
      for (let i = 0; i + step <= array.length; i += step) {
        const x = (array[i] - view[0]) * across;
        const y = (view[3] - array[i + 1]) * down;
        if (x > -20 && y > -20 && x < canvas.width + 20 && y < canvas.height + 20) {
          draw(x, y, array[i + 2]);
        }
      }
    };
    const disc = (x, y, radius) => {
      context.beginPath();
      context.arc(x, y, radius * ratio, 0, 2 * Math.PI);
    };
    if (marks.n_selected) {
      context.globalAlpha = 0.72; // what is not selected steps back
      context.fillStyle = color("--aw-bg");
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.globalAlpha = 1;
      context.fillStyle = color("--aw-brand");
      dots(floats(marks.selected), 2, (x, y) => {
        disc(x, y, 1.6);
        context.fill();
      });
    }
    context.lineWidth = ratio;
    context.strokeStyle = color("--aw-fg");
    context.globalAlpha = 0.55;
    dots(floats(marks.top), 2, (x, y) => {
      disc(x, y, 2.4);
      context.stroke();
    });
    context.globalAlpha = 1;
    const { palette, limits } = model.get("head");
    context.lineWidth = 1.6 * ratio;
    dots(floats(marks.labeled), 3, (x, y, score) => {
      const part = (score - limits[0]) / (limits[1] - limits[0]);
      context.fillStyle = palette[Math.round(part * (palette.length - 1))];
      disc(x, y, 3.6);
      context.fill();
      context.stroke();
    });
    if (marks.current) {
      context.strokeStyle = color("--aw-brand");
      context.lineWidth = 3 * ratio;
      dots(marks.current, 2, (x, y) => {
        disc(x, y, 7.5);
        context.stroke();
      });
    }
  }

  // at once, or when the picture asked for before is there: the kernel sets the pace
  function ask() {
    clearTimeout(waiting);
    const pause = answered ? 0 : asked + LONGEST_WAIT - performance.now();
    waiting = setTimeout(() => {
      waiting = null;
      asked = performance.now();
      answered = false;
      onview({ window: view, width: canvas.width, height: canvas.height });
    }, pause);
  }

  function move(next) {
    view = next;
    redraw();
    ask();
  }

  async function takePicture() {
    const { png, window: shown, key } = model.get("picture");
    if (!png) return;
    answered = true;
    if (waiting) ask();
    const image = await createImageBitmap(new Blob([png], { type: "image/png" }));
    if (bitmap && bitmap.key > key) return; // an older one took longer to decode
    bitmap = { image, window: shown, key };
    redraw();
  }

  function takeFrame() {
    const next = model.get("frame");
    if (next.length !== 4) return;
    frame = next;
    view = frame;
    redraw();
  }

  const size = new ResizeObserver(() => {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height || (width === canvas.width && height === canvas.height)) return;
    canvas.width = width;
    canvas.height = height;
    paint();
    move(view);
  });
  size.observe(canvas);
  const theme = new MutationObserver(redraw);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("change:picture", takePicture);
  model.on("change:frame", takeFrame);
  model.on("change:marks", redraw);
  takeFrame();
  takePicture();

  return {
    canvas,
    visible: () => view,
    reset: () => move(frame),
    pan(dx, dy) {
      const x = (dx / canvas.clientWidth) * (view[1] - view[0]);
      const y = (dy / canvas.clientHeight) * (view[3] - view[2]);
      move([view[0] - x, view[1] - x, view[2] + y, view[3] + y]);
    },
    // toward a place given as parts of the canvas, x to the right, y downwards
    zoom(factor, place) {
      const x = view[0] + place.x * (view[1] - view[0]);
      const y = view[3] - place.y * (view[3] - view[2]);
      const toward = (edge, center) => center + (edge - center) * factor;
      move([toward(view[0], x), toward(view[1], x), toward(view[2], y), toward(view[3], y)]);
    },
    close() {
      size.disconnect();
      theme.disconnect();
      cancelAnimationFrame(drawing);
      clearTimeout(waiting);
      model.off("change:picture", takePicture);
      model.off("change:frame", takeFrame);
      model.off("change:marks", redraw);
    },
  };
}
