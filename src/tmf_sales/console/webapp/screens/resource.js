/** One resource: its lifecycle, and tabs for what its contract says that it has. */
import { ApiError, send } from "../lib/client.js";
import { html, useState } from "../lib/html.js";
import { useLoaded } from "../lib/loading.js";
import { mayDo, permissions } from "../lib/permissions.js";
import { linkTo, navigate } from "../lib/router.js";
import { apiPath, versionSegment } from "../lib/resource_url.js";
import { useStore } from "../lib/store.js";
import { Dialog } from "../parts/dialog.js";
import { LifecycleBar } from "../parts/lifecycle_bar.js";
import { PageHead } from "../parts/page_head.js";
import { Problem } from "../parts/problem.js";
import { Tag } from "../parts/tag.js";
import { tabsOf } from "./resource/tabs.js";

/** @typedef {import("../lib/types").Resource} Resource */

/** @param {import("../lib/types").ScreenProps} props */
export default function ResourceScreen({ app, params, query }) {
  const resource = app.resource(params.api, params.collection);
  if (!resource) return html`<${PageHead} title="No such resource" />`;
  return html`<${OneResource} app=${app} resource=${resource} id=${params.id} query=${query} />`;
}

/** @param {{app: import("../lib/types").App, resource: Resource, id: string, query: string}} props */
function OneResource({ app, resource, id, query }) {
  const { value, error, reload } = useLoaded(async (signal) => {
    const answer = await send("GET", `${resource.url}/${apiPath(id)}`, { signal });
    return { item: answer.body, etag: answer.headers.get("etag") ?? "" };
  }, [resource.url, id]);
  const trail = html`<a href=${linkTo([resource.api.name, resource.noun])}>${resource.plural}</a> / <span class="mono">${id}</span>`;
  if (error && !value) return html`<${PageHead} title=${resource.title} trail=${trail} /><${Problem} error=${error} retry=${reload} />`;
  if (!value) return html`<p class="quiet" role="status">Loading</p>`;
  const { item, etag } = value;
  const tabs = tabsOf(resource, item);
  const current = tabs.find((tab) => tab.name === new URLSearchParams(query).get("tab")) ?? tabs[0];
  return html`<${PageHead} trail=${trail} name=${`${resource.title} ${item.id}`}
      title=${html`${item.name ?? item.description ?? item.id} <${Head} resource=${resource} item=${item} etag=${etag} />`}
      actions=${html`<${Actions} resource=${resource} item=${item} etag=${etag} />`} />
    ${resource.lifecycle && item[resource.lifecycle.member] && html`<${LifecycleBar} resource=${resource} item=${item} etag=${etag} changed=${reload} />`}
    <nav class="tabs" aria-label="Parts of the ${resource.title.toLowerCase()}">
      ${tabs.map((tab) => html`<a key=${tab.name} href=${linkTo([resource.api.name, resource.noun, id], `tab=${tab.name}`)} aria-current=${tab === current ? "page" : undefined}>${tab.title}${tab.count !== undefined && html` <small>${tab.count}</small>`}</a>`)}
    </nav>
    <${current.component} key=${`${current.name} ${etag}`} app=${app} resource=${resource} item=${item} etag=${etag} changed=${reload} />`;
}

/** The revision in an entity tag, which also names the coding of a compressed response. @param {string} etag */
function revisionIn(etag) {
  return etag.replace(/^W\/|-(?:br|gzip)(?="$)|"/g, "");
}

/** @param {{resource: Resource, item: any, etag: string}} props */
function Head({ resource, item, etag }) {
  const state = resource.lifecycle && item[resource.lifecycle.member];
  const version = resource.versionMember && item[resource.versionMember];
  return html`<span class="about">
    ${state && html`<${Tag} state=${state} lifecycle=${resource.lifecycle} />`}
    <small>${version && `version ${version}, `}revision ${revisionIn(etag)}</small>
  </span>`;
}

/** @param {{resource: Resource, item: any, etag: string}} props */
function Actions({ resource, item, etag }) {
  const [deleting, setDeleting] = useState(false);
  const known = useStore(permissions);
  const may = (/** @type {string} */ verb) => mayDo(known, resource, verb);
  const at = [resource.api.name, resource.noun];
  const lifecycle = resource.lifecycle;
  const final = lifecycle && !(lifecycle.transitions[item[lifecycle.member]] ?? []).length;
  return html`${may("patch") && html`<a class="button" href=${linkTo([...at, versionSegment(resource, item), "edit"])} title=${final ? "A final state leaves little to edit" : undefined}>Edit</a>`}
    ${may("create") && resource.versionMember && html`<a class="button" href=${linkTo([...at, "new"], `version-of=${encodeURIComponent(versionSegment(resource, item))}`)}>New version</a>`}
    ${may("create") && html`<a class="button" href=${linkTo([...at, "new"], `copy-of=${encodeURIComponent(versionSegment(resource, item))}`)}>Copy</a>`}
    ${may("delete") && html`<button type="button" class="danger" onClick=${() => setDeleting(true)}>Delete…</button>`}
    ${deleting && html`<${Delete} resource=${resource} item=${item} etag=${etag} close=${() => setDeleting(false)} />`}`;
}

/** @param {{resource: Resource, item: any, etag: string, close: () => void}} props */
function Delete({ resource, item, etag, close }) {
  const [error, setError] = useState(/** @type {any} */ (null));
  const remove = async () => {
    try {
      await send("DELETE", `${resource.url}/${encodeURIComponent(item.id)}`, { headers: { "If-Match": etag } });
      close();
      navigate(linkTo([resource.api.name, resource.noun]));
    } catch (raised) {
      setError(raised);
    }
  };
  return html`<${Dialog} title=${`Delete this ${resource.title.toLowerCase()}?`} close=${close}>
    ${error && html`<${Problem} error=${error instanceof ApiError && error.status === 412 ? "It was changed in the meantime. Reload it before you delete it." : error} />`}
    <p>This removes <code>${item.id}</code>${resource.versionMember && " with all its versions"}. It cannot be undone.</p>
    <div class="actions"><button type="button" class="danger" onClick=${remove}>Delete</button> <button type="button" onClick=${close}>Cancel</button></div>
  <//>`;
}
