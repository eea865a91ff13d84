/** The lifecycle of a resource: where it stands, where it can go, and a button for each of these states. */
import { html, useState } from "../lib/html.js";
import { Transition } from "./transition.js";

/** @typedef {import("../lib/types").Lifecycle} Lifecycle */

/** @param {{resource: import("../lib/types").Resource, item: any, etag: string, changed: () => void}} props */
export function LifecycleBar({ resource, item, etag, changed }) {
  const [target, setTarget] = useState(/** @type {string | null} */ (null));
  const lifecycle = /** @type {Lifecycle} */ (resource.lifecycle);
  const current = item[lifecycle.member];
  const reachable = resource.operations.patch ? lifecycle.transitions[current] ?? [] : [];
  return html`<section class="card" aria-label="Lifecycle">
    <div class="row">
      <ol class="life grow">
        ${inOrder(lifecycle).map((state) => {
          const final = !(lifecycle.transitions[state] ?? []).length;
          const tone = state === current ? "now" : reachable.includes(state) ? "next" : "";
          return html`<li key=${state} class="${tone} ${final ? "end" : ""}" aria-current=${state === current ? "step" : undefined}>${state}</li>`;
        })}
      </ol>
      <div class="actions">
        ${reachable.map((state) => html`<button type="button" key=${state} class=${isEnding(state) ? "danger" : "primary"} onClick=${() => setTarget(state)}>${state}…</button>`)}
      </div>
    </div>
    <p class="quiet">${hint(lifecycle, current, reachable)}</p>
    ${target && html`<${Transition} resource=${resource} item=${item} etag=${etag} target=${target} close=${() => setTarget(null)} changed=${changed} />`}
  </section>`;
}

const isEnding = (/** @type {string} */ state) => /reject|cancel|refus|lost/i.test(state);

/**
 * @param {Lifecycle} lifecycle
 * @param {string} current
 * @param {string[]} reachable
 */
function hint(lifecycle, current, reachable) {
  if (!(lifecycle.transitions[current] ?? []).length) return `${current} is final: no other state follows.`;
  return reachable.length ? `From ${current} it can become ${reachable.join(" or ")}.` : `You see ${current}; this API does not change it.`;
}

/** States by their distance from the initial one, final ones last. @param {Lifecycle} lifecycle */
function inOrder(lifecycle) {
  const order = [lifecycle.initial];
  for (const state of order) {
    for (const next of lifecycle.transitions[state] ?? []) if (!order.includes(next)) order.push(next);
  }
  const all = [...order, ...lifecycle.states.filter((state) => !order.includes(state))];
  const isFinal = (/** @type {string} */ state) => !(lifecycle.transitions[state] ?? []).length;
  return [...all.filter((state) => !isFinal(state)), ...all.filter(isFinal)];
}
