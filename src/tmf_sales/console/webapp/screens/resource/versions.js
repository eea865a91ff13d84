/** The versions of a resource, two of them side by side with what changed, and a new version of any. */
import { send } from "../../lib/client.js";
import { differences } from "../../lib/difference.js";
import { html, useState } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { mayDo, permissions } from "../../lib/permissions.js";
import { versionSegment } from "../../lib/resource_url.js";
import { linkTo } from "../../lib/router.js";
import { useStore } from "../../lib/store.js";
import { Changes } from "../../parts/changes.js";
import { Problem } from "../../parts/problem.js";
import { Tag } from "../../parts/tag.js";
import { summary } from "../../parts/value.js";

/** @typedef {import("../../lib/types").Resource} Resource */

/** @param {{resource: Resource, item: any}} props */
export function VersionsTab({ resource, item }) {
  const { value, error, reload } = useLoaded((signal) => send("GET", `${resource.url}?id=${encodeURIComponent(item.id)}&limit=1000`, { signal }), [item.id]);
  const mayCreate = mayDo(useStore(permissions), resource, "create");
  const [chosen, setChosen] = useState(/** @type {[number, number] | null} */ (null));
  if (error) return html`<${Problem} error=${error} retry=${reload} />`;
  if (!value) return html`<p class="quiet" role="status">Loading</p>`;
  const versions = value.body;
  const [from, to] = chosen ?? [Math.max(versions.length - 2, 0), versions.length - 1];
  const member = resource.versionMember ?? "version";
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Versions">
      <table>
        <thead><tr><th scope="col">Version</th><th scope="col">State</th><th scope="col">About</th><th scope="col">Compare</th><th scope="col"></th></tr></thead>
        <tbody>${versions.map((/** @type {any} */ version, /** @type {number} */ at) => html`<tr key=${version[member]}>
          <td><a href=${linkTo([resource.api.name, resource.noun, versionSegment(resource, version)])}>${version[member]}</a></td>
          <td>${resource.lifecycle && html`<${Tag} state=${version[resource.lifecycle.member]} lifecycle=${resource.lifecycle} />`}</td>
          <td>${summary(version)}</td>
          <td class="actions">
            <label><input type="radio" name="from" checked=${at === from} onChange=${() => setChosen([at, to])} /> from</label>
            <label><input type="radio" name="to" checked=${at === to} onChange=${() => setChosen([from, at])} /> to</label>
          </td>
          <td>${mayCreate && html`<a href=${linkTo([resource.api.name, resource.noun, "new"], `version-of=${encodeURIComponent(versionSegment(resource, version))}`)}>new version from this</a>`}</td>
        </tr>`)}</tbody>
      </table>
    </div>
    <${Comparison} member=${member} before=${versions[from]} after=${versions[to]} />`;
}

/** @param {{member: string, before: any, after: any}} props */
function Comparison({ member, before, after }) {
  if (!before || !after || before === after) return html`<p class="quiet">There is only one version, so there is nothing to compare.</p>`;
  const changes = differences({ ...before, href: undefined }, { ...after, href: undefined });
  return html`<section class="card"><h2>From version ${before[member]} to ${after[member]}: ${changes.length} changed</h2>
    <${Changes} changes=${changes} before=${`Version ${before[member]}`} after=${`Version ${after[member]}`} /></section>`;
}
