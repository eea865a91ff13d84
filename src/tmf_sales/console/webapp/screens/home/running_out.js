/** What runs out within 7 days and is still open. */
import { send } from "../../lib/client.js";
import { isPeriod, kindOf, typeOfMember } from "../../lib/contract.js";
import { html } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { linkTo } from "../../lib/router.js";
import { Problem } from "../../parts/problem.js";
import { Until } from "../../parts/value.js";
import { openStates } from "./open_value.js";

/** @typedef {import("../../lib/types").Resource} Resource */

const DAYS = 7;
const SHOWN = 6;

/** The period that a resource is valid for. @param {Resource} resource */
export function validity(resource) {
  const found = [...resource.type.members].find(([, schema]) => kindOf(schema) === "object" && isPeriod(typeOfMember(resource.api.document, schema)));
  return found?.[0] ?? null;
}

/** @param {{resource: Resource, member: string}} props */
export function RunningOut({ resource, member }) {
  const now = new Date();
  const end = new Date(now.getTime() + DAYS * 86_400_000);
  const path = `${member}.endDateTime`;
  const query = `${resource.lifecycle?.member}=${openStates(resource).join(",")}&${path}.between=${now.toISOString()},${end.toISOString()}&sort=${path}`;
  const name = ["name", "description"].find((each) => resource.type.members.has(each));
  const { value, error } = useLoaded((signal) => send("GET", `${resource.url}?${query}&fields=${path}${name ? `,${name}` : ""}&limit=${SHOWN}`, { signal }), [resource.url]);
  const total = Number(value?.headers.get("x-total-count") ?? 0);
  return html`<section class="card" aria-label="${resource.plural} that run out">
    <h2>${resource.plural} that run out within ${DAYS} days <small>${value ? total : ""}</small></h2>
    ${error && html`<${Problem} error=${error} />`}
    <ul class="plain">
      ${value?.body.map((/** @type {any} */ item) => html`<li key=${item.id}><a href=${linkTo([resource.api.name, resource.noun, item.id])}>${(name && item[name]) || item.id}</a> <${Until} text=${item[member].endDateTime} /></li>`)}
    </ul>
    ${value && total === 0 && html`<p class="quiet">None.</p>`}
    ${total > SHOWN && html`<a href=${linkTo([resource.api.name, resource.noun], query)}>all ${total}</a>`}
  </section>`;
}
