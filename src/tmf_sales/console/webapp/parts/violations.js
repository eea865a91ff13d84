/** All violations of a document, each linked to its field. */
import { ApiError } from "../lib/client.js";
import { html } from "../lib/html.js";
import { Problem } from "./problem.js";

/** @param {{error: any}} props */
export function Violations({ error }) {
  const found = error instanceof ApiError ? [...error.violations] : [];
  if (!found.length) return html`<${Problem} error=${error} />`;
  /** @param {any} event @param {string} path */
  const go = (event, path) => {
    event.preventDefault();
    const field = nearest(path);
    field?.scrollIntoView({ block: "center" });
    field?.focus();
  };
  return html`<div class="problem" role="alert">
    <strong>${error.reason}: ${found.length} ${found.length === 1 ? "place" : "places"} to correct</strong>
    <ul class="plain">
      ${found.map(([path, text]) => html`<li key=${path}><a href="#main" onClick=${(/** @type {any} */ event) => go(event, path)}><code>${path || "the document"}</code></a> ${text}</li>`)}
    </ul>
  </div>`;
}

/** The field of a path, or of what it is in. @param {string} path */
function nearest(path) {
  for (let at = path; at; at = at.slice(0, at.lastIndexOf("/"))) {
    const field = document.getElementById(at);
    if (field) return field;
  }
  return document.querySelector("form");
}
