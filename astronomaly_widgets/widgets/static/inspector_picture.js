// A picture that can be zoomed (wheel, buttons, keys) and moved; a double click shows it whole.

const MOST_ZOOM = 40;

function openPicture(box) {
  const image = document.createElement("img");
  image.draggable = false;
  box.append(image);
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
    show(bytes, mime, words) {
      const old = url;
      url = bytes ? URL.createObjectURL(new Blob([bytes], { type: mime })) : null;
      if (url) image.src = url;
      else image.removeAttribute("src");
      image.alt = words;
      image.style.visibility = url ? "" : "hidden";
      reset();
      if (old) URL.revokeObjectURL(old);
    },
    close() {
      size.disconnect();
      if (url) URL.revokeObjectURL(url);
    },
  };
}
