/** Who changed a resource, and what. */
import { send } from "../../lib/client.js";
import { moment } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { linkTo, navigate } from "../../lib/router.js";
import { PageHead } from "../../parts/page_head.js";
import { Problem } from "../../parts/problem.js";

/** @param {import("../../lib/types").ScreenProps} props */
export default function AuditScreen({ app, query }) {
  const asked = new URLSearchParams(query);
  const kinds = [
    ...app.apis.flatMap((api) => api.resources.map((resource) => ({ kind: `${api.name}/${resource.noun}`, title: `${api.title}: ${resource.title}` }))),
    { kind: "listener", title: "Subscription" },
  ];
  const kind = asked.get("kind") ?? kinds[0].kind;
  const id = asked.get("id") ?? "";
  /** @param {SubmitEvent} event */
  const find = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const next = new URLSearchParams({ kind: String(form.get("kind")), id: String(form.get("id")).trim() });
    navigate(linkTo(["service", "audit"], String(next)));
  };
  return html`<${PageHead} title="Audit" sub="Who changed a resource, when, and which members" />
    <form class="card filters" onSubmit=${find}>
      <label>Kind <select name="kind" value=${kind} key=${kind}>${kinds.map((each) => html`<option key=${each.kind} value=${each.kind}>${each.title}</option>`)}</select></label>
      <label class="grow">Id <input name="id" class="mono" required value=${id} key=${id} /></label>
      <button type="submit" class="primary">Show</button>
    </form>
    ${id && html`<${Trail} prefix=${app.description.prefix} kind=${kind} id=${id} key=${`${kind} ${id}`} />`}`;
}

/** @param {{prefix: string, kind: string, id: string}} props */
function Trail({ prefix, kind, id }) {
  const url = `${prefix}/audit?${new URLSearchParams({ kind, id })}`;
  const { value, error, reload } = useLoaded(async (signal) => (await send("GET", url, { signal })).body, [url]);
  if (error) return html`<${Problem} error=${error} retry=${reload} />`;
  if (!value) return html`<p class="quiet" role="status">Loading</p>`;
  if (value.length === 0) return html`<p class="card">Nothing is recorded for it. The audit log is kept with authentication on, or with <code>TMF_SALES_AUDIT=on</code>, and as long as events are.</p>`;
  return html`<div class="card scroll"><table class="stacked">
    <thead><tr><th>When</th><th>Who</th><th>What</th><th class="number">Revision</th><th>Changed</th><th>Correlation id</th></tr></thead>
    <tbody>
      ${[...value].reverse().map(
        (/** @type {any} */ entry) => html`<tr key=${`${entry.revision} ${entry.eventTime} ${entry.version ?? ""}`}>
          <td>${moment(entry.eventTime)}</td>
          <td data-label="Who">${entry.subject} <small>${(entry.roles ?? []).join(", ")}</small></td>
          <td data-label="What">${entry.operation}${entry.version && html` <small>version ${entry.version}</small>`}</td>
          <td data-label="Revision" class="number">${entry.revision}</td>
          <td data-label="Changed" class="mono wrap">${(entry.changed ?? []).join(" ") || "–"}</td>
          <td data-label="Correlation id" class="mono wrap">${entry.correlationId ?? "–"}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}
