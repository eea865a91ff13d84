/** The secret of a subscription, which the service shows only once. */
import { html, useState } from "../../lib/html.js";
import { Dialog } from "../../parts/dialog.js";

/** @param {{secret: string, close: () => void, overlap?: boolean}} props */
export function SecretShown({ secret, close, overlap = false }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(secret);
    setCopied(true);
  };
  return html`<${Dialog} title="The secret of this subscription" close=${close}>
    <p>It signs every delivery. Copy it to the receiver now: it is not shown again.</p>
    ${overlap && html`<p>The old secret also signs for 24 hours.</p>`}
    <p><code class="secret" tabindex="0">${secret}</code></p>
    <div class="actions">
      <button type="button" class="primary" onClick=${copy}>${copied ? "Copied" : "Copy"}</button>
      <button type="button" onClick=${close}>Done</button>
    </div>
  <//>`;
}
