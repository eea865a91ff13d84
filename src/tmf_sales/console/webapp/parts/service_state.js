/** Whether the service is ready, as its probe says; asked again every half minute while the page is visible. */
import { html, useEffect, useState } from "../lib/html.js";

const EVERY = 30_000;

/** @param {{prefix: string}} props */
export function ServiceState({ prefix }) {
  const [ready, setReady] = useState(/** @type {boolean | null} */ (null));
  useEffect(() => {
    const ask = async () => {
      if (document.hidden) return;
      const answer = await fetch(`${prefix}/ready`).catch(() => null);
      setReady(answer?.ok ?? false);
    };
    ask();
    const timer = setInterval(ask, EVERY);
    return () => clearInterval(timer);
  }, [prefix]);
  if (ready === null) return null;
  return html`<span class="state"><i class="dot ${ready ? "good" : "bad"}"></i>${ready ? "ready" : "not ready"}</span>`;
}
