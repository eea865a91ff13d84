/** Reads the service's metrics in Prometheus' text format, and the rates between two readings. */
import { ApiError } from "./client.js";
import { credentials } from "./session.js";

/** @typedef {{at: number, values: Map<string, number>}} Reading the sums over all label sets, by metric and, where asked, by one label */

/**
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Reading>}
 */
export async function readMetrics(url, signal) {
  const response = await fetch(url, { headers: { Accept: "text/plain", ...credentials() }, signal, cache: "no-store", redirect: "error" });
  if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => ({})), response.headers);
  return { at: performance.now(), values: sums(await response.text()) };
}

/**
 * The sum of each metric, and of each of its values of `result`: `name` and `name result`.
 * @param {string} text
 */
export function sums(text) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = /^([a-z_]+)(\{.*\})? ([0-9.e+-]+)/i.exec(line) ?? [];
    if (!name) continue;
    const result = /result="([^"]*)"/.exec(labels)?.[1];
    for (const key of result ? [name, `${name} ${result}`] : [name]) found.set(key, (found.get(key) ?? 0) + Number(value));
  }
  return found;
}

/**
 * How much a counter grew in each second between two readings.
 * @param {Reading} before
 * @param {Reading} after
 * @param {string} name
 */
export function rate(before, after, name) {
  const grown = (after.values.get(name) ?? 0) - (before.values.get(name) ?? 0);
  return (Math.max(0, grown) * 1000) / Math.max(1, after.at - before.at);
}

/**
 * The mean of what a histogram observed between two readings; null when it observed nothing.
 * @param {Reading} before
 * @param {Reading} after
 * @param {string} name
 */
export function mean(before, after, name) {
  const count = rate(before, after, `${name}_count`);
  return count > 0 ? rate(before, after, `${name}_sum`) / count : null;
}
