// Keys pressed in a widget are meant for it, never for the notebook around it, where "d d" deletes
// the cell. Only the ones that save the notebook go on to it.
//
// JupyterLab hears a key after the widget, which can stop it. Notebook 7 hears it before, and lets
// go of what is marked; it looks at the very element that has the focus, and at all around it.
function keepKeys(root) {
  const saves = (event) =>
    (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";

  function mark(event) {
    if (!root.contains(event.target)) return;
    for (const node of [root, event.target]) {
      node.toggleAttribute("data-lm-suppress-shortcuts", !saves(event));
    }
  }

  root.addEventListener("focusin", () => window.addEventListener("keydown", mark, true));
  root.addEventListener("focusout", () => window.removeEventListener("keydown", mark, true));
  for (const type of ["keydown", "keypress", "keyup"]) {
    root.addEventListener(type, (event) => {
      if (!saves(event)) event.stopPropagation();
    });
  }
}
