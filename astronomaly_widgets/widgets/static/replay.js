// What stands over the curves of a replay: a title, what they cannot say, and what each of them is.

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "aw-replay-words";
  const title = document.createElement("div");
  title.className = "aw-panel-title";
  const caveat = document.createElement("p");
  caveat.className = "aw-replay-caveat";
  const list = document.createElement("ul");
  list.className = "aw-replay-list";
  root.append(title, caveat, list);
  el.append(root);

  function entry({ name, color, style, note }) {
    const item = document.createElement("li");
    const line = document.createElement("span");
    line.className = "aw-replay-line";
    line.style.borderTopColor = color;
    line.style.borderTopStyle = style;
    const words = document.createElement("span");
    words.textContent = name;
    const detail = document.createElement("span");
    detail.className = "aw-replay-note";
    detail.textContent = note;
    item.append(line, words, detail);
    return item;
  }

  function show() {
    title.textContent = model.get("title");
    caveat.textContent = model.get("caveat");
    list.replaceChildren(...model.get("entries").map(entry));
  }
  const events = "change:title change:caveat change:entries";
  model.on(events, show);
  show();
  return () => model.off(events, show);
}

export default { render };
