// Keys pressed in a widget are meant for it, never for the notebook around it, where "d d" deletes
// the cell. Only the ones that save the notebook go on to it.
function keepKeys(root) {
  for (const type of ["keydown", "keypress", "keyup"]) {
    root.addEventListener(type, (event) => {
      const saves = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
      if (!saves) event.stopPropagation();
    });
  }
}
