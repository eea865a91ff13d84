/** What differs between two documents: the paths with their values before and after. Lists are compared by id. */

/** @typedef {{path: string, before: any, after: any}} Change */

/**
 * @param {any} before
 * @param {any} after
 * @param {string} [path]
 * @returns {Change[]}
 */
export function differences(before, after, path = "") {
  if (same(before, after)) return [];
  if (isKeyed(before) && isKeyed(after)) return ofLists(before, after, path);
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => differences(before[name], after[name], path ? `${path}.${name}` : name));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((each, at) => differences(each, after[at], `${path}[${at}]`));
  }
  return [{ path, before, after }];
}

/**
 * @param {any[]} before
 * @param {any[]} after
 * @param {string} path
 * @returns {Change[]}
 */
function ofLists(before, after, path) {
  const ids = [...new Set([...before, ...after].map((each) => each.id))];
  return ids.flatMap((id) => {
    const [old, now] = [before, after].map((list) => list.find((each) => each.id === id));
    return differences(old, now, `${path}[${id}]`);
  });
}

/** @param {any} value */
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** Whether it is a list of objects with ids that are all different. @param {any} value */
function isKeyed(value) {
  if (!Array.isArray(value) || !value.every((each) => isObject(each) && each.id !== undefined)) return false;
  return new Set(value.map((each) => each.id)).size === value.length;
}

/**
 * Whether two JSON values are the same, whatever the order of their members.
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function same(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  const [names, others] = [Object.keys(a), Object.keys(b)];
  return Array.isArray(a) === Array.isArray(b) && names.length === others.length && names.every((name) => name in b && same(a[name], b[name]));
}

/**
 * The JSON Patch (RFC 6902) that makes `after` of `before`: objects member by member, lists as a whole.
 * @param {any} before
 * @param {any} after
 * @param {string} [at]
 * @returns {{op: string, path: string, value?: any}[]}
 */
export function jsonPatch(before, after, at = "") {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const path = `${at}/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`;
    if (same(before[name], after[name])) return [];
    if (!(name in after)) return [{ op: "remove", path }];
    if (!(name in before)) return [{ op: "add", path, value: after[name] }];
    if (isObject(before[name]) && isObject(after[name])) return jsonPatch(before[name], after[name], path);
    return [{ op: "replace", path, value: after[name] }];
  });
}
