/** Who changed a resource, and how. */
import { send } from "../../lib/client.js";
import { html } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { words } from "../../lib/words.js";
import { Problem } from "../../parts/problem.js";
import { Plain } from "./details.js";

/** @param {{app: import("../../lib/types").App, resource: import("../../lib/types").Resource, item: any}} props */
export function AuditTab({ app, resource, item }) {
  const url = `${app.description.prefix}/audit?kind=${resource.api.name}/${resource.noun}&id=${encodeURIComponent(item.id)}`;
  const { value, error, loading, reload } = useLoaded((signal) => send("GET", url, { signal }), [url]);
  if (error) return html`<${Problem} error=${error} retry=${reload} />`;
  if (loading) return html`<p class="quiet" role="status">Loading</p>`;
  const entries = value?.body ?? [];
  if (!entries.length) return html`<p class="card">Nothing is logged about it. Without authentication the audit log is off, unless <code>TMF_SALES_AUDIT</code> turns it on.</p>`;
  const columns = [...new Set(entries.flatMap((/** @type {any} */ entry) => Object.keys(entry)))];
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Audit log">
    <table>
      <thead><tr>${columns.map((name) => html`<th scope="col" key=${name}>${words(String(name))}</th>`)}</tr></thead>
      <tbody>${entries.map((/** @type {any} */ entry, /** @type {number} */ at) => html`<tr key=${at}>${columns.map((name) => html`<td key=${name}><${Plain} value=${entry[String(name)]} /></td>`)}</tr>`)}</tbody>
    </table>
  </div>`;
}
