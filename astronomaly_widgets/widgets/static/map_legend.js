// What the colors of the map mean, below it, and the choice of what colors it.
//
//   const legend = makeMapLegend({ oncolor, onkind });
//   legend.node
//   legend.show(head, draws)    the widget's head; whether a canvas marks what is suggested
//
// oncolor(value) is called with another choice, onkind(number) with a kind to be shown alone.

const MOST_LETTERS = 16; // of kinds that stand in one line with all else

function makeMapLegend({ oncolor, onkind }) {
  const part = (tag, name, text) => {
    const node = document.createElement(tag);
    node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const ring = (name, text) => {
    const node = part("span", "aw-map-key", text);
    node.prepend(part("span", `aw-map-ring ${name}`));
    return node;
  };
  const node = part("div", "aw-map-legend");
  const colors = part("select", "aw-map-color");
  colors.title = "what colors the objects";
  colors.setAttribute("aria-label", "color by");
  colors.addEventListener("change", () => oncolor(colors.value));
  const scale = part("span", "aw-map-scale");
  const [low, bar, high] = ["aw-map-low", "aw-map-bar", "aw-map-high"].map((name) => part("span", name));
  scale.append(low, bar, high);
  const kinds = part("span", "aw-map-kinds");
  const top = ring("aw-map-ring-top", "suggested");
  const rings = part("span", "aw-map-rings");
  rings.append(top, ring("", "labeled"), ring("aw-map-ring-current", "current"));
  node.append(colors, scale, kinds, rings);

  function option([value, words]) {
    const one = part("option", "", words);
    one.value = value;
    return one;
  }

  // choices without a group come first
  function showChoices(choices, chosen) {
    const groups = [...new Set(choices.map(([, , group]) => group))];
    colors.replaceChildren(
      ...groups.flatMap((group) => {
        const own = choices.filter(([, , other]) => other === group).map(option);
        if (!group) return own;
        const around = part("optgroup", "");
        around.label = group;
        around.append(...own);
        return [around];
      }),
    );
    colors.value = chosen;
  }

  function kindButton([number, text, color, size, words]) {
    const says = `show ${words}: ${size.toLocaleString("en")} objects`;
    const button = part("button", "aw-map-kind", text);
    button.style.setProperty("--aw-kind", color);
    button.title = says;
    button.setAttribute("aria-label", says);
    button.addEventListener("click", () => onkind(number));
    return button;
  }

  return {
    node,
    show(head, draws) {
      const { legend } = head;
      showChoices(head.colors, head.color_by);
      scale.style.display = legend.scale ? "" : "none";
      if (legend.scale) {
        const [from, to, palette] = legend.scale;
        low.textContent = from;
        high.textContent = to;
        bar.style.background = `linear-gradient(to right, ${palette.join(", ")})`;
      }
      kinds.replaceChildren(...legend.kinds.map(kindButton), legend.says);
      const letters = legend.kinds.reduce((sum, [, text]) => sum + text.length, 0);
      kinds.classList.toggle("aw-map-long", letters > MOST_LETTERS);
      kinds.style.display = legend.kinds.length || legend.says ? "" : "none";
      top.style.display = draws ? "" : "none"; // only a canvas marks them
    },
  };
}
