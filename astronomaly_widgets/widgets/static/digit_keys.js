// Whether a key is one of a word that an input method is composing; Safari says so by its code only.
const isComposing = (event) => event.isComposing || event.keyCode === 229;

// The digit a key stands for, "rest" for shift-0, or null. On keyboards whose digits need shift,
// the place of the key counts; on a number pad without NumLock its keys are arrows.
function digitOf(event) {
  const place = /^(?:Digit|Numpad)([0-5])$/.exec(event.code)?.[1];
  if (place === "0" && (event.shiftKey || event.key === ")" || event.key === "=")) return "rest";
  if (/^[0-5]$/.test(event.key)) return Number(event.key);
  const types = event.key.length === 1 && !/\d/.test(event.key);
  return place !== undefined && types && !event.shiftKey ? Number(place) : null;
}
