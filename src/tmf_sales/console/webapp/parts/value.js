/** A value of a resource as people read it: states, amounts, periods, dates, texts. */
import { html } from "../lib/html.js";
import { charge, date, dateTime, distance, isDateTime, money, number } from "../lib/format.js";
import { valuesAt } from "../lib/columns.js";
import { Tag } from "./tag.js";

const DAY = 86_400_000;
const SOON = 7 * DAY;

/** @param {{text: string, withTime?: boolean}} props */
export function DateTime({ text, withTime = false }) {
  if (!isDateTime(text)) return html`${text}`;
  return html`<time datetime=${text} title="${dateTime(text)} (${distance(text)})">${withTime ? dateTime(text) : date(text)}</time>`;
}

/** The end of a period, with what is left of it. @param {{text: string}} props */
export function Until({ text }) {
  const left = Date.parse(text) - Date.now();
  const tone = left < 0 ? "bad" : left < SOON ? "waiting" : "good";
  return html`<time datetime=${text} title=${dateTime(text)} class="until ${tone}">${distance(text)}</time>`;
}

/** @param {{period: {startDateTime?: string, endDateTime?: string}}} props */
export function Period({ period }) {
  return html`${period.startDateTime && html`<${DateTime} text=${period.startDateTime} />`} –${" "}
  ${period.endDateTime ? html`<${DateTime} text=${period.endDateTime} /> (<${Until} text=${period.endDateTime} />)` : "open"}`;
}

/** Amounts of prices, each with its period. @param {{prices: any[]}} props */
export function Prices({ prices }) {
  if (!prices.length) return html`<span class="quiet">–</span>`;
  return html`${prices.map((each, at) => {
    const amount = each?.price?.taxIncludedAmount ?? each?.price?.dutyFreeAmount;
    return html`<div key=${at}>${money(amount)} <span class="quiet">${charge(each ?? {})}</span></div>`;
  })}`;
}

/** A cell of a list. @param {{document: any, column: import("../lib/columns.js").Column, lifecycle: import("../lib/types").Lifecycle | null}} props */
export function Cell({ document, column, lifecycle }) {
  const values = valuesAt(document, column.path);
  if (values.length === 0) return html`<span class="quiet">–</span>`;
  switch (column.shows) {
    case "text":
      if (column.path === "id") return html`<span title=${values[0]}>${shortened(values[0])}</span>`;
      return html`${[...new Set(values.map(String))].slice(0, 4).join(", ")}`;
    case "state":
      return html`<${Tag} state=${values[0]} lifecycle=${lifecycle} />`;
    case "money":
      return html`${values.map(money).join(", ")}`;
    case "prices":
      return html`<${Prices} prices=${values} />`;
    case "period":
      return html`<${Period} period=${values[0]} />`;
    case "dateTime":
      return column.path.endsWith(".endDateTime") ? html`<${Until} text=${values[0]} />` : html`<${DateTime} text=${values[0]} />`;
    case "number":
      return html`${values.map((each) => (typeof each === "number" ? number(each) : String(each))).join(", ")}`;
    case "summary":
      return html`${values.length === 1 ? summary(values[0]) : `${values.length}: ${values.slice(0, 3).map(summary).join(", ")}`}`;
    default:
      return html`${[...new Set(values.map(String))].slice(0, 4).join(", ")}`;
  }
}

/** The beginning and the end of a long id. @param {string} id */
const shortened = (id) => (id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-8)}` : id);

/** An object in a few words. @param {any} value @returns {string} */
export function summary(value) {
  if (value === null || typeof value !== "object") return String(value ?? "");
  if (Array.isArray(value)) return value.map(summary).join(", ");
  if (typeof value.value === "number" && "unit" in value) return money(value);
  const name = value.name ?? value.text ?? value.description ?? value.id;
  if (name !== undefined) return value.role ? `${name} (${value.role})` : String(name);
  return Object.values(value).filter((each) => !["object", "boolean"].includes(typeof each)).slice(0, 3).join(", ");
}

/** The columns whose values stand at the right. @param {import("../lib/columns.js").Column} column */
export const isNumeric = (column) => ["money", "prices", "number"].includes(column.shows) || column.path === "version";
