/** The last events of an API as they happen, and its subscriptions that are in trouble. */
import { ApiError, send } from "../../lib/client.js";
import { followEvents } from "../../lib/event_stream.js";
import { distance } from "../../lib/format.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { linkTo } from "../../lib/router.js";
import { Tag } from "../../parts/tag.js";

/** @typedef {import("../../lib/types").Api} Api */

const SHOWN = 8;

/** @param {{api: Api}} props */
export function LastEvents({ api }) {
  const [events, setEvents] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [live, setLive] = useState(false);
  useEffect(() => {
    const ended = new AbortController();
    const url = `${api.basePath}/event`;
    send("GET", `${url}?limit=${SHOWN}`, { signal: ended.signal })
      .then(({ body }) => {
        setEvents(body);
        return followEvents(url, body[0]?.eventId ?? null, ended.signal, {
          onEvent: (event) => setEvents((last) => [event, ...(last ?? []).filter((each) => each.eventId !== event.eventId)].slice(0, SHOWN)),
          onState: setLive,
          onRejected: setError,
        });
      })
      .catch((raised) => ended.signal.aborted || setError(raised));
    return () => ended.abort();
  }, [api]);
  return html`<section class="card" aria-label="Last events of ${api.title}">
    <h2>Last events <small>${live ? "live" : ""}</small></h2>
    ${error && html`<p class="quiet">${error instanceof ApiError ? error.message : "They cannot be read."}</p>`}
    <ul class="plain" aria-live="polite">
      ${events?.map((event) => html`<li key=${event.eventId}><span class="quiet">${distance(event.eventTime)}</span> ${event.eventType} <${Subject} api=${api} event=${event} /></li>`)}
    </ul>
    ${events?.length === 0 && html`<p class="quiet">None are kept.</p>`}
  </section>`;
}

/** The resource that an event is about. @param {{api: Api, event: any}} props */
function Subject({ api, event }) {
  const [noun, subject] = Object.entries(event.event ?? {})[0] ?? [];
  const resource = api.resources.find((each) => each.noun === noun);
  if (!resource || !subject?.id) return null;
  return html`<a class="mono" href=${linkTo([api.name, resource.noun, subject.id])}>${subject.id}</a>`;
}

/** @param {{api: Api}} props */
export function Trouble({ api }) {
  const { value, error } = useLoaded((signal) => send("GET", `${api.basePath}/hub`, { signal }), [api]);
  const all = value?.body ?? [];
  const troubled = all.filter((/** @type {any} */ each) => each.state && each.state !== "active");
  return html`<section class="card" aria-label="Subscriptions of ${api.title}">
    <h2>Subscriptions <small>${value ? all.length : ""}</small></h2>
    ${error && html`<p class="quiet">${error.message}</p>`}
    ${value && troubled.length === 0 && html`<p class="quiet">${all.length ? "All of them are active." : "There are none."}</p>`}
    <ul class="plain">${troubled.map((/** @type {any} */ each) => html`<li key=${each.id}><${Tag} state=${each.state} /> <a href=${linkTo(["service", "subscriptions", api.name, each.id])}>${each.callback}</a></li>`)}</ul>
  </section>`;
}
