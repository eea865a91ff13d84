/** The items of a resource as a tree: quantity, unit and total price, tax, alterations, period and state. */
import { isPriced, lifecycleOf, typeOfMember } from "../../lib/contract.js";
import { charge, money, number } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { alterationText, lineTotal } from "../../lib/prices.js";
import { Tag } from "../../parts/tag.js";
import { Prices, summary } from "../../parts/value.js";
import { membersWhere, treeMembers } from "./members.js";

/** @typedef {import("../../lib/types").Resource} Resource */
/** @typedef {import("../../lib/types").ObjectType} ObjectType */

/** @param {{resource: Resource, item: any}} props */
export function ItemsTab({ resource, item }) {
  const { document } = resource.api;
  const totals = membersWhere(resource, (type) => isPriced(document, type)).flatMap((name) => item[name] ?? []);
  return html`${treeMembers(resource).map((name) => {
    const type = /** @type {ObjectType} */ (typeOfMember(document, resource.type.members.get(name) ?? {}));
    return html`<${Tree} key=${name} resource=${resource} name=${name} type=${type} items=${item[name] ?? []} />`;
  })}
  ${totals.length > 0 && html`<section class="card totals"><h2>Totals <small>with tax, by kind and period</small></h2><strong><${Prices} prices=${totals} /></strong></section>`}`;
}

/** @param {{resource: Resource, name: string, type: ObjectType, items: any[]}} props */
function Tree({ resource, name, type, items }) {
  const { document } = resource.api;
  const priced = [...type.members].find(([, schema]) => schema.items && isPriced(document, typeOfMember(document, schema)))?.[0];
  const nested = [...type.members].find(([, schema]) => schema.items && typeOfMember(document, schema)?.name === type.name)?.[0] ?? name;
  const lifecycle = lifecycleOf(type);
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Items">
    <table>
      <thead><tr>
        <th scope="col">Item</th>${type.members.has("action") && html`<th scope="col">Action</th>`}${lifecycle && html`<th scope="col">State</th>`}
        ${type.members.has("quantity") && html`<th scope="col" class="number">Quantity</th>`}
        ${priced && html`<th scope="col">Price</th><th scope="col" class="number">Unit, net</th><th scope="col" class="number">Tax</th><th scope="col" class="number">Alterations</th><th scope="col" class="number">Total, gross</th>`}
      </tr></thead>
      <tbody>${flat(items, nested).flatMap(({ item, depth, number: place }) => rows(item, depth, place, { type, lifecycle, priced }))}</tbody>
    </table>
  </div>`;
}

/**
 * Every item with its depth and number, each before the items inside it.
 * @param {any[]} items
 * @param {string} nested
 * @param {number} [depth]
 * @param {string} [before]
 * @returns {{item: any, depth: number, number: string}[]}
 */
function flat(items, nested, depth = 0, before = "") {
  return items.flatMap((item, at) => {
    const place = `${before}${item.id ?? at + 1}`;
    return [{ item, depth, number: place }, ...flat(item[nested] ?? [], nested, depth + 1, `${place}.`)];
  });
}

/**
 * One row for each price of the item, and one for an item without prices.
 * @param {any} item
 * @param {number} depth
 * @param {string} place
 * @param {{type: ObjectType, lifecycle: import("../../lib/types").Lifecycle | null, priced: string | undefined}} columns
 */
function rows(item, depth, place, { type, lifecycle, priced }) {
  const prices = (priced && item[priced]?.length ? item[priced] : [null]);
  const name = item.productOffering?.name ?? item.product?.name ?? item.name ?? summary(item.productOffering ?? item.product ?? {});
  return prices.map((/** @type {any} */ price, /** @type {number} */ at) => {
    const first = at === 0;
    const amounts = price?.price ?? {};
    return html`<tr key=${`${place} ${at}`}>
      <td style=${{ paddingLeft: `${10 + depth * 20}px` }}>${first ? html`<span class="mono">${place}</span> ${name}` : ""}</td>
      ${type.members.has("action") && html`<td>${first ? item.action ?? "–" : ""}</td>`}
      ${lifecycle && html`<td>${first && item[lifecycle.member] ? html`<${Tag} state=${item[lifecycle.member]} lifecycle=${lifecycle} />` : ""}</td>`}
      ${type.members.has("quantity") && html`<td class="number">${first && item.quantity !== undefined ? number(item.quantity) : ""}</td>`}
      ${priced && html`<td title=${price?.description}>${price ? charge(price) : html`<span class="quiet">no price</span>`}</td>
        <td class="number">${money(amounts.dutyFreeAmount)}</td>
        <td class="number">${typeof amounts.taxRate === "number" ? `${number(amounts.taxRate)} %` : "–"}</td>
        <td class="number">${price?.priceAlteration?.length ? price.priceAlteration.map((/** @type {any} */ each, /** @type {number} */ n) => html`<div key=${n} title=${each.description ?? each.name}>${alterationText(each)}</div>`) : "–"}</td>
        <td class="number">${money(price && lineTotal(price, item.quantity ?? 1))}</td>`}
    </tr>`;
  });
}
