/** A document as a form and as JSON beside it; each follows the other. */
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Fields } from "./fields.js";

/** @typedef {import("../lib/types").ObjectType} ObjectType */

/** @param {{document: any, type: ObjectType, value: Record<string, any>, violations: Map<string, string>, hidden?: Set<string>, prominent?: import("./fields.js").Place["prominent"], change: (next: any) => void}} props */
export function DocumentEditor({ document, type, value, violations, hidden, prominent, change }) {
  return html`<div class="editor">
    <div class="card">
      <${Fields} place=${{ document, violations, hidden, prominent }} type=${type} value=${value} path="" change=${change} />
    </div>
    <${AsJson} value=${value} change=${change} />
  </div>`;
}

/** @param {{value: any, change: (next: any) => void}} props */
function AsJson({ value, change }) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [fault, setFault] = useState("");
  const own = useRef(value);
  useEffect(() => {
    if (own.current === value) return;
    own.current = value;
    setText(JSON.stringify(value, null, 2));
    setFault("");
  }, [value]);
  /** @param {any} event */
  const read = (event) => {
    setText(event.target.value);
    try {
      const next = JSON.parse(event.target.value);
      if (next === null || typeof next !== "object" || Array.isArray(next)) throw new SyntaxError("expected an object");
      own.current = next;
      setFault("");
      change(next);
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<div class="card json">
    <label for="as-json">As JSON</label>
    <textarea id="as-json" class="mono" spellcheck=${false} value=${text} aria-invalid=${fault ? "true" : undefined} onInput=${read}></textarea>
    ${fault && html`<p class="violation" role="status">Not valid JSON, so the form keeps its values: ${fault}</p>`}
  </div>`;
}
