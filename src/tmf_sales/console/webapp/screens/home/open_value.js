/** What is still open, added up by currency and period: the amounts of all resources in states that are not final. */
import { send } from "../../lib/client.js";
import { columnsOf } from "../../lib/columns.js";
import { charge, money } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { Problem } from "../../parts/problem.js";

/** @typedef {import("../../lib/types").Resource} Resource */

const PAGE = 1000;
const MOST_PAGES = 5;

/** The member with the amounts: prices or one amount of the resource itself. @param {Resource} resource */
export const amountMember = (resource) =>
  columnsOf(resource).find((column) => !column.path.includes(".") && ["prices", "money"].includes(column.shows))?.path ?? null;

/** The states from which others can follow. @param {Resource} resource */
export function openStates(resource) {
  const lifecycle = resource.lifecycle;
  return (lifecycle?.states ?? []).filter((state) => (lifecycle?.transitions[state] ?? []).length > 0);
}

/** @param {{resource: Resource, member: string}} props */
export function OpenValue({ resource, member }) {
  const { value, error, loading } = useLoaded((signal) => addedUp(resource, member, signal), [resource.url]);
  return html`<section class="card" aria-label="Open value of ${resource.plural}">
    <h2>Open value of ${resource.plural.toLowerCase()}</h2>
    ${error && html`<${Problem} error=${error} />`}
    ${loading && html`<p class="quiet">Adding up</p>`}
    ${value && html`<ul class="plain sums">${value.sums.map(([key, sum]) => html`<li key=${key}><strong>${money({ unit: sum.unit, value: Math.round(sum.value * 100) / 100 })}</strong> <span class="quiet">${sum.charge}</span></li>`)}</ul>
      <p class="quiet">${value.sums.length ? "" : "None. "}${value.read.toLocaleString("en-GB")} ${value.read < value.total ? `of ${value.total.toLocaleString("en-GB")} ` : ""}in ${openStates(resource).join(", ")}.</p>`}
  </section>`;
}

/**
 * @param {Resource} resource
 * @param {string} member
 * @param {AbortSignal} signal
 */
async function addedUp(resource, member, signal) {
  /** @type {Map<string, {unit: string, value: number, charge: string}>} */
  const sums = new Map();
  let read = 0;
  let total = 0;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const url = `${resource.url}?${resource.lifecycle?.member}=${openStates(resource).join(",")}&fields=${member}&limit=${PAGE}&offset=${page * PAGE}`;
    const answer = await send("GET", url, { signal });
    for (const item of answer.body) {
      for (const each of [item[member] ?? []].flat()) add(sums, each);
    }
    read += answer.body.length;
    total = Number(answer.headers.get("x-total-count"));
    if (read >= total || answer.body.length === 0) break;
  }
  return { sums: [...sums].sort(([a], [b]) => a.localeCompare(b)), read, total };
}

/**
 * @param {Map<string, {unit: string, value: number, charge: string}>} sums
 * @param {any} each an amount, or a price with amounts
 */
function add(sums, each) {
  const amount = each?.price?.taxIncludedAmount ?? each?.price?.dutyFreeAmount ?? each;
  if (typeof amount?.value !== "number") return;
  const about = each.price ? `${charge(each)}${each.price.taxIncludedAmount ? "" : ", without tax"}` : "";
  const key = `${amount.unit} ${about}`;
  const sum = sums.get(key) ?? { unit: amount.unit ?? "", value: 0, charge: about };
  sums.set(key, { ...sum, value: sum.value + amount.value });
}
