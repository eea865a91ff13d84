/**
 * The tabs of a resource, in one place. Which ones it has follows from its contract: a tab is shown when its `members`
 * finds something in the type, or when it needs nothing. A component gets {app, resource, item, etag, changed}.
 */
import { isParty, isPriced } from "../../lib/contract.js";
import { AuditTab } from "./audit.js";
import { DetailsTab } from "./details.js";
import { EventsTab } from "./events.js";
import { ItemsTab } from "./items.js";
import { JsonTab } from "./json.js";
import { attachmentMembers, membersWhere, noteMembers, treeMembers } from "./members.js";
import { NotesTab } from "./notes.js";
import { PartiesTab } from "./parties.js";
import { PricesTab } from "./prices.js";
import { VersionsTab } from "./versions.js";

/** @typedef {import("../../lib/types").Resource} Resource */

/**
 * @typedef {object} Tab
 * @property {string} name in the address
 * @property {string} title
 * @property {any} component
 * @property {number} [count]
 */

/**
 * @param {Resource} resource
 * @param {any} item
 * @returns {Tab[]}
 */
export function tabsOf(resource, item) {
  const { document } = resource.api;
  /** @param {string} name @param {string} title @param {any} component @param {string[]} members @returns {Tab[]} */
  const tab = (name, title, component, members) =>
    members.length ? [{ name, title, component, count: members.reduce((sum, each) => sum + (item[each]?.length ?? 0), 0) }] : [];
  const trees = treeMembers(resource);
  const priced = membersWhere(resource, (type) => isPriced(document, type));
  return [
    { name: "details", title: "Details", component: DetailsTab },
    ...tab("items", "Items", ItemsTab, trees),
    ...(priced.length || trees.length ? [{ name: "prices", title: "Prices", component: PricesTab }] : []),
    ...tab("parties", "Parties", PartiesTab, membersWhere(resource, isParty)),
    ...tab("notes", "Notes and attachments", NotesTab, [...noteMembers(resource), ...attachmentMembers(resource)]),
    ...(resource.versionMember ? [{ name: "versions", title: "Versions", component: VersionsTab }] : []),
    { name: "events", title: "Events", component: EventsTab },
    { name: "audit", title: "Audit", component: AuditTab },
    { name: "json", title: "JSON", component: JsonTab },
  ];
}
