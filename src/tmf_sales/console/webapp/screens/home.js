/** Home: for each API its resources by state, what is open and runs out, the last events, subscriptions in trouble. */
import { html } from "../lib/html.js";
import { PageHead } from "../parts/page_head.js";
import { LastEvents, Trouble } from "./home/activity.js";
import { OpenValue, amountMember } from "./home/open_value.js";
import { RunningOut, validity } from "./home/running_out.js";
import { States } from "./home/states.js";

/** @param {import("../lib/types").ScreenProps} props */
export default function HomeScreen({ app }) {
  return html`<${PageHead} title="Home" />
    ${app.apis.map(
      (api) => html`<section key=${api.name} class="api">
        <h2 class="api-title">${api.title}</h2>
        <div class="cards">
          ${api.resources.filter((resource) => resource.operations.list).map((resource) => {
            const [amounts, period] = [amountMember(resource), validity(resource)];
            return html`<${States} key=${resource.noun} resource=${resource} />
              ${amounts && resource.lifecycle && html`<${OpenValue} resource=${resource} member=${amounts} />`}
              ${period && resource.lifecycle && html`<${RunningOut} resource=${resource} member=${period} />`}`;
          })}
          ${api.document.paths["/event"] && html`<${LastEvents} api=${api} />`}
          ${api.document.paths["/hub"] && html`<${Trouble} api=${api} />`}
        </div>
      </section>`,
    )}`;
}
