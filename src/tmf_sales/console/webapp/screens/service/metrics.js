/** The service's metrics, drawn while the screen is open. */
import { ApiError } from "../../lib/client.js";
import { number } from "../../lib/format.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { mean, rate, readMetrics } from "../../lib/metrics.js";
import { Problem } from "../../parts/problem.js";

/** @typedef {import("../../lib/metrics.js").Reading} Reading */

const EVERY = 3000;
const POINTS = 60;
const [WIDTH, HEIGHT] = [240, 48];

/** @type {{title: string, unit: string, of: (before: Reading, after: Reading) => number | null}[]} */
const PANELS = [
  { title: "Requests", unit: "a second", of: (before, after) => rate(before, after, "tmf_sales_http_requests_total") },
  { title: "Response time", unit: "ms on average", of: (before, after) => inMilliseconds(mean(before, after, "tmf_sales_http_request_duration_seconds")) },
  { title: "Errors", unit: "a second", of: (before, after) => rate(before, after, "tmf_sales_errors_total") },
  { title: "Deliveries", unit: "a second", of: (before, after) => rate(before, after, "tmf_sales_delivery_attempts_total") },
  { title: "Failed deliveries", unit: "a second", of: (before, after) => rate(before, after, "tmf_sales_delivery_attempts_total failure") },
  { title: "Pending events", unit: "now", of: (_, after) => after.values.get("tmf_sales_events_pending") ?? null },
];

/** @param {{prefix: string}} props */
export function Metrics({ prefix }) {
  const [readings, setReadings] = useState(/** @type {Reading[]} */ ([]));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    const ended = new AbortController();
    const read = async () => {
      if (document.hidden) return;
      try {
        const reading = await readMetrics(`${prefix}/metrics`, ended.signal);
        setReadings((last) => [...last, reading].slice(-POINTS - 1));
      } catch (failure) {
        if (ended.signal.aborted) return;
        if (failure instanceof ApiError && failure.status > 0 && failure.status < 500) clearInterval(timer);
        setError(failure);
      }
    };
    const timer = setInterval(read, EVERY);
    read();
    return () => (clearInterval(timer), ended.abort());
  }, [prefix]);
  return html`<section class="card">
    <h2>Metrics</h2>
    ${error instanceof ApiError && error.status === 404
      ? html`<p class="quiet">The metrics are on the management port only.</p>`
      : error && html`<${Problem} error=${error} />`}
    ${!error && readings.length < 2 && html`<p class="quiet" role="status">Measuring</p>`}
    ${readings.length > 1 && html`<div class="metrics">${PANELS.map((panel) => html`<${Panel} key=${panel.title} panel=${panel} readings=${readings} />`)}</div>`}
  </section>`;
}

/** @param {number | null} seconds */
const inMilliseconds = (seconds) => (seconds === null ? null : seconds * 1000);

/** @param {{panel: typeof PANELS[number], readings: Reading[]}} props */
function Panel({ panel, readings }) {
  const points = readings.slice(1).map((reading, at) => panel.of(readings[at], reading));
  const last = points[points.length - 1];
  const highest = Math.max(...points.map((point) => point ?? 0));
  const latest = last === null ? "–" : `${number(Number(last.toPrecision(3)))} ${panel.unit}`;
  return html`<figure>
    <figcaption>${panel.title} <strong>${latest}</strong></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${panel.title}: ${latest}; highest ${number(Number(highest.toPrecision(3)))}">
      <polyline points=${line(points, highest)} />
    </svg>
  </figure>`;
}

/**
 * @param {(number | null)[]} points
 * @param {number} highest
 */
function line(points, highest) {
  const step = WIDTH / (POINTS - 1);
  const from = WIDTH - (points.length - 1) * step;
  return points.map((point, at) => `${(from + at * step).toFixed(1)},${(HEIGHT - 2 - ((point ?? 0) / (highest || 1)) * (HEIGHT - 4)).toFixed(1)}`).join(" ");
}
