/** Reads a contract: its resources, their types with `allOf` merged, lifecycles, and what may be sent when. */
import { plural, words } from "./words.js";

/** @typedef {import("./types").Schema} Schema */
/** @typedef {import("./types").ObjectType} ObjectType */
/** @typedef {import("./types").Resource} Resource */
/** @typedef {import("./types").Api} Api */
/** @typedef {import("./types").Lifecycle} Lifecycle */
/** @typedef {import("./types").ApiDescription} ApiDescription */

/**
 * @param {ApiDescription} description
 * @param {any} document the contract in one file
 * @returns {Api}
 */
export function readApi(description, document) {
  /** @type {Api} */
  const api = { ...description, document, resources: [] };
  for (const [name, schema] of Object.entries(/** @type {Record<string, Schema>} */ (document.components.schemas))) {
    const path = "x-events" in schema ? collectionPath(document, name) : null;
    if (path) api.resources.push(readResource(api, name, schema, path));
  }
  return api;
}

/**
 * @param {any} document
 * @param {string} name
 * @returns {string | null} the path whose operations are about the collection
 */
function collectionPath(document, name) {
  for (const [path, item] of Object.entries(document.paths)) {
    const ids = Object.values(/** @type {object} */ (item)).map((operation) => operation?.operationId);
    if (ids.includes(`list${name}`) || ids.includes(`create${name}`)) return path;
  }
  return null;
}

/**
 * @param {Api} api
 * @param {string} name
 * @param {Schema} schema
 * @param {string} path
 * @returns {Resource}
 */
function readResource(api, name, schema, path) {
  const { document } = api;
  const schemas = document.components.schemas;
  const operations = operationsOf(document, name);
  const type = objectType(document, { $ref: `#/components/schemas/${name}` });
  const update = schema["x-update"] ?? name;
  return {
    api,
    name,
    noun: path.split("/").pop() ?? "",
    title: words(name),
    plural: plural(words(name)),
    url: `${api.basePath}${path}`,
    type,
    createType: operations.create ? objectType(document, bodySchema(document, operations.create)) : null,
    updateType: operations.patch && update in schemas ? objectType(document, { $ref: `#/components/schemas/${update}` }) : null,
    lifecycle: lifecycleOf(type),
    versionMember: schema["x-versioned"] ?? null,
    operations,
    indexes: (schema["x-index"] ?? []).flat().map((/** @type {string} */ path) => path.replace(/^-/, "")),
    events: Object.values(schema["x-events"] ?? {}).map((event) => (typeof event === "string" ? event : event.event)),
  };
}

/**
 * @param {any} document
 * @param {string} name
 */
function operationsOf(document, name) {
  /** @type {Record<string, any>} */
  const found = {};
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(/** @type {Record<string, any>} */ (item))) {
      for (const verb of ["list", "create", "retrieve", "patch", "delete"]) {
        if (operation?.operationId === `${verb}${name}`) found[verb] = operation;
      }
    }
  }
  return found;
}

/**
 * @param {any} document
 * @param {any} operation
 * @returns {Schema}
 */
function bodySchema(document, operation) {
  const content = resolve(document, operation.requestBody ?? {}).content ?? {};
  return content["application/json"]?.schema ?? {};
}

/**
 * Follow local references.
 * @param {any} document
 * @param {any} node
 */
export function resolve(document, node) {
  while (node && typeof node.$ref === "string") {
    node = node.$ref
      .slice(2)
      .split("/")
      .reduce((/** @type {any} */ at, /** @type {string} */ step) => at?.[step.replace(/~1/g, "/").replace(/~0/g, "~")], document);
  }
  return node ?? {};
}

/**
 * The schema with references followed and `allOf` merged; what a schema says itself narrows what it inherits.
 * @param {any} document
 * @param {Schema} schema
 * @returns {Schema}
 */
export function merged(document, schema) {
  const own = resolve(document, schema);
  if (!own.allOf) return own;
  /** @type {Schema} */
  let result = {};
  for (const part of [...own.allOf.map((/** @type {Schema} */ each) => merged(document, each)), { ...own, allOf: undefined }]) {
    result = intersected(document, result, part);
  }
  return result;
}

