/** What the caller may do, operation by operation, in words. */
import { send } from "../../lib/client.js";
import { html } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { PageHead } from "../../parts/page_head.js";
import { Problem } from "../../parts/problem.js";

/** @param {import("../../lib/types").ScreenProps} props */
export default function PermissionsScreen({ app }) {
  const { value, error, loading, reload } = useLoaded(async (signal) => (await send("GET", `${app.description.prefix}/permissions`, { signal })).body, []);
  return html`<${PageHead} title="What may I do" sub=${loading ? "Loading" : value && who(value)} />
    ${error && html`<${Problem} error=${error} retry=${reload} />`}
    ${value?.apis.map((/** @type {any} */ api) => html`<${Operations} key=${api.name} api=${api} />`)}
    ${value &&
    html`<section class="card"><h2>Service</h2><ul class="plain">
      ${Object.entries(value.service).map(([name, allowed]) => html`<li key=${name}><${Answer} allowed=${allowed} /> ${name}</li>`)}
    </ul></section>`}`;
}

/** @param {any} value */
function who(value) {
  if (!value.authentication) return "Authentication is off: everybody may do everything.";
  const parties = value.parties.length ? `, for ${value.parties.join(", ")}` : "";
  return `You are ${value.subject} with ${value.roles.length ? `the roles ${value.roles.join(", ")}` : "no role"}${parties}.`;
}

/** @param {{allowed: any}} props */
function Answer({ allowed }) {
  return html`<span class="tag ${allowed ? "good" : "bad"}">${allowed ? "yes" : "no"}</span>`;
}

/** @param {{api: any}} props */
function Operations({ api }) {
  return html`<section class="card scroll"><h2>${api.title}</h2><table class="stacked">
    <thead><tr><th>Operation</th><th>Request</th><th>Allowed</th><th>Within these limits</th></tr></thead>
    <tbody>
      ${api.operations.map(
        (/** @type {any} */ each) => html`<tr key=${each.operationId}>
          <td>${each.operationId}</td>
          <td data-label="Request" class="mono wrap">${each.method} ${each.path}</td>
          <td data-label="Allowed"><${Answer} allowed=${each.allowed} /></td>
          <td data-label="Limits">${limits(each)}</td>
        </tr>`,
      )}
    </tbody>
  </table></section>`;
}

/** @param {any} operation */
function limits(operation) {
  if (operation.missingScopes) return `Your token lacks the scope ${operation.missingScopes.join(", ")}.`;
  if (operation.grants.length === 0) return "No role of yours grants it.";
  return operation.grants.map((/** @type {any} */ grant, /** @type {number} */ at) => html`<div key=${at}>${grant.role && html`<small>${grant.role}:</small> `}${sentence(grant)}</div>`);
}

/** @param {any} grant */
function sentence(grant) {
  const parts = [
    grant.whose && (grant.whose.is === "subject" ? "only your own" : `only where ${grant.whose.member} is a party of yours`),
    grant.versions === "current" && "current versions",
    grant.states && `in the states ${grant.states.join(", ")}`,
    grant.hides && `without ${grant.hides.join(", ")}`,
    grant.changes && `may change ${grant.changes.join(", ")}`,
    grant.transitions && (grant.transitions.length ? `from ${grant.transitions.map((/** @type {any} */ each) => `${each.from} to ${each.to}`).join(", ")}` : "no change of state"),
    grant.startsIn && `begins in ${grant.startsIn.join(", ")}`,
  ].filter(Boolean);
  return parts.length ? parts.join("; ") : "no limits";
}
