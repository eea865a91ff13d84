/** The attributes of a resource that have no tab of their own. */
import { isPeriod, isPriced, kindOf, typeOfMember } from "../../lib/contract.js";
import { html } from "../../lib/html.js";
import { isDateTime, money } from "../../lib/format.js";
import { words } from "../../lib/words.js";
import { Tag } from "../../parts/tag.js";
import { DateTime, Period, Prices, summary } from "../../parts/value.js";
import { treeMembers } from "./members.js";

/** @typedef {import("../../lib/types").Resource} Resource */
/** @typedef {import("../../lib/types").Schema} Schema */

/** @param {{resource: Resource, item: any}} props */
export function DetailsTab({ resource, item }) {
  const elsewhere = new Set(treeMembers(resource));
  const known = [...resource.type.members].filter(([name]) => item[name] !== undefined && !elsewhere.has(name));
  const unknown = Object.keys(item).filter((name) => !resource.type.members.has(name));
  return html`<dl class="card details">
    ${known.map(([name, schema]) => html`<div key=${name} title=${schema.description}><dt>${words(name)}</dt><dd><${Member} resource=${resource} name=${name} schema=${schema} value=${item[name]} /></dd></div>`)}
    ${unknown.map((name) => html`<div key=${name} title="An extension: the contract does not have it"><dt>${name}</dt><dd><${Plain} value=${item[name]} /></dd></div>`)}
  </dl>`;
}

/** @param {{resource: Resource, name: string, schema: Schema, value: any}} props */
function Member({ resource, name, schema, value }) {
  const type = typeOfMember(resource.api.document, schema);
  if (resource.lifecycle?.member === name) return html`<${Tag} state=${value} lifecycle=${resource.lifecycle} />`;
  if (isPriced(resource.api.document, type)) return html`<${Prices} prices=${Array.isArray(value) ? value : [value]} />`;
  if (isPeriod(type) && kindOf(schema) === "object") return html`<${Period} period=${value} />`;
  return html`<${Plain} value=${value} />`;
}

/** Any value: objects and lists show their members. @param {{value: any}} props */
export function Plain({ value }) {
  if (value === null || value === undefined) return html`<span class="quiet">–</span>`;
  if (isDateTime(value)) return html`<${DateTime} text=${value} withTime />`;
  if (typeof value === "boolean") return html`${value ? "yes" : "no"}`;
  if (Array.isArray(value)) return html`<ul class="plain">${value.map((each, at) => html`<li key=${at}><${Plain} value=${each} /></li>`)}</ul>`;
  if (typeof value !== "object") return html`<span class="text">${String(value)}</span>`;
  if (typeof value.value === "number" && "unit" in value) return html`${money(value)}`;
  const rest = Object.entries(value).filter(([, each]) => each !== null);
  const name = summary(value);
  return html`<details class="object"><summary>${name}</summary>
    <dl>${rest.map(([member, each]) => html`<div key=${member}><dt>${words(member)}</dt><dd><${Plain} value=${each} /></dd></div>`)}</dl>
  </details>`;
}
