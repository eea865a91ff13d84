/** The head of a screen: its path, its title, what it says about itself, and its actions. */
import { html, useEffect } from "../lib/html.js";

/** @param {{title: any, name?: string, trail?: any, sub?: any, actions?: any}} props */
export function PageHead({ title, name, trail, sub, actions }) {
  useEffect(() => {
    document.title = `${name ?? title} - tmf-sales console`;
  }, [name, title]);
  return html`<div class="page-head">
    ${trail && html`<p class="trail">${trail}</p>`}
    <div class="row">
      <h1 tabindex="-1">${title}</h1>
      ${actions && html`<div class="actions">${actions}</div>`}
    </div>
    ${sub && html`<p class="sub" role="status">${sub}</p>`}
  </div>`;
}
