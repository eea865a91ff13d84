/** The path of one resource, and of one of its versions. */

/**
 * The last segment of the URL of a document; a versioned resource is named with its version.
 * @param {import("./types").Resource} resource
 * @param {any} item
 */
export function versionPath(resource, item) {
  const version = resource.versionMember && item[resource.versionMember];
  return version ? `${encodeURIComponent(item.id)}:(version=${encodeURIComponent(version)})` : encodeURIComponent(item.id);
}

/**
 * The same for links of the console, which encode it themselves.
 * @param {import("./types").Resource} resource
 * @param {any} item
 */
export function versionSegment(resource, item) {
  const version = resource.versionMember && item[resource.versionMember];
  return version ? `${item.id}:(version=${version})` : item.id;
}

/** A segment of the console's address as the API's path has it: the version in its own syntax. @param {string} segment */
export function apiPath(segment) {
  return encodeURIComponent(segment).replace(/%3A\(version%3D(.*)\)$/i, ":(version=$1)");
}
