/** What runs: version, store, delivery, contracts with their indexes, and the settings in force. */
import { send } from "../../lib/client.js";
import { dateTime, distance, number } from "../../lib/format.js";
import { html, useState } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { linkTo } from "../../lib/router.js";
import { PageHead } from "../../parts/page_head.js";
import { Problem } from "../../parts/problem.js";
import { Metrics } from "./metrics.js";

/** @param {import("../../lib/types").ScreenProps} props */
export default function HealthScreen({ app }) {
  const { value, error, loading, reload } = useLoaded(async (signal) => (await send("GET", `${app.description.prefix}/health`, { signal })).body, []);
  const actions = html`<button type="button" onClick=${reload}>Refresh</button>`;
  return html`<${PageHead} title="Health" sub=${loading ? "Loading" : value && html`<span class="tag ${value.status === "up" ? "good" : "bad"}">${value.status}</span>`} actions=${actions} />
    ${error && html`<${Problem} error=${error} retry=${reload} />`}
    ${value &&
    html`<div class="cards"><${Process} health=${value} /><${Store} store=${value.store} /><${Delivery} delivery=${value.delivery} /></div>
      <${Metrics} prefix=${app.description.prefix} />
      <${Contracts} contracts=${value.contracts} />
      <${SettingsTable} settings=${value.settings} />`}`;
}

/** @param {{health: any}} props */
function Process({ health }) {
  return html`<section class="card"><h2>Service</h2><dl class="facts">
    <dt>Version</dt><dd>tmf-sales ${health.version}</dd>
    <dt>Python</dt><dd>${health.python}</dd>
    <dt>Started</dt><dd>${dateTime(health.started)} <small>(${distance(health.started)})</small></dd>
  </dl></section>`;
}

/** @param {{store: any}} props */
function Store({ store }) {
  return html`<section class="card"><h2>Store</h2><dl class="facts">
    <dt>URL</dt><dd class="mono">${store.url}</dd>
    <dt>State</dt><dd><span class="tag ${store.available ? "good" : "bad"}">${store.available ? "available" : "not available"}</span> ${store.reason ?? ""}</dd>
    <dt>Format</dt><dd>${store.format ?? "keeps nothing"}</dd>
  </dl></section>`;
}

/** @param {{delivery: any}} props */
function Delivery({ delivery }) {
  const states = Object.entries(delivery.subscriptions ?? {}).filter(([, count]) => count);
  return html`<section class="card"><h2>Delivery</h2><dl class="facts">
    <dt>Runs</dt><dd>${delivery.inThisProcess ? "in this process" : "in another process"}</dd>
    <dt>Subscriptions</dt><dd><a href=${linkTo(["service", "subscriptions"])}>${states.length ? states.map(([state, count]) => `${count} ${state}`).join(", ") : "none"}</a></dd>
    <dt>Waiting</dt><dd>${delivery.waiting === undefined ? "unknown" : delivery.waiting ? `${number(delivery.waiting)} queues` : "nothing"}</dd>
  </dl></section>`;
}

/** @param {{contracts: any[]}} props */
function Contracts({ contracts }) {
  return html`<section class="card scroll"><h2>Contracts</h2><table class="stacked">
    <thead><tr><th>Resource</th><th>API</th><th class="number">Stored</th><th>Indexes</th></tr></thead>
    <tbody>
      ${contracts.flatMap((api) =>
        api.resources.map(
          (/** @type {any} */ resource) => html`<tr key=${resource.kind}>
            <td class="keep"><a href=${linkTo([api.name, resource.path.slice(1)])}>${resource.name}</a></td>
            <td data-label="API">${api.title} ${api.version} <small class="mono">${api.file}</small></td>
            <td data-label="Stored" class="number">${resource.count === undefined ? "–" : number(resource.count)}</td>
            <td data-label="Indexes">${resource.indexes.map((/** @type {string} */ index) => html`<code key=${index}>${index}</code> `)}</td>
          </tr>`,
        ),
      )}
    </tbody>
  </table></section>`;
}

/** @param {{settings: any[]}} props */
function SettingsTable({ settings }) {
  const [all, setAll] = useState(false);
  const shown = settings.filter((each) => all || !each.isDefault);
  return html`<section class="card scroll">
    <div class="row"><h2 class="grow">Settings in force</h2>
      <label><input type="checkbox" checked=${all} onChange=${(/** @type {any} */ event) => setAll(event.target.checked)} /> with the defaults</label></div>
    <table class="stacked">
      <thead><tr><th>Setting</th><th>Value</th><th>What it is for</th></tr></thead>
      <tbody>${shown.map((each) => html`<tr key=${each.variable}><td class="mono">${each.variable}</td><td data-label="Value" class="mono wrap">${each.value || "–"}</td><td data-label="What it is for">${each.purpose}</td></tr>`)}</tbody>
    </table>
  </section>`;
}
