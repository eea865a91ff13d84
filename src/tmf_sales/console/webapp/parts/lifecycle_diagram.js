/** The lifecycle as a diagram: the current state, the states that can follow it, and every transition as an arrow. */
import { html, useEffect, useMemo, useRef } from "../lib/html.js";
import { BOX_HEIGHT, stateRow } from "../lib/state_row.js";

/** @typedef {import("../lib/types").Lifecycle} Lifecycle */

/** @param {{lifecycle: Lifecycle, current: string}} props */
export function LifecycleDiagram({ lifecycle, current }) {
  const drawing = useMemo(() => stateRow(inOrder(lifecycle), lifecycle.transitions), [lifecycle]);
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const box = drawing.boxes.find(({ state }) => state === current);
    if (frame.current && box) frame.current.scrollLeft = box.x - frame.current.clientWidth / 2; // a phone shows a part of it
  }, [drawing, current]);
  const following = lifecycle.transitions[current] ?? [];
  /** @param {string} state */
  const kind = (state) => `${state === current ? "now" : following.includes(state) ? "next" : ""} ${isFinal(lifecycle, state) ? "end" : ""}`;
  return html`<div class="life" ref=${frame} tabindex="0" role="region" aria-label="Lifecycle diagram">
    <svg role="img" aria-label=${inWords(lifecycle, current)} width=${drawing.width} height=${drawing.height} viewBox="0 0 ${drawing.width} ${drawing.height}">
      ${drawing.arrows.map(({ source, target, path, head }) => html`<g key=${`${source} ${target}`} class="way ${source === current ? "next" : ""}"><path class="line" d=${path} /><path class="head" d=${head} /></g>`)}
      ${drawing.boxes.map(
        ({ state, x, width }) => html`<g key=${state} class="state ${kind(state)}" data-state=${state}>
          <rect x=${x - width / 2} y=${drawing.top} width=${width} height=${BOX_HEIGHT} rx="14" />
          ${isFinal(lifecycle, state) && html`<rect class="inner" x=${x - width / 2 + 3} y=${drawing.top + 3} width=${width - 6} height=${BOX_HEIGHT - 6} rx="11" />`}
          <text x=${x} y=${drawing.top + BOX_HEIGHT / 2} dy="0.34em">${state}</text>
        </g>`,
      )}
    </svg>
  </div>`;
}

/** @param {Lifecycle} lifecycle @param {string} state */
const isFinal = (lifecycle, state) => !(lifecycle.transitions[state] ?? []).length;

/** @param {Lifecycle} lifecycle @param {string} current */
function inWords(lifecycle, current) {
  const ways = Object.entries(lifecycle.transitions).filter(([, next]) => next.length > 0);
  return `It is ${current}. Starts ${lifecycle.initial}. ${ways.map(([state, next]) => `${state} to ${next.join(" or ")}`).join(". ")}.`;
}

/** States by their distance from the initial one, final ones last. @param {Lifecycle} lifecycle */
function inOrder(lifecycle) {
  const order = [lifecycle.initial];
  for (const state of order) {
    for (const next of lifecycle.transitions[state] ?? []) if (!order.includes(next)) order.push(next);
  }
  const all = [...order, ...lifecycle.states.filter((state) => !order.includes(state))];
  return [...all.filter((state) => !isFinal(lifecycle, state)), ...all.filter((state) => isFinal(lifecycle, state))];
}
