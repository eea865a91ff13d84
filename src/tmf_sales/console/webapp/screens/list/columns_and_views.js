/** The columns of a list to choose from, and queries that this browser keeps under a name. */
import { html, useState } from "../../lib/html.js";

/** @typedef {import("../../lib/columns.js").Column} Column */

/** @param {{all: Column[], shown: string[], change: (paths: string[]) => void}} props */
export function Columns({ all, shown, change }) {
  /** @param {string} path */
  const toggle = (path) => {
    const next = shown.includes(path) ? shown.filter((each) => each !== path) : [...shown, path];
    if (next.length) change(next);
  };
  return html`<details class="pop">
    <summary>Columns</summary>
    <div class="card list">
      ${all.map(
        (column) => html`<label key=${column.path} title=${column.schema.description}>
          <input type="checkbox" checked=${shown.includes(column.path)} onChange=${() => toggle(column.path)} /> ${column.path}
        </label>`,
      )}
    </div>
  </details>`;
}

/** @param {{resource: import("../../lib/types").Resource, query: string, open: (query: string) => void}} props */
export function SavedViews({ resource, query, open }) {
  const key = `tmf-sales-views ${resource.url}`;
  const [views, setViews] = useState(() => /** @type {Record<string, string>} */ (JSON.parse(localStorage.getItem(key) ?? "{}")));
  /** @param {Record<string, string>} next */
  const keep = (next) => {
    localStorage.setItem(key, JSON.stringify(next));
    setViews(next);
  };
  /** @param {SubmitEvent} event */
  const save = (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const name = String(new FormData(form).get("name")).trim();
    if (name) keep({ ...views, [name]: query });
    form.reset();
  };
  const names = Object.keys(views);
  return html`<details class="pop">
    <summary>Saved views${names.length > 0 && ` (${names.length})`}</summary>
    <div class="card">
      <ul class="plain">
        ${names.map(
          (name) => html`<li key=${name} class="row">
            <button type="button" class="plain grow" onClick=${() => open(views[name])}>${name}</button>
            <button type="button" class="plain" aria-label="Remove the view ${name}" onClick=${() => keep(Object.fromEntries(Object.entries(views).filter(([each]) => each !== name)))}>✕</button>
          </li>`,
        )}
      </ul>
      <form class="row" onSubmit=${save}>
        <input name="name" aria-label="Name of the view" placeholder="Name of this view" required maxlength="60" />
        <button type="submit">Save</button>
      </form>
    </div>
  </details>`;
}
