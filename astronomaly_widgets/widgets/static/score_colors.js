// The colors of the scores 0, 1, ... 5, as on the map (density's PALETTE), and of a number on each:
// at a contrast of 4.5 or more, as WCAG wants it.

const SCORE_COLORS = ["#3b528b", "#31688e", "#21918c", "#35b779", "#90d743", "#fde725"];

// score: null takes the color away; what was imported may lie between two or beyond them
function inScoreColor(element, score) {
  const step = score === null ? null : Math.min(5, Math.max(0, Math.round(score)));
  element.style.background = step === null ? "" : SCORE_COLORS[step];
  element.style.color = step === null ? "" : step < 2 ? "#fff" : "#111";
}
