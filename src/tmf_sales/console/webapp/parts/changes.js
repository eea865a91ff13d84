/** Changes as a table: the path, the value before, the value after. */
import { html } from "../lib/html.js";
import { summary } from "./value.js";

/** @param {{changes: import("../lib/difference.js").Change[], before?: string, after?: string}} props */
export function Changes({ changes, before = "Before", after = "Now" }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Changes">
    <table class="changes">
      <thead><tr><th scope="col">Attribute</th><th scope="col">${before}</th><th scope="col">${after}</th></tr></thead>
      <tbody>
        ${changes.map(
          (change) => html`<tr key=${change.path} class=${/price|amount/i.test(change.path) ? "price" : ""}>
            <td class="mono">${change.path}</td>
            <td>${change.before === undefined ? html`<span class="quiet">–</span>` : html`<del>${shown(change.before)}</del>`}</td>
            <td>${change.after === undefined ? html`<span class="quiet">–</span>` : html`<ins>${shown(change.after)}</ins>`}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {any} value */
function shown(value) {
  const text = summary(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
