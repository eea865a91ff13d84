/**
 * Places the states of a lifecycle in one row. A transition to the next state is an arrow between them, any other one is
 * an arc: above the row when it leads forward, below it when it leads back. Pure geometry, in pixels.
 */

/** @typedef {{state: string, x: number, width: number}} Box `x` is its centre */
/** @typedef {{source: string, target: string, path: string, head: string}} Arrow both are SVG path data */
/** @typedef {{width: number, height: number, top: number, boxes: Box[], arrows: Arrow[]}} Drawing */
/** @typedef {{source: number, target: number}} Step places in the row */

export const BOX_HEIGHT = 28;
const [GAP, LETTER, PADDING, MARGIN] = [30, 7.4, 22, 3];
const [PORT, HEAD, LOWEST, EACH] = [9, 6, 12, 11];

/**
 * @param {string[]} states in the order of the row
 * @param {Record<string, string[]>} transitions
 * @returns {Drawing}
 */
export function stateRow(states, transitions) {
  /** @type {Box[]} */
  const boxes = [];
  let left = MARGIN;
  for (const state of states) {
    const width = Math.round(state.length * LETTER + PADDING);
    boxes.push({ state, x: left + width / 2, width });
    left += width + GAP;
  }
  const steps = states.flatMap((state, source) =>
    (transitions[state] ?? []).map((next) => ({ source, target: states.indexOf(next) })).filter(({ target }) => target >= 0 && target !== source),
  );
  const straight = steps.filter(({ source, target }) => target === source + 1);
  const forward = steps.filter(({ source, target }) => target > source + 1);
  const back = steps.filter(({ source, target }) => target < source);
  const top = MARGIN + rise(forward);
  const drawn = [
    ...straight.map((step) => arrow(boxes, step, line(boxes[step.source], boxes[step.target], top + BOX_HEIGHT / 2))),
    ...forward.map((step) => arrow(boxes, step, arc(boxes, forward, step, top, -1))),
    ...back.map((step) => arrow(boxes, step, arc(boxes, back, step, top + BOX_HEIGHT, 1))),
  ];
  return { width: left - GAP + MARGIN, height: top + BOX_HEIGHT + rise(back) + MARGIN, top, boxes, arrows: drawn };
}

/** How far the highest arc reaches from the boxes. @param {Step[]} steps */
const rise = (steps) => Math.max(0, ...steps.map(height));

/** @param {Step} step */
const height = ({ source, target }) => LOWEST + EACH * Math.abs(target - source);

/**
 * @param {Box[]} boxes
 * @param {Step} step
 * @param {{path: string, head: string}} drawn
 * @returns {Arrow}
 */
const arrow = (boxes, { source, target }, drawn) => ({ source: boxes[source].state, target: boxes[target].state, ...drawn });

/** @param {Box} from @param {Box} to @param {number} y */
function line(from, to, y) {
  const end = to.x - to.width / 2;
  return { path: `M${from.x + from.width / 2} ${y}H${end - HEAD}`, head: `M${end - HEAD} ${y - 4}L${end} ${y}L${end - HEAD} ${y + 4}z` };
}

/**
 * An arc from edge `y` of one box to that of another; `side` is -1 above the row and 1 below it.
 * @param {Box[]} boxes
 * @param {Step[]} all the arcs of this side
 * @param {Step} step
 * @param {number} y
 * @param {-1 | 1} side
 */
function arc(boxes, all, step, y, side) {
  const [x1, x2] = [port(boxes, all, step, step.source), port(boxes, all, step, step.target)];
  const peak = y + (side * height(step) * 4) / 3; // a cubic curve reaches three quarters of the way to its control points
  const end = y + side * HEAD;
  return { path: `M${x1} ${y}C${x1} ${peak} ${x2} ${peak} ${x2} ${end}`, head: `M${x2 - 4} ${end}L${x2} ${y}L${x2 + 4} ${end}z` };
}

/**
 * Where an arc touches a box. Arcs that go left touch it left of those that go right, and longer ones lie outside of
 * shorter ones, so that arcs of one box do not cross.
 * @param {Box[]} boxes
 * @param {Step[]} all
 * @param {Step} step
 * @param {number} at the place of the box
 */
function port(boxes, all, step, at) {
  const reach = (/** @type {Step} */ each) => (each.source === at ? each.target : each.source) - at;
  const order = (/** @type {Step} */ each) => (reach(each) < 0 ? -1000 - reach(each) : 1000 - reach(each));
  const touching = all.filter(({ source, target }) => source === at || target === at).sort((a, b) => order(a) - order(b) || Number(a.target === at) - Number(b.target === at));
  const number = touching.indexOf(step);
  const spread = Math.min(PORT, (boxes[at].width - 16) / Math.max(touching.length - 1, 1));
  return Math.round((boxes[at].x + (number - (touching.length - 1) / 2) * spread) * 10) / 10;
}
