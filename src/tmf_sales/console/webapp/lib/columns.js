/** What of a resource a list can show and filter by, read from its contract. */
import { isMoney, isParty, isPeriod, isPriced, isReference, kindOf, typeOfMember } from "./contract.js";
import { words } from "./words.js";

/** @typedef {import("./types").Resource} Resource */
/** @typedef {import("./types").Schema} Schema */

/**
 * @typedef {object} Column
 * @property {string} path
 * @property {Schema} schema of the value, or of a list's elements
 * @property {"state" | "money" | "prices" | "period" | "dateTime" | "number" | "boolean" | "enum" | "text" | "summary"} shows
 * @property {boolean} single whether there is one value, so that it can be sorted by
 */

const HIDDEN = new Set(["href", "@baseType", "@schemaLocation"]);
const MOST_SHOWN = 9;

/**
 * Every column, in the contract's order: members, and members of objects and of lists of objects.
 * @param {Resource} resource
 * @returns {Column[]}
 */
export function columnsOf(resource) {
  const { document } = resource.api;
  /** @type {Column[]} */
  const found = [];
  for (const [name, schema] of resource.type.members) {
    if (HIDDEN.has(name)) continue;
    const type = typeOfMember(document, schema);
    const single = kindOf(schema) !== "array";
    found.push({ path: name, schema, shows: shows(resource, name, schema), single: single && !type });
    for (const [member, below] of type?.members ?? []) {
      if (!HIDDEN.has(member) && !member.startsWith("@") && !["object", "array"].includes(kindOf(below))) {
        found.push({ path: `${name}.${member}`, schema: below, shows: shows(resource, "", below), single });
      }
    }
  }
  return found;
}

/**
 * @param {Resource} resource
 * @param {string} name
 * @param {Schema} schema
 * @returns {Column["shows"]}
 */
function shows(resource, name, schema) {
  const type = typeOfMember(resource.api.document, schema);
  if (name && resource.lifecycle?.member === name) return "state";
  if (isMoney(type)) return "money";
  if (isPeriod(type)) return "period";
  if (isPriced(resource.api.document, type)) return "prices";
  if (type || kindOf(schema) === "array") return "summary";
  if (schema.format === "date-time") return "dateTime";
  if (schema.type === "number" || schema.type === "integer") return "number";
  if (schema.type === "boolean") return "boolean";
  return schema.enum ? "enum" : "text";
}

/** A column's heading: "Related party" for relatedParty.name, "Valid until" for validFor.endDateTime. @param {string} path */
export function headingOf(path) {
  const [name, ...rest] = path.split(".");
  if (rest.join() === "endDateTime") return `${words(name.replace(/For$/, ""))} until`;
  return [words(name), ...rest.filter((each) => each !== "name").map((each) => words(each).toLowerCase())].join(" ");
}

/**
 * The columns that a list shows first: what names the resource, its parties, state, version, dates and amounts.
 * @param {Resource} resource
 * @returns {string[]}
 */
export function defaultColumns(resource) {
  const { document } = resource.api;
  const members = [...resource.type.members];
  const named = ["name", "description"].filter((name) => resource.type.members.has(name)).slice(0, 1);
  const party = members.find(([, schema]) => isParty(typeOfMember(document, schema)));
  const dates = members.filter(([, schema]) => schema.format === "date-time").map(([name]) => name);
  const created = dates.filter((name) => resource.type.members.get(name)?.["x-default"] === "$now");
  const indexed = dates.filter((name) => resource.indexes.includes(name));
  const columns = [
    "id",
    ...named,
    ...(party ? [`${party[0]}.name`] : []),
    ...(resource.lifecycle ? [resource.lifecycle.member] : []),
    ...(resource.versionMember ? [resource.versionMember] : []),
    ...members.filter(([name, schema]) => shows(resource, name, schema) === "enum").map(([name]) => name).slice(0, 1),
    ...[...created, ...indexed, ...dates].slice(0, 1),
    ...(isPeriod(typeOfMember(document, resource.type.members.get("validFor") ?? {})) ? ["validFor.endDateTime"] : []),
    ...members.filter(([name, schema]) => ["money", "prices"].includes(shows(resource, name, schema))).map(([name]) => name),
  ];
  return columns.slice(0, MOST_SHOWN);
}

/**
 * The paths whose values a list counts: enumerations first, then indexed texts, names of parties and references.
 * @param {Resource} resource
 * @returns {{path: string, values: string[] | null}[]} `values` is null where they are not known from the contract
 */
export function facetsOf(resource) {
  const { document } = resource.api;
  /** @type {{path: string, values: string[] | null}[]} */
  const enumerations = [];
  /** @type {{path: string, values: string[] | null}[]} */
  const others = [];
  for (const [name, schema] of resource.type.members) {
    const type = typeOfMember(document, schema);
    if (schema.enum) enumerations.push({ path: name, values: schema.enum });
    else if (isParty(type)) others.push({ path: `${name}.name`, values: null }, { path: `${name}.role`, values: null });
    else if (isReference(type)) others.push({ path: `${name}.${resource.indexes.includes(`${name}.id`) ? "id" : "name"}`, values: null });
    else if (schema.type === "string" && !schema.format && name !== "externalId" && resource.indexes.includes(name)) {
      others.unshift({ path: name, values: null });
    }
  }
  enumerations.sort((a, b) => Number(b.path === resource.lifecycle?.member) - Number(a.path === resource.lifecycle?.member));
  return [...enumerations, ...others];
}

/**
 * The values at a path, through objects and lists.
 * @param {any} document
 * @param {string} path
 * @returns {any[]}
 */
export function valuesAt(document, path) {
  let found = [document];
  for (const step of path.split(".")) {
    found = found.flatMap((each) => each?.[step] ?? []);
  }
  return found.filter((each) => each !== null && each !== undefined);
}
