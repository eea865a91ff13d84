/** Home: health, and for each API its resources by state, open value, what runs out, last events, troubled subscriptions. */
import { html } from "../lib/html.js";
import { PageHead } from "../parts/page_head.js";
import { LastEvents, Trouble } from "./home/activity.js";
import { OpenValue, amountMember } from "./home/open_value.js";
import { RunningOut, validity } from "./home/running_out.js";
import { ServiceHealth } from "./home/service_health.js";
import { States } from "./home/states.js";

/** @param {import("../lib/types").ScreenProps} props */
export default function HomeScreen({ app }) {
  return html`<${PageHead} title="Home" />
    <${ServiceHealth} prefix=${app.description.prefix} />
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