/**
 * @param {any} document
 * @param {Schema} wide
 * @param {Schema} narrow
 * @returns {Schema}
 */
function intersected(document, wide, narrow) {
  const properties = { ...wide.properties };
  for (const [name, schema] of Object.entries(narrow.properties ?? {})) {
    const before = properties[name];
    properties[name] = before ? { ...merged(document, before), ...defined(merged(document, schema)) } : schema;
  }
  return {
    ...wide,
    ...defined(narrow),
    properties,
    required: [...new Set([...(wide.required ?? []), ...(narrow.required ?? [])])],
  };
}

/** @param {Schema} schema */
function defined(schema) {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}

/** @type {WeakMap<object, Map<string, ObjectType>>} */
const known = new WeakMap();

/**
 * @param {any} document
 * @param {Schema} schema
 * @returns {ObjectType}
 */
export function objectType(document, schema) {
  const types = known.get(document) ?? new Map();
  known.set(document, types);
  const key = schema.$ref ?? "";
  const found = key && types.get(key);
  if (found) return found;
  const whole = merged(document, schema);
  const type = {
    name: key.split("/").pop() ?? "",
    description: whole.description ?? "",
    required: new Set(whole.required ?? []),
    members: new Map(Object.entries(whole.properties ?? {}).map(([name, each]) => [name, withReference(document, each)])),
  };
  if (key) types.set(key, type);
  return type;
}

/**
 * A member's merged schema; `x-type` names the schema that it refers to, itself or by its only `allOf` entry.
 * @param {any} document
 * @param {Schema} schema
 * @returns {Schema}
 */
function withReference(document, schema) {
  const reference = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0].$ref : undefined);
  return { ...merged(document, schema), "x-type": reference?.split("/").pop() ?? schema["x-type"] };
}

/**
 * What a member holds: "object", "array", or the name of a scalar type.
 * @param {Schema} schema
 */
export function kindOf(schema) {
  if (schema.type === "array" || schema.items) return "array";
  if (schema.type === "object" || Object.keys(schema.properties ?? {}).length > 0) return "object";
  return schema.type ?? "any";
}

/**
 * The object type of a member, or of the elements of its list.
 * @param {any} document
 * @param {Schema} schema
 * @returns {ObjectType | null}
 */
export function typeOfMember(document, schema) {
  if (kindOf(schema) === "array") {
    const items = schema.items ?? {};
    return kindOf(merged(document, items)) === "object" ? objectType(document, items) : null;
  }
  if (kindOf(schema) !== "object") return null;
  return schema["x-type"] && document.components.schemas[schema["x-type"]]
    ? objectType(document, { $ref: `#/components/schemas/${schema["x-type"]}` })
    : objectType(document, schema);
}

/**
 * @param {ObjectType} type
 * @returns {Lifecycle | null}
 */
export function lifecycleOf(type) {
  for (const [member, schema] of type.members) {
    const table = schema["x-lifecycle"];
    if (table) return { member, states: schema.enum ?? [], initial: table.initial, transitions: table.transitions };
  }
  return null;
}

/** Whether the type is an amount with its currency. @param {ObjectType | null} type */
export function isMoney(type) {
  return !!type && type.members.has("unit") && type.members.get("value")?.type === "number" && !type.members.has("name");
}

/** Whether the type is a period. @param {ObjectType | null} type */
export function isPeriod(type) {
  return !!type && type.members.has("startDateTime") && type.members.has("endDateTime");
}

/** Whether the type refers to an entity of another API. @param {ObjectType | null} type */
export function isReference(type) {
  return !!type && type.members.has("@referredType") && type.members.has("id");
}

/** Whether the type is a party that plays a role. @param {ObjectType | null} type */
export function isParty(type) {
  return isReference(type) && !!type && type.members.has("role") && type.members.has("name");
}

/** Whether the type is a price: amounts with and without tax below `price`. */
export function isPriced(/** @type {any} */ document, /** @type {ObjectType | null} */ type) {
  const price = type?.members.get("price");
  const amounts = price && typeOfMember(document, price);
  return !!amounts && amounts.members.has("taxIncludedAmount");
}
