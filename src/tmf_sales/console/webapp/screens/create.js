/** Creates a resource: empty, as a copy, or as a new version; calculates prices where the API does so at once. */
import { ApiError, send } from "../lib/client.js";
import { emptyObject, nextVersion, prominentIn, sendable } from "../lib/form_values.js";
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { useLoaded } from "../lib/loading.js";
import { keepUnsaved, linkTo, navigate } from "../lib/router.js";
import { apiPath } from "../lib/resource_url.js";
import { DocumentEditor } from "../parts/document_editor.js";
import { PageHead } from "../parts/page_head.js";
import { Problem } from "../parts/problem.js";
import { Violations } from "../parts/violations.js";
import { ItemsTab } from "./resource/items.js";

/** @typedef {import("../lib/types").Resource} Resource */

/** @param {import("../lib/types").ScreenProps} props */
export default function CreateScreen({ app, params, query }) {
  const resource = app.resource(params.api, params.collection);
  const { value, error, reload } = useLoaded(async (signal) => (resource?.createType ? firstValue(resource, query, signal) : null), [query]);
  if (!resource?.createType) return html`<${PageHead} title="This API cannot create these resources" />`;
  if (error) return html`<${Problem} error=${error} retry=${reload} />`;
  if (!value) return html`<p class="quiet" role="status">Loading</p>`;
  return html`<${Form} resource=${resource} first=${value} />`;
}

/**
 * @param {Resource} resource
 * @param {string} query
 * @param {AbortSignal} signal
 */
async function firstValue(resource, query, signal) {
  const type = /** @type {import("../lib/types").ObjectType} */ (resource.createType);
  const asked = new URLSearchParams(query);
  const source = asked.get("version-of") ?? asked.get("copy-of");
  if (!source) return emptyObject(resource.api.document, type);
  const stored = (await send("GET", `${resource.url}/${apiPath(source)}`, { signal })).body;
  const value = sendable(resource.api.document, type, stored);
  const member = resource.versionMember;
  delete value.id;
  if (member) delete value[member];
  if (!asked.has("version-of") || !member) return value;
  const versions = (await send("GET", `${resource.url}?id=${encodeURIComponent(stored.id)}&fields=${member}&limit=1000`, { signal, quiet: true })).body;
  return { id: stored.id, [member]: nextVersion(versions.at(-1)?.[member] ?? stored[member]), ...value };
}

/** The member that asks for prices at once, without keeping anything. @param {Resource} resource */
function instantMember(resource) {
  if (!resource.operations.create?.responses?.["200"]) return null;
  return [...(resource.createType?.members ?? [])].find(([name, schema]) => schema.type === "boolean" && /^instant/i.test(name))?.[0] ?? null;
}

/** @param {{resource: Resource, first: Record<string, any>}} props */
function Form({ resource, first }) {
  const [value, setValue] = useState(first);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [calculated, setCalculated] = useState(/** @type {any} */ (null));
  const [sending, setSending] = useState(false);
  const keys = useMemo(() => ({ create: crypto.randomUUID(), calculate: crypto.randomUUID() }), [value]); // the same request, sent again, creates nothing twice
  const instant = instantMember(resource);
  const prominent = useMemo(() => prominentIn(resource), [resource]);
  const unsaved = value !== first;
  useEffect(() => (unsaved ? keepUnsaved() : undefined), [unsaved]);

  /** @param {Record<string, any>} body @param {string} key */
  const post = async (body, key) => {
    setSending(true);
    setError(null);
    setCalculated(null);
    try {
      const answer = await send("POST", resource.url, { body, headers: { "Idempotency-Key": key } });
      if (answer.status === 200) setCalculated(answer.body);
      else leaveFor(resource, answer.body);
    } catch (raised) {
      setError(raised);
    } finally {
      setSending(false);
    }
  };
  const violations = error instanceof ApiError ? error.violations : new Map();
  const name = resource.title.toLowerCase();
  return html`<${PageHead}
      title=${value.id && resource.versionMember && value[resource.versionMember] ? `Version ${value[resource.versionMember]} of ${value.id}` : `New ${name}`}
      trail=${html`<a href=${linkTo([resource.api.name, resource.noun])}>${resource.plural}</a>`}
      sub="Required attributes come first; add others as you need them." />
    ${error && html`<${Violations} error=${error} />`}
    ${calculated && html`<section aria-label="Calculated prices"><p class="hint">Calculated, not kept.</p><${ItemsTab} resource=${resource} item=${calculated} /></section>`}
    <form onSubmit=${(/** @type {any} */ event) => (event.preventDefault(), post(value, keys.create))} novalidate>
      <${DocumentEditor} document=${resource.api.document} type=${resource.createType} value=${value} violations=${violations} prominent=${prominent} change=${setValue} />
      ${instant && html`<p id="calculation" class="quiet">Calculating keeps nothing. If an item has no price in the price book, the ${name} is created instead.</p>`}
      <div class="actions bar">
        <button type="submit" class="primary" disabled=${sending}>Create ${name}</button>
        ${instant && html`<button type="button" disabled=${sending} aria-describedby="calculation" onClick=${() => post({ ...value, [instant]: true }, keys.calculate)}>Calculate prices</button>`}
        <a class="button" href=${linkTo([resource.api.name, resource.noun])}>Cancel</a>
      </div>
    </form>`;
}

/** @param {Resource} resource @param {any} created */
function leaveFor(resource, created) {
  keepUnsaved()(); // it is saved
  navigate(linkTo([resource.api.name, resource.noun, created.id]));
}
