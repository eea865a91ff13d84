/** The requests that a screen made, as curl commands to copy. */
import { html, useState } from "../lib/html.js";
import { asCurl, requests } from "../lib/client.js";
import { useStore } from "../lib/store.js";

export function CurlBar() {
  const made = useStore(requests);
  const [all, setAll] = useState(false);
  if (made.length === 0) return null;
  const shown = all ? made : made.slice(-1);
  return html`<section class="curl" aria-label="The requests of this screen as curl">
    ${shown.map((request) => html`<${Command} key=${made.indexOf(request)} request=${request} />`)}
    ${made.length > 1 &&
    html`<button type="button" class="plain" aria-expanded=${all} onClick=${() => setAll(!all)}>
      ${all ? "Show the last request only" : `Show all ${made.length} requests of this screen`}
    </button>`}
  </section>`;
}

/** @param {{request: import("../lib/types").Recorded}} props */
function Command({ request }) {
  const command = asCurl(request);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return html`<div class="command">
    <code tabindex="0">${command}</code>
    <span class="took">${request.status ?? "…"}${request.milliseconds !== undefined && ` in ${request.milliseconds} ms`}</span>
    <button type="button" onClick=${copy} aria-label="Copy as curl">${copied ? "copied" : "copy as curl"}</button>
  </div>`;
}
