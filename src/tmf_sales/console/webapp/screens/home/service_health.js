/** Whether the store and the delivery of events are well, in one line that links to Health. */
import { ApiError, send } from "../../lib/client.js";
import { number } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { linkTo } from "../../lib/router.js";

/** @param {{prefix: string}} props */
export function ServiceHealth({ prefix }) {
  const { value, error } = useLoaded((signal) => send("GET", `${prefix}/health`, { signal, quiet: true }), [prefix]);
  if (error instanceof ApiError && [403, 404].includes(error.status)) return null; // the caller may not see it
  const { store, delivery } = value?.body ?? {};
  return html`<section class="card health" aria-label="Health of the service">
    ${error && html`<${Light} good=${false}>The service does not say how it is: ${error.message}<//>`}
    ${!value && !error && html`<span class="quiet">Loading</span>`}
    ${store && html`<${Light} good=${store.available}><strong>Store</strong> ${store.available ? "available" : store.reason}<//>`}
    ${delivery && html`<${Light} good=${isWell(delivery)}><strong>Delivery</strong> ${inWords(delivery)}<//>`}
    ${value && html`<a href=${linkTo(["service", "health"])}>Health</a>`}
  </section>`;
}

/** @param {{good: boolean, children?: any}} props */
const Light = ({ good, children }) => html`<span><i class="dot ${good ? "good" : "bad"}"></i> ${children}</span>`;

/** @param {any} delivery */
const isWell = ({ subscriptions: { failing, disabled } = {} }) => !failing && !disabled;

/** @param {any} delivery */
function inWords({ subscriptions, waiting, inThisProcess }) {
  if (!subscriptions) return "unknown while the store is away";
  const troubled = ["failing", "disabled"].filter((state) => subscriptions[state]).map((state) => `${number(subscriptions[state])} ${state}`);
  const queues = waiting ? `${number(waiting)} waiting` : "nothing waits";
  return `${troubled.length ? `${troubled.join(", ")}; ` : ""}${queues}${inThisProcess ? "" : ", in another process"}`;
}
