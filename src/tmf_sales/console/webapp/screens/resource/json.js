/** The resource as the API answers it. */
import { html, useState } from "../../lib/html.js";

/** @param {{item: any}} props */
export function JsonTab({ item }) {
  const text = JSON.stringify(item, null, 2);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return html`<div class="card"><div class="actions"><button type="button" onClick=${copy}>${copied ? "Copied" : "Copy"}</button></div>
    <pre tabindex="0" aria-label="The resource as JSON">${text}</pre></div>`;
}
