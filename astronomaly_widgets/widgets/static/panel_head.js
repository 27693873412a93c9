// The head of a panel whose body is drawn by others: a title, and a note in words.

// a line may end between the parts of a note, never within one
function unbroken(text) {
  const part = document.createElement("span");
  part.textContent = text;
  return part;
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "aw-panel-head";
  const title = document.createElement("span");
  title.className = "aw-panel-title";
  const note = document.createElement("span");
  note.className = "aw-panel-note";
  note.setAttribute("role", "status");
  root.append(title, note);
  el.append(root);

  function show() {
    title.textContent = model.get("title");
    const parts = model.get("note").split(" \u00b7 ");
    note.replaceChildren(...parts.flatMap((text, i) => [i ? " \u00b7 " : "", unbroken(text)]));
    note.title = model.get("note");
  }
  const channel = openChannel(model);
  model.on("change:title change:note", show);
  show();
  channel.hello(); // ties what the kernel sends here to the shell that is free while a cell runs

  return () => {
    channel.close();
    model.off("change:title change:note", show);
  };
}

export default { render };
