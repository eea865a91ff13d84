/** What the policy lets the caller do, so that screens offer no action that would be rejected. */
import { send } from "./client.js";
import { createStore } from "./store.js";

/** The answer of /permissions, or null while it is not known. */
export const permissions = createStore(/** @type {any} */ (null));

/** @param {string} prefix */
export async function readPermissions(prefix) {
  permissions.set(null);
  const answer = await send("GET", `${prefix}/permissions`, { quiet: true }).catch(() => null); // then all actions are offered
  permissions.set(answer?.body ?? null);
}

/**
 * Whether to offer an operation: the contract has it, and no policy forbids it to the caller.
 * @param {any} known the value of `permissions`
 * @param {import("./types").Resource} resource
 * @param {string} verb
 */
export function mayDo(known, resource, verb) {
  return !!resource.operations[verb] && operationOf(known, resource, verb)?.allowed !== false;
}

/**
 * The states that the caller may move a resource to: those of the lifecycle, within what the policy grants.
 * @param {any} known
 * @param {import("./types").Resource} resource
 * @param {string} current
 * @returns {string[]}
 */
export function reachableStates(known, resource, current) {
  const next = resource.lifecycle?.transitions[current] ?? [];
  if (!mayDo(known, resource, "patch")) return [];
  const grants = operationOf(known, resource, "patch")?.grants ?? [];
  return grants.length ? next.filter((state) => grants.some((/** @type {any} */ grant) => grantsTransition(grant, resource, current, state))) : next;
}

/**
 * Whether a row of the policy lets the caller move a resource from one state to another.
 * @param {any} grant
 * @param {import("./types").Resource} resource
 * @param {string} from
 * @param {string} to
 */
function grantsTransition(grant, resource, from, to) {
  if (grant.states && !grant.states.includes(from)) return false;
  if (grant.transitions) return grant.transitions.some((/** @type {any} */ each) => each.from === from && each.to === to);
  return !grant.changes || grant.changes.includes(resource.lifecycle?.member);
}

/**
 * @param {any} known
 * @param {import("./types").Resource} resource
 * @param {string} verb
 */
function operationOf(known, resource, verb) {
  const api = known?.apis.find((/** @type {any} */ each) => each.name === resource.api.name);
  return api?.operations.find((/** @type {any} */ each) => each.operationId === resource.operations[verb]?.operationId);
}
