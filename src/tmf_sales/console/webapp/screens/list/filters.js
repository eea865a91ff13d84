/** The conditions of a list as chips, a builder for further ones, and the query string itself to edit. */
import { html, useState } from "../../lib/html.js";
import { OPERATORS, alternatives, conditionsOf, formatQuery, parseQuery, splitName } from "../../lib/query.js";

/** @typedef {import("../../lib/query.js").Parameter} Parameter */
/** @typedef {import("../../lib/columns.js").Column} Column */

const FOR_TEXT = ["", "ne", "contains", "containsi", "startswith", "in", "isnull"];
const FOR_ORDERED = ["gte", "lt", "lte", "gt", "between", "", "isnull"];
const FOR_CHOICE = ["", "ne", "in", "nin", "isnull"];

/** @param {{resource: import("../../lib/types").Resource, columns: Column[], parameters: Parameter[], error: import("../../lib/client.js").ApiError | null, show: (next: Parameter[]) => void}} props */
export function Filters({ columns, parameters, error, show }) {
  const [open, setOpen] = useState(/** @type {"" | "builder" | "text"} */ (""));
  const conditions = conditionsOf(parameters);
  const guilty = error ? parameters.filter(({ name }) => names(error.detail, name)) : [];
  /** @param {Parameter} gone */
  const remove = (gone) => show(parameters.filter((each) => each !== gone && each.name !== "offset"));
  /** @param {Parameter} condition */
  const add = (condition) => {
    show([...parameters.filter(({ name }) => name !== condition.name && name !== "offset"), condition]);
    setOpen("");
  };
  return html`<div class="chips grow">
      ${conditions.map(
        (condition) => html`<span key=${condition.name} class="chip ${guilty.includes(condition) ? "guilty" : ""}">
          <${Condition} condition=${condition} />
          <button type="button" class="plain" aria-label="Remove the filter ${condition.name}" onClick=${() => remove(condition)}>✕</button>
        </span>`,
      )}
      <button type="button" class="plain" aria-expanded=${open === "builder"} onClick=${() => setOpen(open === "builder" ? "" : "builder")}>+ filter</button>
      <button type="button" class="plain" aria-expanded=${open === "text"} onClick=${() => setOpen(open === "text" ? "" : "text")}>query as text</button>
    </div>
    ${error &&
    html`<div class="problem" role="alert">
      <strong>${guilty.length ? `The filter ${guilty.map(({ name }) => name).join(", ")} is not valid` : error.reason}</strong>
      <p>${error.detail}</p>
    </div>`}
    ${open === "builder" && html`<${Builder} columns=${columns} add=${add} />`}
    ${open === "text" && html`<${AsText} parameters=${parameters} show=${show} />`}`;
}

/** Whether a message names the parameter, as the service's messages do at their start or in quotes. */
function names(/** @type {string} */ message, /** @type {string} */ parameter) {
  const path = splitName(parameter)[0];
  return [parameter, path].some((each) => message.startsWith(each) || message.includes(`'${each}'`) || message.includes(` ${each} `) || message.includes(` ${each}:`));
}

/** @param {{condition: Parameter}} props */
function Condition({ condition }) {
  const [path, operator] = splitName(condition.name);
  const value = operator === "isnull" || operator === "exists" ? (condition.value === "true" ? "" : "not") : alternatives(condition.value).join(", ");
  if (path === "filter") return html`<code>${condition.value}</code>`;
  return html`<span>${path} <b>${OPERATORS[operator]}</b> ${value}</span>`;
}

/** @param {{columns: Column[], add: (condition: Parameter) => void}} props */
function Builder({ columns, add }) {
  const [path, setPath] = useState("");
  const column = columns.find((each) => each.path === path);
  const ordered = column?.shows === "dateTime" || column?.shows === "number";
  const operators = ordered ? FOR_ORDERED : column?.schema.enum || column?.shows === "boolean" ? FOR_CHOICE : FOR_TEXT;
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const operator = String(form.get("operator"));
    const value = operator === "isnull" ? "true" : form.getAll("value").map(String).filter(Boolean).join(",");
    if (path && value) add({ name: operator ? `${path}.${operator}` : path, value });
  };
  const choices = column?.schema.enum ?? (column?.shows === "boolean" ? ["true", "false"] : null);
  return html`<form class="card row builder" onSubmit=${submit}>
    <label>Attribute
      <input list="paths" value=${path} required autofocus onInput=${(/** @type {any} */ event) => setPath(event.target.value)} />
    </label>
    <datalist id="paths">${columns.filter(({ shows }) => !["summary", "prices", "money", "period"].includes(shows)).map((each) => html`<option key=${each.path} value=${each.path}>${each.schema.description}</option>`)}</datalist>
    <label>Condition <select name="operator">${operators.map((each) => html`<option key=${each} value=${each}>${OPERATORS[each]}</option>`)}</select></label>
    <label>Value
      ${choices
        ? html`<select name="value" multiple size=${Math.min(choices.length, 6)}>${choices.map((each) => html`<option key=${each}>${each}</option>`)}</select>`
        : html`<input name="value" type=${column?.shows === "number" ? "number" : "text"} step="any" placeholder=${column?.shows === "dateTime" ? "2026-11-01, or its start" : ""} />`}
    </label>
    <button type="submit" class="primary">Add</button>
    ${column?.schema.description && html`<p class="quiet grow">${column.schema.description}</p>`}
  </form>`;
}

/** @param {{parameters: Parameter[], show: (next: Parameter[]) => void}} props */
function AsText({ parameters, show }) {
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("query"));
    show(parseQuery(text.replace(/^\?/, "").replace(/\s*\n\s*/g, "&")));
  };
  return html`<form class="card" onSubmit=${submit}>
    <label>Query string (TMF630), one parameter a line
      <textarea class="mono" name="query" rows="4">${parameters.map((each) => formatQuery([each])).join("\n")}</textarea>
    </label>
    <button type="submit" class="primary">Apply</button>
  </form>`;
}
