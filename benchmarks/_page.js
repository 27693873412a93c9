// What a benchmark installs in the page: clocks that start at the input event itself and stop
// after the frame in which its effect was painted.
(() => {
  // a message sent from a frame's callback arrives when that frame has been drawn
  const afterFrame = (then) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => then(performance.now());
    channel.port2.postMessage(null);
  };
  const until = (condition, then) => {
    const look = () => (condition() ? afterFrame(then) : requestAnimationFrame(look));
    requestAnimationFrame(look);
  };
  const root = () => document.querySelector(".aw-gallery");
  const tileOf = (id) => root().querySelector(`.aw-object[data-object-id="${CSS.escape(id)}"]`);
  const pictures = () => [...root().querySelectorAll(".aw-object:not([hidden]) img")];
  const shown = () => pictures().map((p) => p.closest(".aw-object").dataset.objectId).join();
  const loaded = () => pictures().every((p) => p.complete && p.naturalWidth > 0);

  // numbers by name; whoever asks early is told when there is one, without looking each frame
  const measurement = () => {
    const promises = {};
    const resolvers = {};
    const slot = (name) =>
      (promises[name] ??= new Promise((resolve) => (resolvers[name] = resolve)));
    return {
      set: (name, value) => (slot(name), resolvers[name](value)),
      get: slot,
    };
  };
  let current = measurement();

  // pictures of a map, as they are drawn
  let drawnBefore = [];
  let onDraw = null;
  const { drawImage } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.drawImage = function draw(image, ...place) {
    drawImage.call(this, image, ...place);
    onDraw?.(image);
    drawnBefore = [image];
  };

  window.awBench = {
    result: (name) =>
      Promise.race([
        current.get(name),
        new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${name} in 60 s`)), 60000)),
      ]),
    // the next click or key is to give `id` this score
    expectScore(id, score) {
      const result = (current = measurement());
      const start = (event) => {
        document.removeEventListener("click", start, true);
        document.removeEventListener("keydown", start, true);
        const from = event.timeStamp;
        const tile = tileOf(id);
        until(
          () => tile.dataset.score === String(score),
          (now) => result.set("visible", now - from),
        );
        const stored = () => {
          if (tile.dataset.state !== "stored" || tile.dataset.score !== String(score)) return;
          result.set("stored", performance.now() - from);
          watcher.disconnect();
        };
        const watcher = new MutationObserver(stored);
        watcher.observe(tile, { attributes: true });
      };
      document.addEventListener("click", start, true);
      document.addEventListener("keydown", start, true);
    },
    // the next key is to turn the page
    expectPage() {
      const result = (current = measurement());
      const before = shown(); // not the number: a new ranking that is taken begins at page 1
      document.addEventListener(
        "keydown",
        (event) => {
          until(
            () => shown() !== before && loaded(),
            (now) => result.set("painted", now - event.timeStamp),
          );
        },
        { capture: true, once: true },
      );
    },
    // the next turn of the wheel is to zoom the map: painted is the picture made for it
    expectZoom() {
      const result = (current = measurement());
      const old = new WeakSet(drawnBefore);
      document.addEventListener(
        "wheel",
        (event) => {
          onDraw = (image) => {
            if (old.has(image)) return;
            onDraw = null;
            afterFrame((now) => result.set("painted", now - event.timeStamp));
          };
        },
        { capture: true, once: true },
      );
    },
    // a cell that is run now is to show `n` pictures and all panels
    expectDashboard(n) {
      const result = (current = measurement());
      const from = performance.now();
      until(
        () =>
          root() &&
          pictures().length >= n &&
          loaded() &&
          [".aw-feature-map svg, .aw-feature-map canvas", ".aw-recall-panel svg", ".aw-inspector"].every(
            (part) => document.querySelector(`.aw-dashboard :is(${part})`),
          ),
        (now) => result.set("painted", now - from),
      );
    },
  };
})();
