/** The address of a screen: paths below /console, and the query string as the API reads it. */
import { createStore } from "./store.js";

/** @typedef {{path: string, query: string}} Place */

let base = "/console";
/** Set by a form with unsaved changes; asks before the screen is left. @type {(() => boolean) | null} */
let mayLeave = null;
let shownAddress = "";

export const place = createStore(/** @type {Place} */ ({ path: "", query: "" }));

/** @param {string} path */
export function startRouter(path) {
  base = path;
  shownAddress = location.pathname + location.search;
  place.set(readPlace());
  addEventListener("popstate", () => {
    if (confirmLeaving()) moved();
    else history.pushState(null, "", shownAddress);
  });
  document.addEventListener("click", followLink);
  addEventListener("beforeunload", (event) => {
    if (mayLeave) event.preventDefault();
  });
}

function moved() {
  shownAddress = location.pathname + location.search;
  place.set(readPlace());
}

/** @returns {Place} */
function readPlace() {
  const path = location.pathname.slice(base.length).replace(/^\/+|\/+$/g, "");
  return { path, query: location.search.slice(1) };
}

/**
 * The address of a screen; segments are encoded, the query is taken as it is.
 * @param {string[]} segments
 * @param {string} [query]
 */
export function linkTo(segments, query = "") {
  const path = segments.map((segment) => encodeURIComponent(segment)).join("/");
  return `${base}/${path}${query ? `?${query}` : ""}`;
}

/**
 * @param {string} address
 * @param {{replace?: boolean}} [how]
 */
export function navigate(address, { replace = false } = {}) {
  if (!confirmLeaving()) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  moved();
}

/** Ask before leaving, until the returned function is called. */
export function keepUnsaved() {
  const guard = () => confirm("Leave without saving your changes?");
  mayLeave = guard;
  return () => {
    if (mayLeave === guard) mayLeave = null;
  };
}

function confirmLeaving() {
  if (mayLeave && !mayLeave()) return false;
  mayLeave = null;
  return true;
}

/** @param {MouseEvent} event */
function followLink(event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || !(link.pathname === base || link.pathname.startsWith(`${base}/`))) return;
  if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}

/**
 * What a pattern such as `:api/:collection` matches in a path, or null.
 * @param {string} pattern
 * @param {string} path
 * @returns {Record<string, string> | null}
 */
export function matchPath(pattern, path) {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [at, segment] of wanted.entries()) {
    const value = decoded(given[at]);
    if (segment.startsWith(":") && value) params[segment.slice(1)] = value;
    else if (segment !== value) return null;
  }
  return params;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
