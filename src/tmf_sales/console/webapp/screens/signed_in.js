/** Where the issuer returns to: exchanges the code for tokens, then goes on where the sign-in began. */
import { html, useEffect, useState } from "../lib/html.js";
import { endSignIn } from "../lib/oidc.js";
import { linkTo, navigate } from "../lib/router.js";
import { PageHead } from "../parts/page_head.js";
import { Problem } from "../parts/problem.js";

/** @param {import("../lib/types").ScreenProps} props */
export default function SignedInScreen({ app, query }) {
  const { issuer, clientId } = app.description.signIn;
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    endSignIn({ issuer: issuer ?? "", clientId: clientId ?? "" }, query).then(
      (address) => navigate(address, { replace: true }),
      setError,
    );
  }, []);
  if (!error) return html`<p class="quiet" role="status">Signing in</p>`;
  return html`<${PageHead} title="Sign-in failed" />
    <${Problem} error=${error} />
    <p><a href=${linkTo(["sign-in"])}>Try again</a></p>`;
}
