/** Prices and where they come from: the totals, and each price of an item with its catalogue price and alterations. */
import { isPriced, typeOfMember } from "../../lib/contract.js";
import { charge, money } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { alterationText, comesFrom } from "../../lib/prices.js";
import { membersWhere } from "./members.js";

/** @typedef {import("../../lib/types").Resource} Resource */

/** @param {{resource: Resource, item: any}} props */
export function PricesTab({ resource, item }) {
  const { document } = resource.api;
  const totals = membersWhere(resource, (type) => isPriced(document, type)).flatMap((name) => (item[name] ?? []).map((/** @type {any} */ price) => ({ place: "total", price })));
  const below = [...resource.type.members].flatMap(([name, schema]) => pricesBelow(document, item[name] ?? [], schema, name));
  if (!totals.length && !below.length) return html`<p class="card">It has no prices yet.</p>`;
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Prices">
    <table>
      <thead><tr><th scope="col">Of</th><th scope="col">Price</th><th scope="col">Kind</th><th scope="col" class="number">Net</th><th scope="col" class="number">Gross</th><th scope="col">Alterations</th><th scope="col">Comes from</th></tr></thead>
      <tbody>${[...totals, ...below].map(
        ({ place, price }, at) => html`<tr key=${at} class=${place === "total" ? "total" : ""}>
          <td class="mono">${place}</td><td title=${price.description}>${price.name ?? price.description ?? "–"}</td><td>${charge(price)}</td>
          <td class="number">${money(price.price?.dutyFreeAmount)}</td><td class="number">${money(price.price?.taxIncludedAmount)}</td>
          <td>${(price.priceAlteration ?? []).map((/** @type {any} */ each) => `${alterationText(each)}${each.name ? ` (${each.name})` : ""}`).join(", ") || "–"}</td>
          <td>${comesFrom(price) || html`<span class="quiet">${place === "total" ? "the prices below" : "entered, no catalogue price"}</span>`}</td>
        </tr>`,
      )}</tbody>
    </table>
  </div>`;
}

/**
 * Every price below a list of objects, with the path of the object that has it.
 * @param {any} document
 * @param {any} items
 * @param {import("../../lib/types").Schema} schema
 * @param {string} path
 * @returns {{place: string, price: any}[]}
 */
function pricesBelow(document, items, schema, path) {
  const type = schema.items ? typeOfMember(document, schema) : null;
  if (!type || isPriced(document, type) || !Array.isArray(items)) return [];
  return items.flatMap((item, at) =>
    [...type.members].flatMap(([name, member]) => {
      const place = `${path}[${item?.id ?? at}]`;
      if (!Array.isArray(item?.[name])) return [];
      if (isPriced(document, typeOfMember(document, member))) return item[name].map((/** @type {any} */ price) => ({ place, price }));
      return pricesBelow(document, item[name], member, `${place}.${name}`);
    }),
  );
}
