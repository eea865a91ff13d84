/** The last conformance report of each API, which `tmf-sales conformance` wrote and this browser keeps. */
import { dateTime, number } from "../../lib/format.js";
import { html, useState } from "../../lib/html.js";
import { checkCommand, keepReports, keptReports, readReport } from "../../lib/reports.js";
import { PageHead } from "../../parts/page_head.js";
import { Problem } from "../../parts/problem.js";

const ORDER = ["failed", "not supported", "not run", "passed"];

/** @param {import("../../lib/types").ScreenProps} props */
export default function ConformanceScreen({ app }) {
  const [reports, setReports] = useState(keptReports);
  const [error, setError] = useState(/** @type {any} */ (null));
  /** @param {any} event */
  const open = async (event) => {
    setError(null);
    try {
      const read = await Promise.all([...event.target.files].map(async (/** @type {File} */ file) => readReport(await file.text())));
      const next = { ...reports, ...Object.fromEntries(read.map((report) => [report.api, report])) };
      setReports(next);
      keepReports(next);
    } catch (failure) {
      setError(failure);
    }
    event.target.value = "";
  };
  return html`<${PageHead} title="Conformance" sub="The last conformance report of each API." />
    ${error && html`<${Problem} error=${error} />`}
    <section class="card"><h2>Check again</h2>
      <p>Run the checker for an API. It creates resources, removes them again, and touches nothing else. Then open its <code>report.json</code> here; this browser keeps the last one of each API.</p>
      ${app.apis.map((api) => html`<p key=${api.name}><code tabindex="0">${checkCommand(new URL(api.basePath, location.origin).href)}</code></p>`)}
      <label>Open report.json <input type="file" accept=".json,application/json" multiple onChange=${open} /></label>
    </section>
    ${Object.values(reports).map((report) => html`<${Report} key=${`${report.api} ${report.started}`} report=${report} />`)}`;
}

/** @param {{report: any}} props */
function Report({ report }) {
  const results = ORDER.filter((result) => report.checks.some((/** @type {any} */ each) => each.result === result));
  const [shown, setShown] = useState(results[0] ?? "passed");
  const checks = report.checks.filter((/** @type {any} */ each) => each.result === shown);
  return html`<section class="card" aria-label=${report.specification ?? report.api}>
    <h2>${report.specification ?? report.api} <span class="tag ${report.conforms ? "good" : "bad"}">${report.conforms ? "conforms" : "does not conform"}</span></h2>
    <p class="quiet">Profile ${report.profile}, ${report.url}, ${dateTime(report.started)}, ${number(report.seconds ?? 0)} s${report.interrupted ? "; it was interrupted" : ""}</p>
    <div class="actions" role="group" aria-label="Results">
      ${results.map((result) => html`<button type="button" key=${result} aria-pressed=${result === shown} onClick=${() => setShown(result)}>${result} <small>${report.checks.filter((/** @type {any} */ each) => each.result === result).length}</small></button>`)}
    </div>
    ${checks.map((/** @type {any} */ each) => html`<${Check} key=${each.id} check=${each} />`)}
  </section>`;
}

/** @param {{check: any}} props */
function Check({ check }) {
  return html`<details class="event">
    <summary><code>${check.id}</code> ${check.title} <small>${check.kind}</small></summary>
    <p class="quiet">${check.chapter}: ${check.rule}</p>
    ${check.reason && html`<p class="text">${check.reason}</p>`}
    ${["request", "response"].filter((name) => check[name]).map((name) => html`<h3>${name}</h3><pre tabindex="0">${check[name]}</pre>`)}
  </details>`;
}
