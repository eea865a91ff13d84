/** The query of a subscription: conditions are added by a form, the text is what counts, and it is tried on events. */
import { send } from "../lib/client.js";
import { moment } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useLoaded } from "../lib/loading.js";
import { Problem } from "./problem.js";

const OPERATORS = { "": "is", ".ne": "is not", ".in": "is one of", ".gt": "is greater than", ".lt": "is less than", ".contains": "contains", ".exists": "exists (true, false)" };

/** @typedef {import("../lib/types").Api} Api */

/** @param {{api: Api, query: string, change: (query: string) => void}} props */
export function EventQuery({ api, query, change }) {
  /** @param {string} condition */
  const add = (condition) => change(query ? `${query}&${condition}` : condition);
  return html`<div class="field">
    <label>Query <textarea class="mono" rows="2" value=${query} placeholder="empty: every event" onInput=${(/** @type {any} */ event) => change(event.target.value)}></textarea></label>
    <${AddCondition} api=${api} add=${add} />
  </div>`;
}

/** @param {{api: Api, add: (condition: string) => void}} props */
function AddCondition({ api, add }) {
  const [path, setPath] = useState("eventType");
  const [operator, setOperator] = useState("");
  const [value, setValue] = useState("");
  const known = paths(api);
  const values = valuesOf(api, path);
  const submit = () => {
    if (value) add(`${path}${operator}=${encodeURIComponent(value).replace(/%2C/g, ",")}`);
    setValue("");
  };
  return html`<div class="row condition" role="group" aria-label="Add a condition">
    <input list="event-paths" aria-label="Member of the event" value=${path} onInput=${(/** @type {any} */ event) => setPath(event.target.value)} />
    <datalist id="event-paths">${known.map((each) => html`<option key=${each} value=${each}></option>`)}</datalist>
    <select aria-label="Operator" value=${operator} onChange=${(/** @type {any} */ event) => setOperator(event.target.value)}>
      ${Object.entries(OPERATORS).map(([suffix, text]) => html`<option key=${suffix} value=${suffix}>${text}</option>`)}
    </select>
    <input list="event-values" aria-label="Value" value=${value} onInput=${(/** @type {any} */ event) => setValue(event.target.value)} />
    <datalist id="event-values">${values.map((each) => html`<option key=${each} value=${each}></option>`)}</datalist>
    <button type="button" disabled=${!value || !path} onClick=${submit}>Add condition</button>
  </div>`;
}

/** Members of events that a query can name: of the envelope, and one level of each resource. @param {Api} api */
function paths(api) {
  const envelope = ["eventType", "eventTime", "correlationId", "title", "priority", "domain", "fieldPath"];
  return [...envelope, ...api.resources.flatMap((resource) => [...resource.type.members.keys()].map((name) => `event.${resource.noun}.${name}`))];
}

/**
 * The values that the contract lists for a member.
 * @param {Api} api
 * @param {string} path
 * @returns {string[]}
 */
function valuesOf(api, path) {
  if (path === "eventType") return api.resources.flatMap((resource) => resource.events);
  const [, noun, member] = path.split(".");
  return api.resources.find((resource) => resource.noun === noun)?.type.members.get(member)?.enum ?? [];
}

/** Which of the last events a subscription with the query would get. @param {{api: Api, query: string}} props */
export function QueryMatches({ api, query }) {
  const url = `${api.basePath}/event/match?query=${encodeURIComponent(query)}`;
  const { value, error } = useLoaded(async (signal) => (await send("GET", url, { signal })).body, [url]);
  if (error) return html`<${Problem} error=${error} />`;
  if (!value) return html`<p class="quiet" role="status">Trying the query</p>`;
  const matching = value.filter((/** @type {any} */ each) => each.matches).length;
  return html`<p role="status"><strong>${matching}</strong> of the last ${value.length} events match.</p>
    <ul class="plain matches">
      ${value.map(
        (/** @type {any} */ each) => html`<li key=${each.eventId} class=${each.matches ? "" : "quiet"}>
          <span class="tag ${each.matches ? "good" : ""}">${each.matches ? "matches" : "no match"}</span>${" "}
          ${each.eventType} <small>${moment(each.eventTime)}</small>
        </li>`,
      )}
    </ul>`;
}
