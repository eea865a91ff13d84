/** Sign-in: at the configured issuer, or with an API key that this tab alone keeps. */
import { html, useState } from "../lib/html.js";
import { beginSignIn, nameIn } from "../lib/oidc.js";
import { linkTo, navigate, place } from "../lib/router.js";
import { session, signIn, signInNeeded } from "../lib/session.js";
import { PageHead } from "../parts/page_head.js";
import { Problem } from "../parts/problem.js";

/** @param {import("../lib/types").ScreenProps} props */
export default function SignInScreen({ app }) {
  const { issuer, clientId } = app.description.signIn;
  const [error, setError] = useState(/** @type {any} */ (null));
  const again = signInNeeded.get() && session.get() !== null;

  const atIssuer = () => {
    const address = place.get().path === "sign-in" ? linkTo([]) : location.pathname + location.search;
    const redirect = new URL(linkTo(["signed-in"]), location.origin).href;
    beginSignIn({ issuer: issuer ?? "", clientId: clientId ?? "" }, redirect, address).catch(setError);
  };
  /** @param {SubmitEvent} event */
  const withKey = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const value = String(form.get("value") ?? "").trim();
    const isToken = form.get("kind") === "token";
    signIn({ kind: isToken ? "token" : "apiKey", value, name: isToken ? nameIn(value) ?? "token" : "API key" });
    if (place.get().path === "sign-in") navigate(linkTo([]), { replace: true });
  };

  return html`<${PageHead} title="Sign in" sub=${again ? "The service no longer accepts your credentials." : ""} />
    ${error && html`<${Problem} error=${error} />`}
    <div class="cards">
      ${issuer && clientId
        ? html`<section class="card">
            <h2>With your account</h2>
            <p>You go to <code>${issuer}</code> and come back signed in.</p>
            <button type="button" class="primary" onClick=${atIssuer}>Sign in</button>
          </section>`
        : null}
      <form class="card" onSubmit=${withKey}>
        <h2>With a key or token</h2>
        <p class="quiet">This tab keeps it until you close the tab or sign out.</p>
        <label>Kind
          <select name="kind"><option value="apiKey">API key</option><option value="token">Bearer token</option></select>
        </label>
        <label>Key or token <input name="value" type="password" autocomplete="off" required pattern="[!-~]+" title="Printable ASCII without spaces" /></label>
        <button type="submit" class=${issuer && clientId ? "" : "primary"}>Use it</button>
      </form>
    </div>`;
}
