/** Edits a resource: sends what differs as a JSON Patch with the ETag, and explains a rejection. */
import { ApiError, send } from "../lib/client.js";
import { jsonPatch } from "../lib/difference.js";
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { useLoaded } from "../lib/loading.js";
import { keepUnsaved, linkTo, navigate } from "../lib/router.js";
import { apiPath } from "../lib/resource_url.js";
import { DocumentEditor } from "../parts/document_editor.js";
import { PageHead } from "../parts/page_head.js";
import { Problem } from "../parts/problem.js";
import { Rejected } from "../parts/rejected.js";
import { Violations } from "../parts/violations.js";

/** @typedef {import("../lib/types").Resource} Resource */

/** @param {import("../lib/types").ScreenProps} props */
export default function EditScreen({ app, params }) {
  const resource = app.resource(params.api, params.collection);
  const path = apiPath(params.id);
  const { value, error, reload } = useLoaded(async (signal) => {
    const answer = await send("GET", `${resource?.url}/${path}`, { signal });
    return { item: answer.body, etag: answer.headers.get("etag") ?? "" };
  }, [path]);
  if (!resource?.updateType) return html`<${PageHead} title="This API cannot change these resources" />`;
  if (error) return html`<${Problem} error=${error} retry=${reload} />`;
  if (!value) return html`<p class="quiet" role="status">Loading</p>`;
  return html`<${Form} key=${value.etag} resource=${resource} id=${params.id} path=${path} item=${value.item} etag=${value.etag} reload=${reload} />`;
}

/** @param {{resource: Resource, id: string, path: string, item: any, etag: string, reload: () => void}} props */
function Form({ resource, id, path, item, etag, reload }) {
  const [value, setValue] = useState(item);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [sending, setSending] = useState(false);
  const patch = useMemo(() => jsonPatch(item, value), [item, value]);
  const unsaved = patch.length > 0;
  useEffect(() => (unsaved ? keepUnsaved() : undefined), [unsaved]);
  const back = linkTo([resource.api.name, resource.noun, id]);
  /** @param {any} event */
  const submit = async (event) => {
    event.preventDefault();
    setSending(true);
    setError(null);
    try {
      await send("PATCH", `${resource.url}/${path}`, { body: patch, type: "application/json-patch+json", headers: { "If-Match": etag } });
      keepUnsaved()(); // it is saved
      navigate(back);
    } catch (raised) {
      setError(raised);
      setSending(false);
    }
  };
  const conflict = error instanceof ApiError && [409, 412].includes(error.status);
  return html`<${PageHead} title=${`Edit ${item.name ?? item.description ?? item.id}`}
      trail=${html`<a href=${linkTo([resource.api.name, resource.noun])}>${resource.plural}</a> / <a class="mono" href=${back}>${id}</a>`}
      sub=${unsaved ? `${patch.length} ${patch.length === 1 ? "change" : "changes"} to save: ${patch.map((each) => each.path.slice(1)).join(", ")}` : "Nothing changed yet."} />
    ${error && (conflict ? html`<${Rejected} error=${error} resource=${resource} known=${item} reload=${reload} />` : html`<${Violations} error=${error} />`)}
    <form onSubmit=${submit} novalidate>
      <${DocumentEditor} document=${resource.api.document} type=${resource.updateType} value=${value} hidden=${new Set([resource.lifecycle?.member ?? "", resource.versionMember ?? "", "id"])}
        violations=${error instanceof ApiError ? error.violations : new Map()} change=${setValue} />
      <div class="actions bar">
        <button type="submit" class="primary" disabled=${sending || !unsaved}>Save</button>
        <a class="button" href=${back}>Cancel</a>
      </div>
    </form>`;
}
