/** Home: for each API its resources by state. */
import { html } from "../lib/html.js";
import { PageHead } from "../parts/page_head.js";

/** @param {import("../lib/types").ScreenProps} props */
export default function HomeScreen({ app }) {
  return html`<${PageHead} title="Home" />
    <div class="cards">${app.apis.map((api) => html`<section class="card" key=${api.name}><h2>${api.title}</h2></section>`)}</div>`;
}
