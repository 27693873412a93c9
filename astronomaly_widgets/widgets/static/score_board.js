// The score board of an exercise: a bar per searcher, gold objects, hints and the hand-in.

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "aw-board";
  keepKeys(root);
  const head = document.createElement("div");
  head.className = "aw-panel-head";
  const title = document.createElement("span");
  title.className = "aw-panel-title";
  const gold = document.createElement("span");
  gold.className = "aw-panel-note";
  gold.setAttribute("role", "status");
  head.append(title, gold, button("hint", "hint", "show a dozen objects, one of them right"));
  head.append(button("hand_in", "hand in", "write a file for the teacher"));
  const list = document.createElement("ul");
  list.className = "aw-board-list";
  const feedback = document.createElement("p");
  feedback.className = "aw-board-feedback";
  feedback.setAttribute("role", "status");
  root.append(head, list, feedback);
  el.append(root);
  const channel = openChannel(model);

  function button(message, text, tip) {
    const made = document.createElement("button");
    made.className = `aw-board-${message.replace("_", "-")}`;
    made.type = "button";
    made.textContent = text;
    made.title = tip;
    made.addEventListener("click", () => channel.send(message, {}).catch(() => {}));
    return made;
  }

  function row({ name, found, share }) {
    const item = document.createElement("li");
    const words = document.createElement("span");
    words.className = "aw-board-name";
    words.textContent = name;
    const bar = document.createElement("span");
    bar.className = "aw-board-bar";
    const part = document.createElement("span");
    part.style.width = `${100 * share}%`;
    bar.append(part);
    const number = document.createElement("span");
    number.className = "aw-board-found";
    number.textContent = found === null ? "…" : String(found);
    item.append(words, bar, number);
    if (name === "you") item.className = "aw-board-you";
    return item;
  }

  function show() {
    title.textContent = model.get("title");
    gold.textContent = model.get("gold");
    const said = model.get("feedback");
    feedback.hidden = !said;
    feedback.textContent = said;
    feedback.dataset.right = said.startsWith("gold, right");
    list.replaceChildren(...model.get("rows").map(row));
  }
  const events = "change:title change:gold change:feedback change:rows";
  model.on(events, show);
  show();
  channel.hello();

  return () => {
    channel.close();
    model.off(events, show);
  };
}

export default { render };
