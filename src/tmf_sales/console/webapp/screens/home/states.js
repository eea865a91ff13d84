/** How many resources are in each state, as bars that link to their lists. */
import { count } from "../../lib/client.js";
import { html } from "../../lib/html.js";
import { useLoaded } from "../../lib/loading.js";
import { linkTo } from "../../lib/router.js";
import { Tag } from "../../parts/tag.js";

/** @param {{resource: import("../../lib/types").Resource}} props */
export function States({ resource }) {
  const lifecycle = resource.lifecycle;
  const states = lifecycle?.states ?? [];
  const { value } = useLoaded(
    (signal) => Promise.all([count(resource.url, { signal }), ...states.map((state) => count(`${resource.url}?${lifecycle?.member}=${state}`, { signal }))]),
    [resource.url],
  );
  const [total, ...counts] = value ?? [];
  const most = Math.max(1, ...counts.map((each) => each ?? 0));
  const list = linkTo([resource.api.name, resource.noun]);
  return html`<section class="card" aria-label="${resource.plural} by state">
    <h2><a href=${list}>${resource.plural}</a> <small>${total?.toLocaleString("en-GB") ?? ""}</small></h2>
    <ul class="plain bars">
      ${states.map((state, at) => html`<li key=${state}>
        <a href="${list}?${lifecycle?.member}=${state}"><${Tag} state=${state} lifecycle=${lifecycle} /></a>
        <meter min="0" max=${most} value=${counts[at] ?? 0} aria-label=${state}></meter>
        <span class="number">${value ? counts[at]?.toLocaleString("en-GB") ?? "?" : "…"}</span>
      </li>`)}
    </ul>
  </section>`;
}
