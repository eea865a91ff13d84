/** One attempt to deliver an event: what was sent and what came back. */
import { moment } from "../../lib/format.js";
import { html, useState } from "../../lib/html.js";
import { JsonView } from "../../parts/json_view.js";

/** @param {{attempt: any, replay: () => void}} props */
export function Attempt({ attempt, replay }) {
  const [open, setOpen] = useState(false);
  const { request, response } = attempt;
  const outcome = response ? String(response.status) : "no response";
  return html`<details class="attempt" open=${open} onToggle=${(/** @type {any} */ toggled) => setOpen(toggled.target.open)}>
    <summary>
      <span class="tag ${attempt.succeeded ? "good" : "bad"}">${outcome}</span>${" "}
      <time datetime=${attempt.attemptTime}>${moment(attempt.attemptTime)}</time>${" "}
      ${request.body?.eventType ?? "event"} <small>${Math.round(attempt.duration * 1000)} ms</small>
      ${attempt.error && html` <small>${attempt.error}</small>`}
    </summary>
    ${open &&
    html`<p>Event <code>${attempt.eventId}</code> <button type="button" onClick=${replay}>Replay this event</button></p>
      <h3>Request</h3>
      <${JsonView} value=${headText(request)} label="Head of the request" />
      ${request.body ? html`<${JsonView} value=${request.body} label="Body of the request" />` : html`<p class="quiet">The event is no longer kept, or may no longer be shown.</p>`}
      <h3>Response</h3>
      ${response ? html`<${JsonView} value=${`${response.status}\n\n${response.body}`} label="Response" />` : html`<p>${attempt.error}</p>`}`}
  </details>`;
}

/** @param {{url: string, headers: Record<string, string>}} request */
function headText({ url, headers }) {
  return [`POST ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join("\n");
}
