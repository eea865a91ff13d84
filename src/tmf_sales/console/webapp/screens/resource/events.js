/** The events of one resource, the newest first. */
import { send } from "../../lib/client.js";
import { html } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { Problem } from "../../parts/problem.js";
import { DateTime } from "../../parts/value.js";

/** @param {{resource: import("../../lib/types").Resource, item: any}} props */
export function EventsTab({ resource, item }) {
  const member = resource.name.charAt(0).toLowerCase() + resource.name.slice(1);
  const url = `${resource.api.basePath}/event?event.${member}.id=${encodeURIComponent(item.id)}&limit=100`;
  const { value, error, loading, reload } = useLoaded((signal) => send("GET", url, { signal }), [url]);
  if (error) return html`<${Problem} error=${error} retry=${reload} />`;
  if (loading) return html`<p class="quiet" role="status">Loading</p>`;
  const events = [...(value?.body ?? [])].sort((a, b) => Date.parse(b.eventTime) - Date.parse(a.eventTime));
  if (!events.length) return html`<p class="card">No events are kept about it. Delivered events are removed after a while.</p>`;
  return html`<div class="card">
    ${events.map((event) => html`<details key=${event.eventId} class="event">
      <summary><${DateTime} text=${event.eventTime} withTime /> <strong>${event.eventType}</strong> <span class="quiet">${event.fieldPath ?? ""}</span></summary>
      <pre tabindex="0">${JSON.stringify(event, null, 2)}</pre>
    </details>`)}
  </div>`;
}
