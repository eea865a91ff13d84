/** The events of an API as they happen: filters in the address, pause, and the payload of each event. */
import { send } from "../../lib/client.js";
import { followEvents } from "../../lib/event_stream.js";
import { moment } from "../../lib/format.js";
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { linkTo, navigate } from "../../lib/router.js";
import { JsonView } from "../../parts/json_view.js";
import { PageHead } from "../../parts/page_head.js";
import { Problem } from "../../parts/problem.js";

/** @typedef {import("../../lib/types").Api} Api */

const FIRST = 50;
const MOST = 200;

/** @param {import("../../lib/types").ScreenProps} props */
export default function EventsScreen({ app, query }) {
  const asked = new URLSearchParams(query);
  const apis = app.apis.filter((each) => "/event" in each.document.paths);
  const api = apis.find((each) => each.name === asked.get("api")) ?? apis[0];
  if (!api) return html`<${PageHead} title="Events" /><p class="card">No API offers its events.</p>`;
  const [type, filter] = [asked.get("type") ?? "", asked.get("filter") ?? ""];
  /** @param {Record<string, string>} change */
  const show = (change) => {
    const next = new URLSearchParams(Object.entries({ api: api.name, type, filter, ...change }).filter(([, value]) => value));
    navigate(linkTo(["service", "events"], String(next)), { replace: true });
  };
  const conditions = [type && `eventType=${encodeURIComponent(type)}`, filter].filter(Boolean).join("&");
  return html`<${Filters} apis=${apis} api=${api} type=${type} filter=${filter} show=${show} />
    <${LiveTail} api=${api} conditions=${conditions} key=${`${api.name}?${conditions}`} />`;
}

/** @param {{apis: Api[], api: Api, type: string, filter: string, show: (change: Record<string, string>) => void}} props */
function Filters({ apis, api, type, filter, show }) {
  const types = api.resources.flatMap((resource) => resource.events);
  /** @param {SubmitEvent} event */
  const apply = (event) => {
    event.preventDefault();
    show({ filter: String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("filter") ?? "").trim() });
  };
  return html`<${PageHead} title="Events" sub=${`The events of ${api.title} that you may see`} />
    <form class="card filters" onSubmit=${apply}>
      <label>API
        <select value=${api.name} onChange=${(/** @type {any} */ event) => show({ api: event.target.value, type: "", filter: "" })}>
          ${apis.map((each) => html`<option key=${each.name} value=${each.name}>${each.title}</option>`)}
        </select>
      </label>
      <label>Type
        <select value=${type} onChange=${(/** @type {any} */ event) => show({ type: event.target.value })}>
          <option value="">every type</option>
          ${types.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}
        </select>
      </label>
      <label class="grow">Filter <input name="filter" class="mono" value=${filter} key=${filter} placeholder="correlationId=4d7f0b9e" /></label>
      <button type="submit">Apply</button>
    </form>`;
}

/** @param {{api: Api, conditions: string}} props */
function LiveTail({ api, conditions }) {
  const [shown, setShown] = useState(/** @type {any[] | null} */ (null));
  const [held, setHeld] = useState(/** @type {any[]} */ ([]));
  const [paused, setPaused] = useState(false);
  const [live, setLive] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const pausedNow = useRef(false);
  pausedNow.current = paused;
  useEffect(() => {
    const ended = new AbortController();
    const onEvent = (/** @type {any} */ event) => {
      if (pausedNow.current) setHeld((last) => merge([event], last));
      else setShown((last) => merge([event], last ?? []));
    };
    const url = `${api.basePath}/event`;
    const query = conditions ? `&${conditions}` : "";
    send("GET", `${url}?limit=${FIRST}${query}`, { signal: ended.signal })
      .then(({ body }) => {
        setShown((last) => merge(last ?? [], body));
        const follow = conditions ? `${url}?${conditions}` : url;
        return followEvents(follow, body[0]?.eventId ?? null, ended.signal, { onEvent, onState: setLive, onRejected: setError });
      })
      .catch((failure) => ended.signal.aborted || setError(failure));
    return () => ended.abort();
  }, []);
  const resume = () => {
    setShown((last) => merge(held, last ?? []));
    setHeld([]);
    setPaused(false);
  };
  if (error) return html`<${Problem} error=${error} />`;
  return html`<div class="row tail-head">
      <span class="state"><i class="dot ${live && !paused ? "good" : "waiting"}"></i>${paused ? "paused" : live ? "live" : "connecting"}</span>
      <button type="button" onClick=${() => (paused ? resume() : setPaused(true))}>
        ${paused ? `Resume${held.length ? ` (${held.length === MOST ? `${MOST} or more` : held.length} new)` : ""}` : "Pause"}
      </button>
      <small>${shown ? `${shown.length} shown, at most ${MOST}` : "Loading"}</small>
    </div>
    ${shown?.length === 0 && html`<p class="card">No events yet. Change something, and it appears here.</p>`}
    ${shown && shown.length > 0 && html`<div class="card events">${shown.map((event) => html`<${EventRow} key=${event.eventId} api=${api} event=${event} />`)}</div>`}`;
}

/** @param {{api: Api, event: any}} props */
function EventRow({ api, event }) {
  const [open, setOpen] = useState(false);
  const [noun, document] = Object.entries(event.event ?? {})[0] ?? [];
  const known = api.resources.find((resource) => resource.noun === noun && resource.operations.retrieve);
  return html`<details open=${open} onToggle=${(/** @type {any} */ toggled) => setOpen(toggled.target.open)}>
    <summary><time datetime=${event.eventTime}>${moment(event.eventTime)}</time> <strong>${event.eventType}</strong> <span class="quiet">${event.description ?? event.title ?? ""}</span></summary>
    ${open &&
    html`<p>${known && document?.id && html`<a href=${linkTo([api.name, known.noun, document.id])}>Open ${known.title.toLowerCase()} ${document.id}</a>`}</p>
      <${JsonView} value=${event} label="Payload of the event" />`}
  </details>`;
}

/**
 * Events of two lists, each once, the newest first, as many as are shown.
 * @param {any[]} newer
 * @param {any[]} older
 */
function merge(newer, older) {
  const known = new Set(newer.map((event) => event.eventId));
  return [...newer, ...older.filter((event) => !known.has(event.eventId))].slice(0, MOST);
}
