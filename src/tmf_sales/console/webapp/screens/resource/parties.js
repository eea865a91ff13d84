/** The parties of a resource, with their roles. */
import { isParty } from "../../lib/contract.js";
import { html } from "../../lib/html.js";
import { linkTo } from "../../lib/router.js";
import { membersWhere } from "./members.js";

/** @param {{resource: import("../../lib/types").Resource, item: any}} props */
export function PartiesTab({ resource, item }) {
  const parties = membersWhere(resource, isParty).flatMap((name) => (item[name] ?? []).map((/** @type {any} */ party) => ({ name, party })));
  if (!parties.length) return html`<p class="card">No party takes part.</p>`;
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Parties">
    <table>
      <thead><tr><th scope="col">Role</th><th scope="col">Name</th><th scope="col">Id</th><th scope="col">Class</th><th scope="col"></th></tr></thead>
      <tbody>${parties.map(
        ({ name, party }, at) => html`<tr key=${at}>
          <td>${party.role ?? "–"}</td><td>${party.name ?? "–"}</td><td class="mono">${party.id ?? "–"}</td><td>${party["@referredType"] ?? "–"}</td>
          <td>${party.id && html`<a href=${linkTo([resource.api.name, resource.noun], `${name}.id=${encodeURIComponent(party.id)}`)}>all of this party</a>`}</td>
        </tr>`,
      )}</tbody>
    </table>
  </div>`;
}
