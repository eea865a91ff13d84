/** A state as a coloured label; the colour follows from the lifecycle, not from the name. */
import { html } from "../lib/html.js";

/**
 * The tone of a state: where it begins, where it stands open, and how it can end. A final state that the happy path
 * does not reach last is not better or worse by contract, so ends differ by their words only.
 * @param {string} state
 * @param {import("../lib/types").Lifecycle | null} lifecycle
 */
export function toneOf(state, lifecycle) {
  if (/reject|cancel|fail|refus|lost|disabled/i.test(state)) return "bad";
  if (/pending|waiting|hold|failing|acknowledged/i.test(state)) return "waiting";
  if (lifecycle && !(lifecycle.transitions[state] ?? []).length) return "good";
  if (/approved|accepted|active|completed|validated/i.test(state)) return "good";
  return "open";
}

/** @param {{state: string, lifecycle?: import("../lib/types").Lifecycle | null}} props */
export function Tag({ state, lifecycle = null }) {
  return html`<span class="tag ${toneOf(state, lifecycle)}">${state}</span>`;
}
