/** One subscription: state, success rate, each attempt, and what to do about it. */
import { send } from "../../lib/client.js";
import { dateTime, distance } from "../../lib/format.js";
import { html, useState } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { linkTo, navigate } from "../../lib/router.js";
import { Dialog } from "../../parts/dialog.js";
import { QueryMatches } from "../../parts/event_query.js";
import { PageHead } from "../../parts/page_head.js";
import { Problem } from "../../parts/problem.js";
import { Tag } from "../../parts/tag.js";
import { Attempt } from "./attempt.js";
import { SecretShown } from "./secret.js";

/** @typedef {import("../../lib/types").Api} Api */

const SHOWN = 50;

/** @param {import("../../lib/types").ScreenProps} props */
export default function SubscriptionScreen({ app, params }) {
  const api = app.api(params.api);
  if (!api) return html`<${PageHead} title="Subscription" /><p class="card">No API is named ${params.api}.</p>`;
  return html`<${Subscription} api=${api} id=${params.id} key=${params.id} />`;
}

/** @param {{api: Api, id: string}} props */
function Subscription({ api, id }) {
  const url = `${api.basePath}/hub/${encodeURIComponent(id)}`;
  const found = useLoaded(async (signal) => (await send("GET", url, { signal })).body, [url]);
  const offers = (/** @type {string} */ path) => path in api.document.paths;
  const tried = useLoaded(async (signal) => (offers("/hub/{id}/attempt") ? (await send("GET", `${url}/attempt?limit=${SHOWN}`, { signal })).body : null), [url]);
  const [trying, setTrying] = useState(false);
  const [notice, setNotice] = useState("");
  const [failure, setFailure] = useState(/** @type {any} */ (null));
  const reload = () => (found.reload(), tried.reload());
  /**
   * @param {() => Promise<string>} action what it did, in a sentence
   */
  const run = async (action) => {
    setFailure(null);
    setNotice("");
    try {
      setNotice(await action());
      reload();
    } catch (error) {
      setFailure(error);
    }
  };
  const subscription = found.value;
  const trail = html`<a href=${linkTo(["service", "subscriptions"])}>Subscriptions</a> / ${api.title}`;
  if (!subscription) {
    return html`<${PageHead} title="Subscription" trail=${trail} sub=${found.loading ? "Loading" : ""} />
      ${found.error && html`<${Problem} error=${found.error} retry=${found.reload} />`}`;
  }
  return html`<${PageHead} title=${subscription.callback} trail=${trail} sub=${html`<${Tag} state=${subscription.state} /> ${standing(subscription)}`}
      actions=${html`<${Actions} url=${url} offers=${offers} subscription=${subscription} run=${run} />`} />
    ${notice && html`<p class="hint" role="status">${notice}</p>`}
    ${failure && html`<${Problem} error=${failure} />`}
    <div class="cards">
      ${subscription.delivery && html`<${Delivery} delivery=${subscription.delivery} />`}
      <section class="card"><h2>Query</h2>
        <p class="mono">${subscription.query ?? "every event"}</p>
        ${offers("/event/match") && html`<details onToggle=${(/** @type {any} */ toggled) => setTrying(toggled.target.open)}>
          <summary>Which of the last 100 events match</summary>
          ${trying && html`<${QueryMatches} api=${api} query=${subscription.query ?? ""} />`}
        </details>`}
      </section>
    </div>
    ${offers("/hub/{id}/attempt") && html`<section class="card">
      <div class="row"><h2 class="grow">Attempts</h2><button type="button" onClick=${reload}>Refresh</button></div>
      ${tried.error && html`<${Problem} error=${tried.error} retry=${tried.reload} />`}
      ${tried.value?.length === 0 && html`<p class="quiet">No deliveries yet.</p>`}
      ${tried.value?.map((/** @type {any} */ attempt) => html`<${Attempt} key=${`${attempt.eventId} ${attempt.attemptTime}`} attempt=${attempt}
        replay=${() => run(async () => replayed((await send("POST", `${url}/replay`, { body: { eventId: attempt.eventId } })).body.events))} />`)}
    </section>`}`;
}

/** @param {any} subscription */
function standing(subscription) {
  if (subscription.disabledReason) return `because ${subscription.disabledReason}`;
  return subscription.failingSince ? `since ${dateTime(subscription.failingSince)}` : "";
}

/** @param {number} events */
const replayed = (events) => `${events} ${events === 1 ? "event is" : "events are"} delivered again.`;

