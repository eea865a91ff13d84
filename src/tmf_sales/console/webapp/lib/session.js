/** Who is signed in: an API key or a token, kept for this tab alone. */
import { createStore } from "./store.js";

/**
 * @typedef {object} Session
 * @property {"apiKey" | "token"} kind
 * @property {string} value
 * @property {string} name what the header shows
 * @property {string} [refreshToken]
 * @property {number} [expires] milliseconds since 1970
 * @property {number} [begun] milliseconds since 1970; a renewed token does not change it
 */

const KEY = "tmf-sales-session";

export const session = createStore(/** @type {Session | null} */ (read()));
/** Whether the service rejected the credentials, or their absence, so that the sign-in is shown. */
export const signInNeeded = createStore(false);

/** @returns {Session | null} */
function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/** @param {Session} next */
export function signIn(next) {
  keepSession({ ...next, begun: Date.now() });
  signInNeeded.set(false);
}

/** Keep other tokens of the same sign-in; screens stay as they are. @param {Session} next */
export function keepSession(next) {
  sessionStorage.setItem(KEY, JSON.stringify(next));
  session.set(next);
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  session.set(null);
}

/** @returns {Record<string, string>} */
export function credentials() {
  const current = session.get();
  if (!current) return {};
  return current.kind === "apiKey" ? { "X-API-Key": current.value } : { Authorization: `Bearer ${current.value}` };
}
