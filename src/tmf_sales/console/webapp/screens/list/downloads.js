/** The rows that are shown, as CSV and JSON files. */
import { valuesAt } from "../../lib/columns.js";
import { html } from "../../lib/html.js";
import { summary } from "../../parts/value.js";

/** @typedef {import("../../lib/columns.js").Column} Column */

/** @param {{resource: import("../../lib/types").Resource, columns: Column[], items: any[]}} props */
export function Downloads({ resource, columns, items }) {
  const csv = () => save(`${resource.noun}.csv`, "text/csv", asCsv(columns, items));
  const json = () => save(`${resource.noun}.json`, "application/json", JSON.stringify(items, null, 2));
  return html`<button type="button" disabled=${!items.length} onClick=${csv}>CSV</button>
    <button type="button" disabled=${!items.length} onClick=${json}>JSON</button>`;
}

/**
 * RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it.
 * @param {Column[]} columns
 * @param {any[]} items
 */
export function asCsv(columns, items) {
  const rows = [columns.map(({ path }) => path), ...items.map((item) => columns.map(({ path }) => valuesAt(item, path).map(cellText).join("; ")))];
  return `${rows.map((row) => row.map(quoted).join(",")).join("\r\n")}\r\n`;
}

/** @param {any} value */
function cellText(value) {
  const text = summary(value);
  return typeof value !== "number" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

/** @param {string} text */
const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);

/**
 * @param {string} name
 * @param {string} type
 * @param {string} text
 */
function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
