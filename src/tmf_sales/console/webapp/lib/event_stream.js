/** Follows the events of an API (server-sent events): with the caller's credentials, and again after each interruption. */
import { ApiError, recordRequest, renewToken } from "./client.js";
import { credentials, signInNeeded } from "./session.js";

const AGAIN_AFTER = 2000;

/**
 * @typedef {object} Listener
 * @property {(event: any) => void} onEvent
 * @property {(live: boolean) => void} onState whether the stream is connected
 * @property {(error: ApiError) => void} onRejected the service does not give this stream; it is not asked again
 */

/**
 * Follow events until the signal ends it. A stream that ends is continued after the last event that came.
 * @param {string} url of the events of an API, with a filter in its query string
 * @param {string | null} lastId the id of the last event that is known
 * @param {AbortSignal} signal
 * @param {Listener} listener
 */
export async function followEvents(url, lastId, signal, listener) {
  let last = lastId;
  recordRequest("GET", url, { Accept: "text/event-stream" });
  while (!signal.aborted) {
    const whileVisible = new AbortController();
    const connected = AbortSignal.any([signal, whileVisible.signal]);
    const hide = () => document.hidden && whileVisible.abort();
    document.addEventListener("visibilitychange", hide, { signal: connected });
    try {
      await visible(signal);
      await renewToken();
      const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}), ...credentials() };
      const response = await fetch(url, { headers, signal: connected, cache: "no-store", redirect: "error" });
      if (response.status >= 400 && response.status < 500) throw await rejection(response);
      if (response.ok && response.body) {
        listener.onState(true);
        const onEvent = (/** @type {any} */ event) => {
          last = event.eventId ?? last; // also when the connection ends within the next message
          listener.onEvent(event);
        };
        last = await readMessages(response.body, last, { ...listener, onEvent });
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError) return listener.onRejected(error);
    }
    whileVisible.abort();
    listener.onState(false);
    await pause(AGAIN_AFTER, signal);
  }
}

/**
 * Wait until the page is visible. Browsers open six connections to a host for all tabs together, so tabs in the
 * background keep none.
 * @param {AbortSignal} signal
 */
function visible(signal) {
  return new Promise((resolve) => {
    const look = () => (signal.aborted || !document.hidden) && resolve(null);
    document.addEventListener("visibilitychange", look, { signal });
    signal.addEventListener("abort", look);
    look();
  });
}

/** @param {Response} response */
async function rejection(response) {
  if (response.status === 401) signInNeeded.set(true);
  return new ApiError(response.status, await response.json().catch(() => ({})), response.headers);
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {string | null} lastId
 * @param {Listener} listener
 * @returns {Promise<string | null>} the id of the last event
 */
async function readMessages(body, lastId, listener) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let last = lastId;
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return last;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop() ?? "";
    for (const message of messages) {
      const { id, data } = fieldsOf(message);
      if (data) listener.onEvent(JSON.parse(data));
      if (id) last = id;
    }
  }
}

/** @param {string} message */
function fieldsOf(message) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of message.split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).replace(/^ /, "");
  }
  return fields;
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(null);
    });
  });
}
