/** Why a change was rejected, in words: for 409 and 412 with what is stored now, and what changed meanwhile. */
import { ApiError, send } from "../lib/client.js";
import { differences } from "../lib/difference.js";
import { html } from "../lib/html.js";
import { useLoaded } from "../lib/loading.js";
import { versionPath } from "../lib/resource_url.js";
import { Changes } from "./changes.js";
import { Problem } from "./problem.js";

/** @param {{error: any, resource: import("../lib/types").Resource, known: any, reload: () => void}} props */
export function Rejected({ error, resource, known, reload }) {
  if (!(error instanceof ApiError) || ![409, 412].includes(error.status)) return html`<${Problem} error=${error} />`;
  return html`<div class="problem" role="alert">
    <strong>${error.status === 412 ? "Somebody else changed it in the meantime" : error.reason}</strong>
    <p>${error.status === 412 ? "Your change was rejected (412). Since you opened the resource, this has changed:" : html`${error.detail} Nothing was changed (409).`}</p>
    <${Meanwhile} resource=${resource} known=${known} />
    <button type="button" onClick=${reload}>Show what is stored now</button>
  </div>`;
}

/** @param {{resource: import("../lib/types").Resource, known: any}} props */
function Meanwhile({ resource, known }) {
  const { value } = useLoaded((signal) => send("GET", `${resource.url}/${versionPath(resource, known)}`, { signal, quiet: true }), []);
  if (!value) return null;
  const changes = differences(known, value.body);
  return changes.length ? html`<${Changes} changes=${changes} />` : html`<p class="quiet">What is stored has not changed since you opened it.</p>`;
}
