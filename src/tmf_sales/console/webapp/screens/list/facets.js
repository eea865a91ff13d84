/** The values of enumerations, parties and references with their counts; a click filters by them. */
import { count, send } from "../../lib/client.js";
import { facetsOf, headingOf, valuesAt } from "../../lib/columns.js";
import { html, useMemo, useState } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { alternatives, conditionsOf, formatQuery, toggled, valueOf, withValue } from "../../lib/query.js";

/** @typedef {import("../../lib/query.js").Parameter} Parameter */
/** @typedef {import("../../lib/types").Resource} Resource */

const SAMPLE = 200;
const MOST_VALUES = 6;

/** @param {{resource: Resource, parameters: Parameter[], show: (next: Parameter[]) => void}} props */
export function Facets({ resource, parameters, show }) {
  const facets = useMemo(() => facetsOf(resource), [resource]);
  if (!facets.length) return null;
  return html`<aside class="card facets" aria-label="Counts by value">
    ${facets.map((facet, at) => html`<${Facet} key=${facet.path} resource=${resource} facet=${facet} first=${at === 0} parameters=${parameters} show=${show} />`)}
  </aside>`;
}

/** @param {{resource: Resource, facet: {path: string, values: string[] | null}, first: boolean, parameters: Parameter[], show: (next: Parameter[]) => void}} props */
function Facet({ resource, facet, first, parameters, show }) {
  const chosen = alternatives(valueOf(parameters, facet.path) ?? "");
  const [open, setOpen] = useState(first || chosen.length > 0);
  const others = conditionsOf(withValue(parameters, facet.path, null));
  const { value, error } = useLoaded(
    async (signal) => (open ? counted(resource, facet, others, chosen, signal) : []),
    [open, formatQuery(others), facet.path, chosen.join(",")],
  );
  return html`<details open=${open} onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary title=${facet.path}>${headingOf(facet.path)}</summary>
    ${error && html`<p class="quiet">not countable with this query</p>`}
    ${!error && open && value?.length === 0 && html`<p class="quiet">no values</p>`}
    ${!error && value?.map(
      ([name, total]) => html`<label key=${name}>
        <input type="checkbox" checked=${chosen.includes(name)} onChange=${() => show(toggled(parameters, facet.path, name))} />
        <span>${name}</span> <small>${total?.toLocaleString("en-GB") ?? "?"}</small>
      </label>`,
    )}
  </details>`;
}

/**
 * Each value with the count of its matches, whatever else of this facet is chosen.
 * @param {Resource} resource
 * @param {{path: string, values: string[] | null}} facet
 * @param {Parameter[]} others
 * @param {string[]} chosen
 * @param {AbortSignal} signal
 * @returns {Promise<[string, number | null][]>}
 */
async function counted(resource, facet, others, chosen, signal) {
  const values = facet.values ?? (await frequent(resource, facet.path, others, signal));
  const shown = [...new Set([...values, ...chosen])];
  return Promise.all(
    shown.map(async (value) => {
      const query = formatQuery([...others, { name: facet.path, value }]);
      return /** @type {[string, number | null]} */ ([value, await count(`${resource.url}?${query}`, { signal })]);
    }),
  );
}

/**
 * The most frequent values among the first matches. Values with a comma cannot be asked for exactly and are left out.
 * @param {Resource} resource
 * @param {string} path
 * @param {Parameter[]} others
 * @param {AbortSignal} signal
 */
async function frequent(resource, path, others, signal) {
  const query = formatQuery([...others, { name: "fields", value: path }, { name: "limit", value: String(SAMPLE) }]);
  const { body } = await send("GET", `${resource.url}?${query}`, { quiet: true, signal });
  /** @type {Map<string, number>} */
  const seen = new Map();
  for (const item of body) {
    for (const value of new Set(valuesAt(item, path).map(String))) seen.set(value, (seen.get(value) ?? 0) + 1);
  }
  return [...seen]
    .filter(([value]) => !/[,;]/.test(value))
    .sort((a, b) => b[1] - a[1])
    .slice(0, MOST_VALUES)
    .map(([value]) => value);
}
