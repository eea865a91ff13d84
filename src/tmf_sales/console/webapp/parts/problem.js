/** An error in words: what is wrong, where, and what to do. */
import { html } from "../lib/html.js";
import { ApiError } from "../lib/client.js";

const ADVICE = /** @type {Record<number, string>} */ ({
  401: "Sign in to go on.",
  403: "Your permissions do not allow it. Ask an administrator of the service.",
  404: "It does not exist, or your permissions hide it.",
  429: "You sent too many requests. Wait a moment, then try again.",
  503: "The service is busy or its store is away. Try again in a moment.",
});

/** @param {{error: any, retry?: () => void}} props */
export function Problem({ error, retry }) {
  const known = error instanceof ApiError;
  return html`<div class="problem" role="alert">
    <strong>${known && error.reason ? error.reason : "Something went wrong"}</strong>
    <p>${known ? error.detail : String(error?.message ?? error)}</p>
    ${known && ADVICE[error.status] && html`<p>${ADVICE[error.status]}</p>`}
    ${known && error.status > 0 && html`<p class="quiet">Status ${error.status}${error.code && html`, code <code>${error.code}</code>`}</p>`}
    ${retry && html`<button type="button" onClick=${retry}>Try again</button>`}
  </div>`;
}
