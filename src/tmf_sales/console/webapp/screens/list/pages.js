/** First, previous, next and last page of a list, and how long a page is. */
import { html } from "../../lib/html.js";

const SIZES = ["10", "25", "50", "100", "250"];

/** @param {{total: number, offset: number, limit: number, show: (offset: number) => void, resize: (limit: string) => void}} props */
export function Pages({ total, offset, limit, show, resize }) {
  const size = Math.max(limit, 1);
  const pages = Math.max(Math.ceil(total / size), 1);
  const page = Math.floor(offset / size) + 1;
  const sizes = SIZES.includes(String(limit)) ? SIZES : [...SIZES, String(limit)];
  /** @param {string} name @param {number} to @param {boolean} possible */
  const button = (name, to, possible) => html`<button type="button" disabled=${!possible} onClick=${() => show((to - 1) * size)}>${name}</button>`;
  return html`<nav class="row pages" aria-label="Pages">
    ${button("First", 1, page > 1)} ${button("Previous", page - 1, page > 1)}
    <span>page ${page.toLocaleString("en-GB")} of ${pages.toLocaleString("en-GB")}</span>
    ${button("Next", page + 1, page < pages)} ${button("Last", pages, page < pages)}
    <label class="inline">rows <select value=${String(limit)} onChange=${(/** @type {any} */ event) => resize(event.target.value)}>${sizes.map((each) => html`<option key=${each}>${each}</option>`)}</select></label>
  </nav>`;
}
