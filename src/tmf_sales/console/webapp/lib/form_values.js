/** What a form begins with: the members that the contract requires, or a stored document without what may not be sent. */
import { kindOf, objectType, typeOfMember } from "./contract.js";

/** @typedef {import("./types").Schema} Schema */
/** @typedef {import("./types").ObjectType} ObjectType */

/**
 * An object with every required member, empty; a list that needs elements has one.
 * @param {any} document
 * @param {ObjectType} type
 * @returns {Record<string, any>}
 */
export function emptyObject(document, type) {
  /** @type {Record<string, any>} */
  const made = {};
  for (const name of type.required) {
    const schema = type.members.get(name);
    if (schema && !schema.readOnly) made[name] = emptyValue(document, schema);
  }
  return made;
}

/**
 * @param {any} document
 * @param {Schema} schema
 * @returns {any}
 */
export function emptyValue(document, schema) {
  const kind = kindOf(schema);
  const type = typeOfMember(document, schema);
  if (kind === "array") return [type ? emptyObject(document, type) : emptyValue(document, schema.items ?? {})];
  if (type) return emptyObject(document, type);
  if (kind === "boolean") return false;
  if (kind === "integer" || kind === "number") return schema["x-default"] ?? schema.minimum ?? 0;
  return schema.enum?.length === 1 ? schema.enum[0] : "";
}

/**
 * A copy of what may be sent: without read-only members and without states that a new object cannot have.
 * @param {any} document
 * @param {ObjectType} type
 * @param {Record<string, any>} value
 * @returns {Record<string, any>}
 */
export function sendable(document, type, value) {
  /** @type {Record<string, any>} */
  const kept = {};
  for (const [name, member] of Object.entries(value)) {
    const schema = type.members.get(name);
    if (schema?.readOnly || name === "href" || (schema?.enum && !schema.enum.includes(member))) continue;
    const below = schema && typeOfMember(document, schema);
    if (below && Array.isArray(member)) kept[name] = member.map((each) => sendable(document, below, each));
    else if (below && member && typeof member === "object") kept[name] = sendable(document, below, member);
    else kept[name] = member;
  }
  return kept;
}

/** @param {any} document @param {Schema} schema */
export const elementType = (document, schema) => (schema.items ? objectType(document, schema.items) : null);

/** "1" becomes "2", "1.2" becomes "1.3". @param {string} version */
export function nextVersion(version) {
  const parts = version.split(".");
  return [...parts.slice(0, -1), String(Number(parts.at(-1)) + 1)].join(".");
}

/**
 * The optional members that a new resource's form offers at once: its name, what it is searched by, and defaults that
 * people see and change.
 * @param {import("./types").Resource} resource
 * @returns {(path: string, name: string, schema: Schema) => boolean}
 */
export function prominentIn(resource) {
  const indexed = new Set(resource.indexes.flatMap((path) => [path.split(".")[0], path.split(".").slice(0, 2).join(".")]));
  return (path, name, schema) => {
    if (schema.type === "array" || name.startsWith("@") || name === resource.versionMember || schema["x-lifecycle"]) return false;
    if (path === "") return ["name", "description"].includes(name) || schema.enum !== undefined || indexed.has(name);
    return indexed.has(`${path}.${name}`) || (["number", "integer"].includes(schema.type ?? "") && schema["x-default"] !== undefined);
  };
}
