/** The lifecycle of a resource: where it stands, where it can go, and a button for each of these states. */
import { html, useState } from "../lib/html.js";
import { permissions, reachableStates } from "../lib/permissions.js";
import { useStore } from "../lib/store.js";
import { LifecycleDiagram } from "./lifecycle_diagram.js";
import { Transition } from "./transition.js";

/** @typedef {import("../lib/types").Lifecycle} Lifecycle */

/** @param {{resource: import("../lib/types").Resource, item: any, etag: string, changed: () => void}} props */
export function LifecycleBar({ resource, item, etag, changed }) {
  const [target, setTarget] = useState(/** @type {string | null} */ (null));
  const lifecycle = /** @type {Lifecycle} */ (resource.lifecycle);
  const current = item[lifecycle.member];
  const reachable = reachableStates(useStore(permissions), resource, current);
  return html`<section class="card" aria-label="Lifecycle">
    <div class="row">
      <${LifecycleDiagram} lifecycle=${lifecycle} current=${current} />
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
  const following = lifecycle.transitions[current] ?? [];
  if (!following.length) return `${current} is final: no other state follows.`;
  if (!reachable.length) return `${following.join(" or ")} can follow, but you may not change the state.`;
  return `From ${current} it can become ${reachable.join(" or ")}.`;
}
