/** The fields of an object, made of its contract: required ones first, the rest when they have a value or are added. */
import { kindOf, typeOfMember } from "../lib/contract.js";
import { emptyValue } from "../lib/form_values.js";
import { html } from "../lib/html.js";
import { words } from "../lib/words.js";
import { Scalar } from "./scalar_field.js";

/** @typedef {import("../lib/types").ObjectType} ObjectType */
/** @typedef {import("../lib/types").Schema} Schema */

/**
 * @typedef {object} Place
 * @property {any} document the contract
 * @property {Map<string, string>} violations by JSON Pointer
 * @property {Set<string>} [hidden] members of the whole document that have no field
 * @property {(path: string, name: string, schema: Schema) => boolean} [prominent] whether an optional member has a field at once
 */

/** @param {{place: Place, type: ObjectType, value: Record<string, any>, path: string, change: (next: any) => void}} props */
export function Fields({ place, type, value, path, change }) {
  const offered = [...type.members].filter(([name, schema]) => !schema.readOnly && name !== "href" && !(path === "" && place.hidden?.has(name)));
  const pattern = path.slice(1).replace(/\/\d+(?=\/|$)/g, "").replace(/\//g, ".");
  const isProminent = (/** @type {string} */ name) => place.prominent?.(pattern, name, type.members.get(name) ?? {}) ?? false;
  const has = (/** @type {string} */ name) => type.required.has(name) || value[name] !== undefined || isProminent(name);
  const shown = offered.filter(([name]) => has(name)).sort(([a], [b]) => Number(type.required.has(b)) - Number(type.required.has(a)));
  const absent = offered.filter(([name]) => !has(name)).sort(([a], [b]) => Number(a.startsWith("@")) - Number(b.startsWith("@")));
  /** @param {string} name @param {any} next */
  const set = (name, next) => {
    const { [name]: _, ...rest } = value;
    change(next === undefined || (next === "" && isProminent(name) && !type.required.has(name)) ? rest : { ...value, [name]: next });
  };
  /** @param {any} event */
  const add = (event) => {
    const name = event.target.value;
    event.target.value = "";
    if (name) set(name, emptyValue(place.document, type.members.get(name) ?? {}));
  };
  return html`<div class="fields">
    ${shown.map(([name, schema]) => html`<${Field} key=${name} place=${place} name=${name} schema=${schema} required=${type.required.has(name)} value=${value[name]} path=${`${path}/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`} change=${(/** @type {any} */ next) => set(name, next)} />`)}
    ${absent.length > 0 && html`<select class="add" aria-label="Add an attribute${path && ` to ${path}`}" onChange=${add}>
      <option value="">+ attribute</option>
      ${absent.map(([name, schema]) => html`<option key=${name} value=${name}>${name}${schema.description ? `: ${schema.description}` : ""}</option>`)}
    </select>`}
  </div>`;
}

/** @param {{place: Place, name: string, schema: Schema, required: boolean, value: any, path: string, change: (next: any) => void}} props */
function Field({ place, name, schema, required, value, path, change }) {
  const kind = kindOf(schema);
  const type = typeOfMember(place.document, schema);
  const violation = place.violations.get(path);
  const title = html`${words(name)}${required && html` <span class="quiet">(required)</span>`}`;
  const remove = !required && value !== undefined && html`<button type="button" class="plain" aria-label="Remove ${path}" onClick=${() => change(undefined)}>✕</button>`;
  if (kind === "array") return html`<${Elements} place=${place} title=${title} name=${name} schema=${schema} value=${Array.isArray(value) ? value : []} path=${path} change=${change} remove=${remove} violation=${violation} />`;
  if (type) {
    return html`<fieldset id=${path} class=${violation ? "invalid" : ""}>
      <legend>${title} ${remove}</legend>
      ${violation && html`<p class="violation">${violation}</p>`}
      <${Fields} place=${place} type=${type} value=${value ?? {}} path=${path} change=${change} />
    </fieldset>`;
  }
  return html`<${Scalar} title=${title} schema=${schema} value=${value} path=${path} required=${required} violation=${violation} change=${change} remove=${remove} />`;
}

/** @param {{place: Place, title: any, name: string, schema: Schema, value: any[], path: string, change: (next: any) => void, remove: any, violation?: string}} props */
function Elements({ place, title, name, schema, value, path, change, remove, violation }) {
  const type = typeOfMember(place.document, schema);
  /** @param {number} at @param {any} next */
  const set = (at, next) => change(value.map((each, index) => (index === at ? next : each)));
  const [added] = emptyValue(place.document, schema);
  return html`<fieldset id=${path} class=${violation ? "invalid" : ""}>
    <legend>${title} ${remove}</legend>
    ${violation && html`<p class="violation">${violation}</p>`}
    ${value.map((each, at) => html`<div class="element" key=${at} id=${`${path}/${at}`}>
      <div class="row"><span class="quiet grow">${words(name)} ${at + 1}</span>
        <button type="button" class="plain" aria-label="Remove ${path}/${at}" onClick=${() => change(value.filter((_, index) => index !== at))}>✕</button></div>
      ${place.violations.has(`${path}/${at}`) && html`<p class="violation">${place.violations.get(`${path}/${at}`)}</p>`}
      ${type
        ? html`<${Fields} place=${place} type=${type} value=${each ?? {}} path=${`${path}/${at}`} change=${(/** @type {any} */ next) => set(at, next)} />`
        : html`<${Scalar} title=${words(name)} schema=${schema.items ?? {}} value=${each} path=${`${path}/${at}`} violation=${place.violations.get(`${path}/${at}`)} change=${(/** @type {any} */ next) => set(at, next)} />`}
    </div>`)}
    <button type="button" class="plain" onClick=${() => change([...value, added])}>+ ${words(name).toLowerCase()}</button>
  </fieldset>`;
}
