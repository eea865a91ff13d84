/** Starts the console: reads its description and the contracts, then shows the screen of the address. */
import { ApiError, renewTokensWith } from "./lib/client.js";
import { readApi } from "./lib/contract.js";
import { html, render } from "./lib/html.js";
import { startRouter } from "./lib/router.js";
import { applyTheme } from "./lib/theme.js";
import { Problem } from "./parts/problem.js";
import { Shell } from "./parts/shell.js";

/** @typedef {import("./lib/types").ConsoleDescription} ConsoleDescription */

const root = /** @type {HTMLElement} */ (document.getElementById("console"));
const base = root.dataset.base ?? "/console";

/** @param {string} url */
async function load(url) {
  const response = await fetch(url);
  if (!response.ok) throw new ApiError(response.status, { reason: "The console cannot start", message: `${url} answered ${response.status}` });
  return response.json();
}

async function start() {
  applyTheme();
  startRouter(base);
  /** @type {ConsoleDescription} */
  const description = await load(`${base}/console.json`);
  const { issuer, clientId } = description.signIn;
  renewTokensWith(issuer && clientId ? { issuer, clientId } : null);
  const apis = await Promise.all(description.apis.map(async (api) => readApi(api, await load(api.contract))));
  /** @type {import("./lib/types").App} */
  const app = {
    description,
    apis,
    api: (name) => apis.find((api) => api.name === name),
    resource: (name, noun) => apis.find((api) => api.name === name)?.resources.find((each) => each.noun === noun),
  };
  render(html`<${Shell} app=${app} />`, root);
}

start().catch((error) => {
  console.error(error);
  render(html`<main><${Problem} error=${error} retry=${() => location.reload()} /></main>`, root);
});
