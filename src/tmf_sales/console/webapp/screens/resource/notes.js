/** Notes and attachments of a resource. */
import { html } from "../../lib/html.js";
import { DateTime } from "../../parts/value.js";
import { attachmentMembers, noteMembers } from "./members.js";

/** @param {{resource: import("../../lib/types").Resource, item: any}} props */
export function NotesTab({ resource, item }) {
  const notes = noteMembers(resource).flatMap((name) => item[name] ?? []);
  const attachments = attachmentMembers(resource).flatMap((name) => item[name] ?? []);
  if (!notes.length && !attachments.length) return html`<p class="card">No notes and no attachments.</p>`;
  return html`<div class="cards">
    ${notes.map((note, at) => html`<article class="card" key=${`note ${at}`}>
      <p class="quiet">${note.author ?? "somebody"}${note.date && html`, <${DateTime} text=${note.date} withTime />`}</p>
      <p class="text">${note.text}</p>
    </article>`)}
    ${attachments.map((each, at) => html`<article class="card" key=${`attachment ${at}`}>
      <h2>${each.name ?? each.description ?? "attachment"}</h2>
      <p class="quiet">${[each.attachmentType, each.mimeType, each.size && `${each.size.amount} ${each.size.units}`].filter(Boolean).join(", ")}</p>
      <p class="text mono">${each.url ?? each.href ?? ""}</p>
    </article>`)}
  </div>`;
}
