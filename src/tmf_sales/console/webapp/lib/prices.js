/** Amounts of items: unit prices with their alterations, as the service adds them up. */

/**
 * What a price comes to for a quantity: alterations that last are applied, as in the totals of the service.
 * @param {any} price
 * @param {number} quantity
 * @returns {{unit?: string, value: number} | null}
 */
export function lineTotal(price, quantity) {
  const amount = price?.price?.taxIncludedAmount ?? price?.price?.dutyFreeAmount;
  if (typeof amount?.value !== "number") return null;
  const gross = price.price.taxIncludedAmount ? "taxIncludedAmount" : "dutyFreeAmount";
  let value = amount.value;
  for (const alteration of lasting(price)) {
    const { percentage } = alteration.price ?? {};
    value -= typeof percentage === "number" ? (value * percentage) / 100 : alteration.price?.[gross]?.value ?? 0;
  }
  return { unit: amount.unit, value: Math.round(value * quantity * 100) / 100 };
}

/** @param {any} price */
function lasting(price) {
  const altered = (price.priceAlteration ?? []).filter((/** @type {any} */ each) => !each.applicationDuration);
  return altered.sort((/** @type {any} */ a, /** @type {any} */ b) => (a.priority ?? 0) - (b.priority ?? 0));
}

/**
 * An alteration in words: "−10 %", "−100 % for 1 month".
 * @param {any} alteration
 */
export function alterationText(alteration) {
  const { percentage, taxIncludedAmount, dutyFreeAmount } = alteration.price ?? {};
  const amount = taxIncludedAmount ?? dutyFreeAmount;
  const [value, unit] = typeof percentage === "number" ? [percentage, "%"] : [amount?.value, amount?.unit ?? ""];
  if (typeof value !== "number") return alteration.name ?? "altered";
  const lasts = alteration.applicationDuration ? ` for ${alteration.applicationDuration} × ${alteration.recurringChargePeriod ?? "period"}` : "";
  return `${value > 0 ? "−" : "+"}${Math.abs(value)} ${unit}${lasts}`;
}

/** @param {any} price */
export const comesFrom = (price) => price?.productOfferingPrice?.name ?? price?.productOfferingPrice?.id ?? "";
