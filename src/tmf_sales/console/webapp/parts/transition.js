/** Asks for the reason of a transition, sends it with the ETag, and explains why it was rejected. */
import { ApiError, send } from "../lib/client.js";
import { typeOfMember } from "../lib/contract.js";
import { html, useState } from "../lib/html.js";
import { versionPath } from "../lib/resource_url.js";
import { session } from "../lib/session.js";
import { Dialog } from "./dialog.js";
import { Rejected } from "./rejected.js";

/** @typedef {import("../lib/types").Resource} Resource */

/** @param {{resource: Resource, item: any, etag: string, target: string, close: () => void, changed: () => void}} props */
export function Transition({ resource, item, etag, target, close, changed }) {
  const [error, setError] = useState(/** @type {any} */ (null));
  const [sending, setSending] = useState(false);
  const notes = notesMember(resource);
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const reason = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("reason") ?? "").trim();
    setSending(true);
    setError(null);
    try {
      const [type, body] = changeOf(resource, item, target, notes, reason);
      await send("PATCH", `${resource.url}/${versionPath(resource, item)}`, { body, type, headers: { "If-Match": etag } });
      close();
      changed();
    } catch (raised) {
      setError(raised);
      setSending(false);
    }
  };
  return html`<${Dialog} title=${`Change the state to ${target}`} close=${close}>
    ${error && html`<${Rejected} error=${error} resource=${resource} known=${item} reload=${() => (close(), changed())} />`}
    <form onSubmit=${submit}>
      ${notes && html`<label>Reason, kept as a note <textarea name="reason" rows="3" autofocus></textarea></label>
      ${error instanceof ApiError && error.status === 409 && html`<p class="hint">Some states accept no new notes. Leave the reason empty and try again.</p>`}`}
      <div class="actions">
        <button type="submit" class="primary" disabled=${sending}>${sending ? "Sending" : `Change to ${target}`}</button>
        <button type="button" onClick=${close}>Cancel</button>
      </div>
    </form>
  <//>`;
}

/** The list of notes of a resource: elements with a text and an author. @param {Resource} resource */
function notesMember(resource) {
  for (const [name, schema] of resource.type.members) {
    const type = typeOfMember(resource.api.document, schema);
    if (schema.items && type?.members.has("text") && type.members.has("author")) return name;
  }
  return null;
}

/**
 * A merge patch of the state alone, or a JSON Patch that also adds the reason as a note.
 * @param {Resource} resource
 * @param {any} item
 * @param {string} target
 * @param {string | null} notes
 * @param {string} reason
 * @returns {[string, any]}
 */
function changeOf(resource, item, target, notes, reason) {
  const member = /** @type {import("../lib/types").Lifecycle} */ (resource.lifecycle).member;
  if (!reason || !notes) return ["application/merge-patch+json", { [member]: target }];
  const numbers = (item[notes] ?? []).map((/** @type {any} */ note) => Number(note.id)).filter(Number.isSafeInteger);
  const note = { id: String(Math.max(0, ...numbers) + 1), author: session.get()?.name ?? "console", date: new Date().toISOString(), text: reason };
  const added = item[notes] ? { op: "add", path: `/${notes}/-`, value: note } : { op: "add", path: `/${notes}`, value: [note] };
  return ["application/json-patch+json", [added, { op: "replace", path: `/${member}`, value: target }]];
}
