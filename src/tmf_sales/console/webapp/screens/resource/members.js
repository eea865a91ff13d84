/** Finds the lists of a resource by what its contract says of their elements. */
import { typeOfMember } from "../../lib/contract.js";

/** @typedef {import("../../lib/types").Resource} Resource */
/** @typedef {import("../../lib/types").ObjectType} ObjectType */

/**
 * The lists whose elements' type fits.
 * @param {Resource} resource
 * @param {(type: ObjectType | null) => boolean} fits
 */
export function membersWhere(resource, fits) {
  const { document } = resource.api;
  return [...resource.type.members].filter(([, schema]) => schema.items && fits(typeOfMember(document, schema))).map(([name]) => name);
}

/** Lists whose elements have lists of the same type: items within items. @param {Resource} resource */
export function treeMembers(resource) {
  return membersWhere(resource, (type) => !!type && [...type.members.values()].some((schema) => schema.items && typeOfMember(resource.api.document, schema)?.name === type.name && type.name !== ""));
}

/** @param {Resource} resource */
export const noteMembers = (resource) => membersWhere(resource, (type) => !!type && type.members.has("text") && type.members.has("author"));

/** @param {Resource} resource */
export const attachmentMembers = (resource) => membersWhere(resource, (type) => !!type && type.members.has("attachmentType"));
