/**
 * The query string of a list, as TMF630 has it: conditions, sort, fields and page. The address of the screen holds the
 * same text as the request, so that links to lists are requests, too.
 */

/** @typedef {{name: string, value: string}} Parameter */

const RESERVED = new Set(["fields", "sort", "limit", "offset"]);
/** The operators that end a parameter's name, with the words that people read. */
export const OPERATORS = /** @type {Record<string, string>} */ ({
  "": "is",
  ne: "is not",
  contains: "contains",
  containsi: "contains (any case)",
  startswith: "starts with",
  gte: "from",
  gt: "after",
  lte: "up to",
  lt: "before",
  between: "between",
  in: "is one of",
  nin: "is none of",
  exists: "exists",
  isnull: "is missing",
  regex: "matches",
});

/**
 * @param {string} query
 * @returns {Parameter[]}
 */
export function parseQuery(query) {
  return query
    .split("&")
    .filter(Boolean)
    .map((pair) => {
      const at = pair.indexOf("=");
      const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      return { name: decoded(name), value: decoded(value) };
    });
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "));
  } catch {
    return text;
  }
}

/** @param {Parameter[]} parameters */
export function formatQuery(parameters) {
  return parameters.map(({ name, value }) => `${encoded(name)}=${encoded(value)}`).join("&");
}

/** Percent-encode what a query string may not hold, and leave what people read. @param {string} text */
function encoded(text) {
  return encodeURIComponent(text).replace(/%(2C|3A|2F|40|24|3B)/g, (each) => decodeURIComponent(each));
}

/** @param {Parameter[]} parameters */
export const conditionsOf = (parameters) => parameters.filter(({ name }) => !RESERVED.has(name));

/**
 * @param {Parameter[]} parameters
 * @param {string} name
 */
export const valueOf = (parameters, name) => parameters.find((each) => each.name === name)?.value ?? null;

/**
 * With another value of a parameter, or without it when the value is null. Everything but the page itself begins at the
 * first page again.
 * @param {Parameter[]} parameters
 * @param {string} name
 * @param {string | null} value
 */
export function withValue(parameters, name, value) {
  const kept = parameters.filter((each) => name === "offset" || each.name !== "offset");
  const at = kept.findIndex((each) => each.name === name);
  const rest = kept.filter((each) => each.name !== name);
  if (value === null) return rest;
  return at < 0 ? [...rest, { name, value }] : [...rest.slice(0, at), { name, value }, ...rest.slice(at)];
}

/**
 * The path and operator of a condition's name: `quoteDate.gte` is ["quoteDate", "gte"].
 * @param {string} name
 * @returns {[string, string]}
 */
export function splitName(name) {
  const at = name.lastIndexOf(".");
  const operator = name.slice(at + 1);
  return at > 0 && operator && operator in OPERATORS ? [name.slice(0, at), operator] : [name, ""];
}

/** @param {string} value */
export const alternatives = (value) => value.split(",").filter(Boolean);

/**
 * Add a value to the alternatives of a condition, or take it away.
 * @param {Parameter[]} parameters
 * @param {string} path
 * @param {string} value
 */
export function toggled(parameters, path, value) {
  const now = alternatives(valueOf(parameters, path) ?? "");
  const next = now.includes(value) ? now.filter((each) => each !== value) : [...now, value];
  return withValue(parameters, path, next.length ? next.join(",") : null);
}

/**
 * Sort by a path: ascending, then descending, then not.
 * @param {Parameter[]} parameters
 * @param {string} path
 */
export function sortedBy(parameters, path) {
  const now = valueOf(parameters, "sort");
  const next = now === path ? `-${path}` : now === `-${path}` ? null : path;
  return withValue(parameters, "sort", next);
}