/** @param {{url: string, offers: (path: string) => boolean, subscription: any, run: (action: () => Promise<string>) => Promise<void>}} props */
function Actions({ url, offers, subscription, run }) {
  const [open, setOpen] = useState("");
  const [secret, setSecret] = useState("");
  const close = () => setOpen("");
  const test = () =>
    run(async () => {
      const attempt = (await send("POST", `${url}/test`)).body;
      if (!attempt.response) return `The test event did not arrive: ${attempt.error}`;
      return `The receiver responded ${attempt.response.status} to the test event in ${Math.round(attempt.duration * 1000)} ms.`;
    });
  const rotate = () =>
    run(async () => {
      setSecret((await send("POST", `${url}/secret`)).headers.get("webhook-secret") ?? "");
      return "The subscription has a new secret.";
    });
  const remove = () => run(async () => (await send("DELETE", url), navigate(linkTo(["service", "subscriptions"])), ""));
  return html`${offers("/hub/{id}/test") && html`<button type="button" onClick=${test}>Send test event</button>`}
    ${subscription.state === "disabled" && offers("/hub/{id}/enable") &&
    html`<button type="button" class="primary" onClick=${() => run(async () => (await send("POST", `${url}/enable`), "Enabled. Replay what it missed."))}>Enable</button>`}
    ${offers("/hub/{id}/replay") && html`<button type="button" onClick=${() => setOpen("replay")}>Replay</button>`}
    ${offers("/hub/{id}/secret") && html`<button type="button" onClick=${() => setOpen("rotate")}>Rotate secret</button>`}
    <button type="button" class="danger" onClick=${() => setOpen("remove")}>Remove</button>
    ${open === "replay" && html`<${ReplayDialog} url=${url} run=${run} close=${close} />`}
    ${open === "rotate" && html`<${Confirm} title="Rotate the secret" text="A new secret signs from now on; the present one signs for 24 hours more." act="Rotate" run=${rotate} close=${close} />`}
    ${open === "remove" && html`<${Confirm} title="Remove the subscription" text="No more events are posted to the callback, and pending ones are dropped." act="Remove" run=${remove} close=${close} />`}
    ${secret && html`<${SecretShown} secret=${secret} overlap=${true} close=${() => setSecret("")} />`}`;
}

/** @param {{title: string, text: string, act: string, run: () => void, close: () => void}} props */
function Confirm({ title, text, act, run, close }) {
  return html`<${Dialog} title=${title} close=${close}>
    <p>${text}</p>
    <div class="actions">
      <button type="button" class="primary" onClick=${() => (close(), run())}>${act}</button>
      <button type="button" onClick=${close}>Cancel</button>
    </div>
  <//>`;
}

/** @param {{url: string, run: (action: () => Promise<string>) => Promise<void>, close: () => void}} props */
function ReplayDialog({ url, run, close }) {
  const hourAgo = new Date(Date.now() - 3_600_000 - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  /** @param {SubmitEvent} event */
  const replay = (event) => {
    event.preventDefault();
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("since"));
    close();
    run(async () => replayed((await send("POST", `${url}/replay`, { body: { since: new Date(text).toISOString() } })).body.events));
  };
  return html`<${Dialog} title="Replay events" close=${close}>
    <form onSubmit=${replay}>
      <p>Everything that the subscription gets and that was stored since this time is delivered again, with the same event ids.</p>
      <label>Since (your time) <input name="since" type="datetime-local" required value=${hourAgo} /></label>
      <div class="actions"><button type="submit" class="primary">Replay</button><button type="button" onClick=${close}>Cancel</button></div>
    </form>
  <//>`;
}

/** @param {{delivery: any}} props */
function Delivery({ delivery }) {
  const { attempts = 0, succeeded = 0, successRate } = delivery;
  return html`<section class="card"><h2>Delivery</h2>
    <dl class="facts">
      <dt>Success rate</dt>
      <dd>${successRate === undefined ? "no attempts yet" : html`<strong>${(successRate * 100).toFixed(successRate < 1 && successRate > 0 ? 1 : 0)} %</strong> of the last ${attempts} attempts (${succeeded} arrived)`}
        ${successRate !== undefined && html`<meter min="0" max="1" low="0.9" high="0.99" optimum="1" value=${successRate} aria-label="Success rate"></meter>`}</dd>
      <dt>Waiting</dt><dd>${delivery.waiting === 0 ? "nothing" : `events of ${delivery.waiting} ${delivery.waiting === 1 ? "resource" : "resources"}`}</dd>
      <dt>Last attempt</dt><dd>${delivery.lastAttemptTime ? distance(delivery.lastAttemptTime) : "never"}</dd>
      <dt>Last success</dt><dd>${delivery.lastSuccessTime ? distance(delivery.lastSuccessTime) : "none of these"}</dd>
    </dl>
  </section>`;
}
