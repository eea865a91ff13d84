/** JSON as text, to read and to copy. */
import { html } from "../lib/html.js";

/** @param {{value: any, label: string}} props */
export function JsonView({ value, label }) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return html`<pre class="json" tabindex="0" aria-label=${label}>${text}</pre>`;
}
