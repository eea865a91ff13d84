/** A modal dialog: the browser keeps the focus inside, Escape closes it. */
import { html, useEffect, useRef } from "../lib/html.js";

/** @param {{title: string, close: () => void, wide?: boolean, children?: any}} props */
export function Dialog({ title, close, wide = false, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-label=${title} onClose=${close}>
    <header>
      <h2>${title}</h2>
      <button type="button" class="plain" aria-label="Close" onClick=${close}>✕</button>
    </header>
    ${children}
  </dialog>`;
}
