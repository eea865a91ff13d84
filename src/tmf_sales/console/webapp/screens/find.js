/** Finds resources of every API by id, external id, name, description or party. */
import { ApiError, send } from "../lib/client.js";
import { html } from "../lib/html.js";
import { useLoaded } from "../lib/loading.js";
import { linkTo } from "../lib/router.js";
import { isParty, typeOfMember } from "../lib/contract.js";
import { PageHead } from "../parts/page_head.js";
import { Problem } from "../parts/problem.js";
import { Tag } from "../parts/tag.js";

/** @typedef {import("../lib/types").Resource} Resource */

const EACH = 10;

/** @param {import("../lib/types").ScreenProps} props */
export default function FindScreen({ app, query }) {
  const text = new URLSearchParams(query).get("text") ?? "";
  const searched = app.apis.flatMap((api) => api.resources).filter((resource) => resource.operations.list);
  const { value, error, loading, reload } = useLoaded(
    (signal) => Promise.all(searched.map(async (resource) => ({ resource, found: await find(resource, text, signal) }))),
    [text],
  );
  const total = (value ?? []).reduce((sum, { found }) => sum + found.length, 0);
  return html`<${PageHead} title=${`Find “${text}”`} sub=${loading ? "Looking" : `${total} found`} />
    ${error && html`<${Problem} error=${error} retry=${reload} />`}
    ${(value ?? [])
      .filter(({ found }) => found.length > 0)
      .map(
        ({ resource, found }) => html`<section class="card" key=${resource.url}>
          <h2>${resource.plural}</h2>
          <ul class="plain">
            ${found.map(
              (each) => html`<li key=${each.id}>
                <a class="mono" href=${linkTo([resource.api.name, resource.noun, each.id])}>${each.id}</a>${" "}
                ${each.name ?? each.description ?? ""}${" "}
                ${resource.lifecycle && each[resource.lifecycle.member] && html`<${Tag} state=${each[resource.lifecycle.member]} lifecycle=${resource.lifecycle} />`}
              </li>`,
            )}
          </ul>
        </section>`,
      )}`;
}

/**
 * @param {Resource} resource
 * @param {string} text
 * @param {AbortSignal} signal
 * @returns {Promise<any[]>}
 */
async function find(resource, text, signal) {
  const value = encodeURIComponent(text.replace(/[,;]/g, " "));
  const answers = await Promise.all(conditions(resource).map((name) => listed(`${resource.url}?${name}=${value}&limit=${EACH}`, signal)));
  const byId = new Map(answers.flat().map((each) => [each.id, each]));
  return [...byId.values()].slice(0, EACH);
}

/** @param {Resource} resource */
function conditions(resource) {
  const names = ["id"];
  for (const [name, schema] of resource.type.members) {
    if (name === "externalId") names.push(name);
    else if (name === "name" || name === "description") names.push(`${name}.containsi`);
    else if (isParty(typeOfMember(resource.api.document, schema))) names.push(`${name}.name.containsi`, `${name}.id`);
  }
  return names;
}

/**
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function listed(url, signal) {
  try {
    return (await send("GET", url, { signal })).body;
  } catch (error) {
    if (error instanceof ApiError && [400, 403].includes(error.status)) return [];
    throw error;
  }
}
