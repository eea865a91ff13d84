/** The API client: sends the caller's credentials, records each request for "copy as curl", raises ApiError. */
import { refresh } from "./oidc.js";
import { createStore } from "./store.js";
import { credentials, session, signInNeeded } from "./session.js";

/** @typedef {import("./types").Recorded} Recorded */
/** @typedef {import("./types").Answer} Answer */

/** The requests of the screen that is shown, the newest last. */
export const requests = createStore(/** @type {Recorded[]} */ ([]));
const MOST_RECORDED = 50;
const RENEWED_BEFORE = 20_000; // milliseconds

/** @type {{issuer: string, clientId: string} | null} */
let oidcClient = null;

/** @param {{issuer: string, clientId: string} | null} client */
export function renewTokensWith(client) {
  oidcClient = client;
}

/** An answer that is not a success: the TMF Error, or the failure to get one. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when the service was not reached
   * @param {{code?: string, reason?: string, message?: string}} body
   * @param {Headers} [headers]
   */
  constructor(status, body, headers = new Headers()) {
    super([body.reason, body.message].filter(Boolean).join(": ") || `The service answered ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.reason = body.reason ?? "";
    this.detail = body.message ?? "";
    this.headers = headers;
  }

  /**
   * The violations by the JSON Pointer of their place, when the message names places.
   * @returns {Map<string, string>}
   */
  get violations() {
    const found = new Map();
    for (const part of this.detail.split(/; (?=\/)/)) {
      const [, place, text] = /^(\/[^\s:]*|\/): (.*)$/s.exec(part) ?? [];
      if (place !== undefined) found.set(place === "/" ? "" : place, text);
    }
    return found;
  }
}

/**
 * @typedef {object} Options
 * @property {any} [body] sent as JSON
 * @property {string} [type] its media type
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {boolean} [quiet] leave it out of what "copy as curl" shows
 */

/**
 * @param {string} method
 * @param {string} url a path of this service, with its query string
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 */
export async function send(method, url, { body, type = "application/json", headers = {}, signal, quiet } = {}) {
  await renewToken();
  const sent = { ...headers, ...(body === undefined ? {} : { "Content-Type": type }) };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const recorded = recordRequest(method, url, sent, text, quiet);
  const started = performance.now();
  const answer = await received(method, url, { method, headers: { Accept: "application/json", ...sent, ...credentials() }, body: text, signal });
  recorded.status = answer.status;
  recorded.milliseconds = Math.round(performance.now() - started);
  if (!quiet) requests.set([...requests.get()]);
  if (answer.status >= 400) throw new ApiError(answer.status, answer.body ?? {}, answer.headers);
  return answer;
}

/**
 * Add a request to those that are shown as curl.
 * @param {string} method
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {string} [body]
 * @param {boolean} [quiet]
 * @returns {Recorded}
 */
export function recordRequest(method, url, headers, body, quiet = false) {
  /** @type {Recorded} */
  const recorded = { method, url, headers, body };
  if (!quiet) requests.set([...requests.get(), recorded].slice(-MOST_RECORDED));
  return recorded;
}

/**
 * @param {string} method
 * @param {string} url
 * @param {RequestInit} request
 * @returns {Promise<Answer>}
 */
async function received(method, url, request) {
  let response;
  try {
    response = await fetch(url, { ...request, cache: "no-store", redirect: "error" });
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new ApiError(0, { reason: "The service cannot be reached", message: "check that it runs, then try again" });
  }
  if (response.status === 401) signInNeeded.set(true);
  const text = method === "HEAD" ? "" : await response.text();
  return { status: response.status, headers: response.headers, body: parsed(text) };
}

/** @param {string} text */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return { reason: "The answer is not JSON", message: text.slice(0, 200) };
  }
}

/** @type {Promise<void> | null} */
let renewal = null;

/** Renew a token that soon expires, once for all requests that wait for it: issuers take a refresh token only once. */
export async function renewToken() {
  const current = session.get();
  if (oidcClient && current?.refreshToken && current.expires !== undefined && current.expires - Date.now() < RENEWED_BEFORE) {
    renewal ??= refresh(oidcClient, current).finally(() => (renewal = null));
  }
  await renewal;
}

/**
 * The request as a shell command; credentials are variables of the shell, never their values.
 * @param {Recorded} request
 */
export function asCurl({ method, url, headers, body }) {
  const quoted = (/** @type {string} */ text) => `'${text.replace(/'/g, "'\\''")}'`;
  const how = { GET: "", HEAD: " -I" }[method] ?? ` -X ${method}`;
  const parts = [`curl${how} ${quoted(new URL(url, location.origin).href)}`];
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  const kind = session.get()?.kind;
  if (kind) parts.push(kind === "apiKey" ? '-H "X-API-Key: $API_KEY"' : '-H "Authorization: Bearer $TOKEN"');
  if (body !== undefined) parts.push(`-d ${quoted(body)}`);
  return parts.join(" ");
}

/**
 * How many resources match, or null when the caller may not know.
 * @param {string} url of a collection, with conditions in its query string
 * @param {Options} [options]
 * @returns {Promise<number | null>}
 */
export async function count(url, options = {}) {
  try {
    const answer = await send("HEAD", `${url}${url.includes("?") ? "&" : "?"}limit=0`, { quiet: true, ...options });
    const total = answer.headers.get("x-total-count");
    return total === null ? null : Number(total);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
