/** Values as people read them: dates, distances in time, amounts, numbers. */

const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const NUMBER = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 6 });
const DAY = 86_400_000;
const ISO_DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** @param {unknown} value */
export const isDateTime = (value) => typeof value === "string" && ISO_DATE_TIME.test(value) && !Number.isNaN(Date.parse(value));

/** @param {string} text */
export const date = (text) => DATE.format(new Date(text));

/** @param {string} text */
export const dateTime = (text) => `${DATE.format(new Date(text))}, ${TIME.format(new Date(text))}`;

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/**
 * How far away a date-time is: "in 3 days", "2 hours ago".
 * @param {string} text
 * @param {number} [now]
 */
export function distance(text, now = Date.now()) {
  const between = Date.parse(text) - now;
  const size = Math.abs(between);
  const [amount, unit] = size >= DAY ? [size / DAY, "day"] : size >= 3_600_000 ? [size / 3_600_000, "hour"] : [size / 60_000, "minute"];
  const whole = Math.floor(amount);
  if (whole === 0) return between > 0 ? "in a moment" : "just now";
  const length = `${NUMBER.format(whole)} ${unit}${whole === 1 ? "" : "s"}`;
  return between > 0 ? `in ${length}` : `${length} ago`;
}

/**
 * An amount with two decimals at least; the contract does not round, so nothing is cut off here.
 * @param {{unit?: string, value?: number} | null | undefined} amount
 */
export function money(amount) {
  if (typeof amount?.value !== "number") return "–";
  const text = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 6 }).format(amount.value);
  return `${amount.unit ? `${amount.unit} ` : ""}${text}`;
}

/**
 * The kind and period of a price: "per month", "once", or what the contract's member says.
 * @param {{priceType?: string, recurringChargePeriod?: string}} price
 */
export function charge(price) {
  if (price.recurringChargePeriod) return `per ${price.recurringChargePeriod}`;
  return /^(nonRecurring|oneTime|one time)$/i.test(price.priceType ?? "") ? "once" : price.priceType ?? "";
}

const SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A date-time with its seconds, for what follows quickly. @param {string} text */
export const moment = (text) => `${DATE.format(new Date(text))}, ${SECONDS.format(new Date(text))}`;
