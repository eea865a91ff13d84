/** The subscriptions of every API, with their states; a new one is registered here. */
import { send } from "../../lib/client.js";
import { html, useState } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { linkTo, navigate } from "../../lib/router.js";
import { Dialog } from "../../parts/dialog.js";
import { EventQuery, QueryMatches } from "../../parts/event_query.js";
import { PageHead } from "../../parts/page_head.js";
import { Problem } from "../../parts/problem.js";
import { Tag } from "../../parts/tag.js";
import { SecretShown } from "./secret.js";

/** @typedef {import("../../lib/types").App} App */
/** @typedef {import("../../lib/types").Api} Api */

/** @param {import("../../lib/types").ScreenProps} props */
export default function SubscriptionsScreen({ app }) {
  const [registering, setRegistering] = useState(false);
  const hubs = app.apis.filter((api) => api.document.paths["/hub"]?.get);
  const { value, error, loading, reload } = useLoaded(
    async (signal) => (await Promise.all(hubs.map(async (api) => (await send("GET", `${api.basePath}/hub`, { signal })).body.map((/** @type {any} */ each) => ({ api, ...each }))))).flat(),
    [],
  );
  const actions = html`<button type="button" class="primary" onClick=${() => setRegistering(true)}>New subscription</button>`;
  return html`<${PageHead} title="Subscriptions" sub=${loading ? "Loading" : value && `${value.length} you may see`} actions=${actions} />
    ${error && html`<${Problem} error=${error} retry=${reload} />`}
    ${value && value.length === 0 && html`<p class="card">No subscriptions yet. A subscription posts events to your callback URL.</p>`}
    ${value && value.length > 0 && html`<${SubscriptionTable} subscriptions=${value} />`}
    ${registering && html`<${Register} app=${app} apis=${hubs} close=${() => setRegistering(false)} />`}`;
}

/** @param {{subscriptions: any[]}} props */
function SubscriptionTable({ subscriptions }) {
  const order = ["disabled", "failing", "active"];
  const rows = [...subscriptions].sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
  return html`<div class="card scroll"><table class="stacked">
    <thead><tr><th>Callback</th><th>API</th><th>Query</th><th>State</th><th class="number">Waiting</th></tr></thead>
    <tbody>
      ${rows.map(
        (each) => html`<tr key=${each.id}>
          <td><a href=${linkTo(["service", "subscriptions", each.api.name, each.id])}>${each.callback}</a></td>
          <td data-label="API">${each.api.title}</td>
          <td data-label="Query" class="mono wrap">${each.query ?? "every event"}</td>
          <td data-label="State"><${Tag} state=${each.state} />${each.disabledReason && html` <small>${each.disabledReason}</small>`}</td>
          <td data-label="Waiting" class="number">${each.delivery?.waiting ?? 0}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

/** @param {{app: App, apis: Api[], close: () => void}} props */
function Register({ apis, close }) {
  const [api, setApi] = useState(apis[0]);
  const [query, setQuery] = useState("");
  const [tried, setTried] = useState(/** @type {string | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [made, setMade] = useState(/** @type {{id: string, secret: string} | null} */ (null));
  /** @param {SubmitEvent} event */
  const register = async (event) => {
    event.preventDefault();
    const callback = new FormData(/** @type {HTMLFormElement} */ (event.target)).get("callback");
    try {
      const answer = await send("POST", `${api.basePath}/hub`, { body: { callback, ...(query ? { query } : {}) } });
      const secret = answer.headers.get("webhook-secret");
      if (secret) setMade({ id: answer.body.id, secret });
      else navigate(linkTo(["service", "subscriptions", api.name, answer.body.id]));
    } catch (failure) {
      setError(failure);
    }
  };
  if (made) return html`<${SecretShown} secret=${made.secret} close=${() => navigate(linkTo(["service", "subscriptions", api.name, made.id]))} />`;
  return html`<${Dialog} title="New subscription" close=${close} wide=${true}>
    <form onSubmit=${register}>
      ${error && html`<${Problem} error=${error} />`}
      <label>API
        <select value=${api.name} onChange=${(/** @type {any} */ event) => (setApi(apis.find((each) => each.name === event.target.value) ?? api), setTried(null))}>
          ${apis.map((each) => html`<option key=${each.name} value=${each.name}>${each.title}</option>`)}
        </select>
      </label>
      <label>Callback <input name="callback" type="url" required placeholder="https://example.com/events" /></label>
      <${EventQuery} api=${api} query=${query} change=${setQuery} />
      <div class="actions">
        ${"/event/match" in api.document.paths && html`<button type="button" onClick=${() => setTried(query)}>Try on the last 100 events</button>`}
        <button type="submit" class="primary">Register</button>
      </div>
      ${tried !== null && html`<${QueryMatches} api=${api} query=${tried} />`}
    </form>
  <//>`;
}
