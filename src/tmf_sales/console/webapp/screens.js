/**
 * Every screen, in one place. A screen is a module in screens/ whose default export is a component; it is loaded when
 * its address is opened. README.md in this folder says how to add one.
 */
import { linkTo } from "./lib/router.js";

/** @typedef {import("./lib/types").Screen} Screen */
/** @typedef {import("./lib/types").App} App */
/** @typedef {import("./lib/types").NavigationLink} NavigationLink */

/** The first pattern that matches is shown, so literal segments stand before `:names`. @type {Screen[]} */
export const SCREENS = [
  { pattern: "", load: () => import("./screens/home.js") },
  { pattern: "find", load: () => import("./screens/find.js") },
  { pattern: "service/events", load: () => import("./screens/service/events.js") },
  { pattern: "service/subscriptions", load: () => import("./screens/service/subscriptions.js") },
  { pattern: "service/subscriptions/:api/:id", load: () => import("./screens/service/subscription.js") },
  { pattern: "service/audit", load: () => import("./screens/service/audit.js") },
  { pattern: "service/health", load: () => import("./screens/service/health.js") },
  { pattern: "service/conformance", load: () => import("./screens/service/conformance.js") },
  { pattern: "service/permissions", load: () => import("./screens/service/permissions.js") },
  { pattern: "sign-in", load: () => import("./screens/sign_in.js") },
  { pattern: "signed-in", load: () => import("./screens/signed_in.js") },
  { pattern: ":api/:collection", load: () => import("./screens/list.js") },
  { pattern: ":api/:collection/new", load: () => import("./screens/create.js") },
  { pattern: ":api/:collection/:id/edit", load: () => import("./screens/edit.js") },
  { pattern: ":api/:collection/:id", load: () => import("./screens/resource.js") },
];

/**
 * The groups of links at the side.
 * @param {App} app
 * @returns {{title: string, links: NavigationLink[]}[]}
 */
export function navigation(app) {
  return [
    { title: "", links: [{ title: "Home", path: linkTo([]) }] },
    ...app.apis.map((api) => ({ title: api.title, links: linksOf(api) })),
    {
      title: "Service",
      links: [
        { title: "Events", path: linkTo(["service", "events"]) },
        { title: "Subscriptions", path: linkTo(["service", "subscriptions"]) },
        { title: "Audit", path: linkTo(["service", "audit"]) },
        { title: "Health", path: linkTo(["service", "health"]) },
        { title: "Conformance", path: linkTo(["service", "conformance"]) },
        { title: "What may I do", path: linkTo(["service", "permissions"]) },
      ],
    },
  ].filter((group) => group.links.length > 0);
}

/**
 * @param {import("./lib/types").Api} api
 * @returns {NavigationLink[]}
 */
function linksOf(api) {
  return api.resources
    .filter((resource) => resource.operations.list)
    .map((resource) => ({ title: resource.plural, path: linkTo([api.name, resource.noun]), count: resource.url }));
}
