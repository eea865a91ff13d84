/** A field for one value: a list for enumerations, a calendar for date-times, JSON for what the contract leaves open. */
import { kindOf } from "../lib/contract.js";
import { html, useState } from "../lib/html.js";

/** @typedef {import("../lib/types").Schema} Schema */

const LONG = 4096;

/** @param {{title: any, schema: Schema, value: any, path: string, required?: boolean, violation?: string, change: (next: any) => void, remove?: any}} props */
export function Scalar({ title, schema, value, path, required = false, violation, change, remove }) {
  const input = {
    id: path,
    "aria-required": required,
    "aria-invalid": violation ? "true" : undefined,
    "aria-describedby": `about ${path}`,
  };
  return html`<div class="field ${violation ? "invalid" : ""}">
    <div class="row"><label for=${path} class="grow">${title}</label>${remove}</div>
    <${Input} attributes=${input} schema=${schema} value=${value} change=${change} />
    <p class="about" id=${`about ${path}`}>${violation ? html`<span class="violation">${violation}</span>` : schema.description}</p>
  </div>`;
}

/** @param {{attributes: Record<string, any>, schema: Schema, value: any, change: (next: any) => void}} props */
function Input({ attributes, schema, value, change }) {
  const kind = kindOf(schema);
  /** @param {(text: string) => any} read */
  const typed = (read) => (/** @type {any} */ event) => change(read(event.target.value));
  if (schema.enum) {
    const known = schema.enum.includes(value) ? schema.enum : [value ?? "", ...schema.enum];
    return html`<select ...${attributes} value=${value ?? ""} onChange=${typed((text) => text)}>${known.map((each) => html`<option key=${each}>${each}</option>`)}</select>`;
  }
  if (kind === "boolean") {
    return html`<select ...${attributes} value=${String(value ?? false)} onChange=${typed((text) => text === "true")}><option value="true">yes</option><option value="false">no</option></select>`;
  }
  if (kind === "integer" || kind === "number") {
    return html`<input ...${attributes} type="number" step=${kind === "integer" ? 1 : "any"} value=${value} onInput=${typed((text) => (text === "" ? null : Number(text)))} />`;
  }
  if (schema.format === "date-time") {
    return html`<input ...${attributes} type="datetime-local" step="1" value=${localTime(value)} onInput=${typed((text) => (text ? new Date(text).toISOString() : ""))} />`;
  }
  if (kind === "any") return html`<${JsonInput} attributes=${attributes} value=${value} change=${change} />`;
  if ((schema.maxLength ?? 0) > LONG) return html`<textarea ...${attributes} rows="2" value=${value ?? ""} onInput=${typed((text) => text)}></textarea>`;
  return html`<input ...${attributes} value=${value ?? ""} maxlength=${schema.maxLength} onInput=${typed((text) => text)} />`;
}

/** A date-time in the form of its input, in the local time zone. @param {any} text */
function localTime(text) {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return "";
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** @param {{attributes: Record<string, any>, value: any, change: (next: any) => void}} props */
function JsonInput({ attributes, value, change }) {
  const [text, setText] = useState(JSON.stringify(value ?? ""));
  /** @param {any} event */
  const read = (event) => {
    setText(event.target.value);
    try {
      change(JSON.parse(event.target.value));
    } catch {
      // It is not JSON yet; the last valid value stays.
    }
  };
  return html`<textarea ...${attributes} class="mono" rows="2" value=${text} onInput=${read}></textarea>`;
}
