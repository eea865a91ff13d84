/** A list of resources: the query is the address; filter, facets, columns, sort, pages, saved views and downloads. */
import { ApiError, send } from "../lib/client.js";
import { columnsOf, defaultColumns, headingOf } from "../lib/columns.js";
import { html, useMemo } from "../lib/html.js";
import { useLoaded } from "../lib/loading.js";
import { mayDo, permissions } from "../lib/permissions.js";
import { conditionsOf, formatQuery, parseQuery, sortedBy, valueOf, withValue } from "../lib/query.js";
import { linkTo, navigate } from "../lib/router.js";
import { useStore } from "../lib/store.js";
import { PageHead } from "../parts/page_head.js";
import { Problem } from "../parts/problem.js";
import { Cell, isNumeric } from "../parts/value.js";
import { Columns, SavedViews } from "./list/columns_and_views.js";
import { Downloads } from "./list/downloads.js";
import { Facets } from "./list/facets.js";
import { Filters } from "./list/filters.js";
import { Pages } from "./list/pages.js";

/** @typedef {import("../lib/query.js").Parameter} Parameter */
/** @typedef {import("../lib/types").Resource} Resource */

const PAGE = "25";

/** @param {import("../lib/types").ScreenProps} props */
export default function ListScreen({ app, params, query }) {
  const resource = app.resource(params.api, params.collection);
  if (!resource) return html`<${PageHead} title="No such list" />`;
  return html`<${List} resource=${resource} query=${query} />`;
}

/** @param {{resource: Resource, query: string}} props */
function List({ resource, query }) {
  const parameters = useMemo(() => parseQuery(query), [query]);
  const paths = valueOf(parameters, "fields")?.split(",") ?? defaultColumns(resource);
  const all = useMemo(() => columnsOf(resource), [resource]);
  const columns = paths.map((path) => all.find((each) => each.path === path) ?? /** @type {import("../lib/columns.js").Column} */ ({ path, schema: {}, shows: "text", single: true }));
  const asked = withDefaults(parameters, paths);
  const { value, error, loading, reload } = useLoaded(async (signal) => {
    const answer = await send("GET", `${resource.url}?${formatQuery(asked)}`, { signal });
    return { items: answer.body, total: Number(answer.headers.get("x-total-count") ?? answer.body.length) };
  }, [formatQuery(asked)]);
  /** @param {Parameter[]} next */
  const show = (next) => navigate(linkTo([resource.api.name, resource.noun], formatQuery(next)));
  const items = value?.items ?? [];
  const badQuery = error instanceof ApiError && error.status === 400;
  const limit = Number(valueOf(asked, "limit"));
  const offset = Number(valueOf(asked, "offset") ?? 0);
  const mayCreate = mayDo(useStore(permissions), resource, "create");

  return html`<${PageHead}
      title=${resource.plural}
      sub=${loading && !value ? "Loading" : error ? "" : summaryOf(value?.total ?? 0, offset, items.length, conditionsOf(parameters).length > 0)}
      actions=${html`<${Downloads} resource=${resource} columns=${columns} items=${items} />
        ${mayCreate && html`<a class="button primary" href=${linkTo([resource.api.name, resource.noun, "new"])}>New ${resource.title.toLowerCase()}</a>`}`}
    />
    <div class="row tools">
      <${Filters} resource=${resource} columns=${all} parameters=${parameters} error=${badQuery ? error : null} show=${show} />
      <${Columns} all=${all} shown=${paths} change=${(/** @type {string[]} */ next) => show(withValue(parameters, "fields", next.join(",")))} />
      <${SavedViews} resource=${resource} query=${query} open=${(/** @type {string} */ saved) => show(parseQuery(saved))} />
    </div>
    ${error && !badQuery && html`<${Problem} error=${error} retry=${reload} />`}
    <div class="with-side">
      <div class="card scroll" tabindex="0" role="region" aria-label=${resource.plural} aria-busy=${loading}>
        <table>
          <thead><tr>${columns.map((column) => html`<${Head} key=${column.path} column=${column} sort=${valueOf(parameters, "sort")} change=${() => show(sortedBy(parameters, column.path))} />`)}</tr></thead>
          <tbody>${items.map((/** @type {any} */ item) => html`<${Row} key=${`${item.id} ${item.version ?? ""}`} resource=${resource} item=${item} columns=${columns} />`)}</tbody>
        </table>
        ${!error && value && items.length === 0 && html`<p class="empty">Nothing matches.${conditionsOf(parameters).length > 0 && html` <button type="button" class="plain" onClick=${() => show(parameters.filter((each) => !conditionsOf([each]).length))}>Remove all filters</button>`}</p>`}
      </div>
      <${Facets} resource=${resource} parameters=${parameters} show=${show} />
    </div>
    <${Pages} total=${value?.total ?? 0} offset=${offset} limit=${limit} show=${(/** @type {number} */ next) => show(withValue(parameters, "offset", next ? String(next) : null))} resize=${(/** @type {string} */ next) => show(withValue(parameters, "limit", next))} />`;
}

/**
 * What is asked when the address says less: the columns that are shown, and a page of 25.
 * @param {Parameter[]} parameters
 * @param {string[]} paths
 */
function withDefaults(parameters, paths) {
  const known = new Set(parameters.map(({ name }) => name));
  return [
    ...parameters,
    ...(known.has("fields") ? [] : [{ name: "fields", value: paths.join(",") }]),
    ...(known.has("limit") ? [] : [{ name: "limit", value: PAGE }]),
  ];
}

/**
 * @param {number} total
 * @param {number} offset
 * @param {number} length
 * @param {boolean} filtered
 */
function summaryOf(total, offset, length, filtered) {
  const matches = `${total.toLocaleString("en-GB")} ${filtered ? (total === 1 ? "matches" : "match") : "in all"}`;
  const [first, last] = [offset + 1, offset + length].map((place) => place.toLocaleString("en-GB"));
  return length ? `${matches}, ${first} to ${last} shown` : matches;
}

/** @param {{column: import("../lib/columns.js").Column, sort: string | null, change: () => void}} props */
function Head({ column, sort, change }) {
  const direction = sort === column.path ? "ascending" : sort === `-${column.path}` ? "descending" : undefined;
  const title = headingOf(column.path);
  return html`<th scope="col" class=${isNumeric(column) ? "number" : ""} aria-sort=${direction} title="${column.path}: ${column.schema.description ?? ""}">
    ${column.single ? html`<button type="button" onClick=${change}>${title}${direction && (direction === "ascending" ? " ↑" : " ↓")}</button>` : title}
  </th>`;
}

/** @param {{resource: Resource, item: any, columns: import("../lib/columns.js").Column[]}} props */
function Row({ resource, item, columns }) {
  return html`<tr>
    ${columns.map((column, at) => {
      const cell = html`<${Cell} document=${item} column=${column} lifecycle=${resource.lifecycle} />`;
      const linked = at === 0 || column.path === "id";
      return html`<td key=${column.path} class="${isNumeric(column) ? "number" : ""} ${column.path === "id" ? "mono" : ""}">
        ${linked ? html`<a href=${linkTo([resource.api.name, resource.noun, item.id])}>${cell}</a>` : cell}
      </td>`;
    })}
  </tr>`;
}
