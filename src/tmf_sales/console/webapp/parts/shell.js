/** The frame of every screen: header, navigation, sign-in, and the requests that the screen made. */
import { count, requests } from "../lib/client.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { useLoaded } from "../lib/loading.js";
import { readPermissions } from "../lib/permissions.js";
import { linkTo, matchPath, navigate, place } from "../lib/router.js";
import { session, signInNeeded, signOut } from "../lib/session.js";
import { useStore } from "../lib/store.js";
import { nextTheme, theme } from "../lib/theme.js";
import { SCREENS, navigation } from "../screens.js";
import { CurlBar } from "./curl_bar.js";
import { Problem } from "./problem.js";
import { ServiceState } from "./service_state.js";

/** @typedef {import("../lib/types").App} App */

/** @param {{app: App}} props */
export function Shell({ app }) {
  const { path, query } = useStore(place);
  const [menuOpen, setMenuOpen] = useState(false);
  const needed = useStore(signInNeeded);
  const caller = useStore(session);
  const mustSignIn = needed || (app.description.signIn.required && !caller);
  useEffect(() => setMenuOpen(false), [path, query]);
  useEffect(() => void (mustSignIn || readPermissions(app.description.prefix)), [mustSignIn, caller?.begun]);
  return html`<div class="shell">
    <a class="skip" href="#main">Skip to the content</a>
    <${Header} app=${app} menuOpen=${menuOpen} toggleMenu=${() => setMenuOpen(!menuOpen)} />
    <${Navigation} app=${app} path=${path} open=${menuOpen} locked=${mustSignIn} key=${caller?.begun ?? ""} />
    <main id="main" tabindex="-1">
      <${CurrentScreen} app=${app} path=${mustSignIn && path !== "signed-in" ? "sign-in" : path} query=${query} key=${caller?.begun ?? ""} />
      <${CurlBar} />
    </main>
  </div>`;
}

/** @param {{app: App, menuOpen: boolean, toggleMenu: () => void}} props */
function Header({ app, menuOpen, toggleMenu }) {
  const caller = useStore(session);
  const chosen = useStore(theme);
  /** @param {SubmitEvent} event */
  const find = (event) => {
    event.preventDefault();
    const text = new FormData(/** @type {HTMLFormElement} */ (event.target)).get("text");
    if (text) navigate(linkTo(["find"], `text=${encodeURIComponent(String(text))}`));
  };
  return html`<header class="top">
    <button type="button" class="menu" aria-expanded=${menuOpen} aria-controls="navigation" onClick=${toggleMenu}>Menu</button>
    <a class="brand" href=${linkTo([])}>tmf-sales</a>
    <form role="search" onSubmit=${find}>
      <input type="search" name="text" aria-label="Find by id, name, party or external id" placeholder="Find by id, name, party or external id" />
    </form>
    ${caller
      ? html`<span class="caller">signed in as ${caller.name}</span> <button type="button" class="plain" onClick=${signOut}>Sign out</button>`
      : app.description.signIn.required
        ? html`<a class="caller" href=${linkTo(["sign-in"])}>Sign in</a>`
        : html`<span class="caller">no sign-in needed</span>`}
    <button type="button" class="plain" onClick=${nextTheme} aria-label="Colours: ${chosen}; change">${{ system: "◐", light: "☀", dark: "☾" }[chosen] ?? "◐"}</button>
    <${ServiceState} prefix=${app.description.prefix} />
  </header>`;
}

/** @param {{app: App, path: string, open: boolean, locked: boolean}} props */
function Navigation({ app, path, open, locked }) {
  return html`<nav id="navigation" class=${open ? "open" : ""} aria-label="Screens">
    ${navigation(app).map(
      (group) => html`${group.title && html`<h2>${group.title}</h2>`}
        <ul>
          ${group.links.map((link) => html`<li key=${link.path}><${NavLink} link=${link} path=${path} locked=${locked} /></li>`)}
        </ul>`,
    )}
  </nav>`;
}

/** @param {{link: import("../lib/types").NavigationLink, path: string, locked: boolean}} props */
function NavLink({ link, path, locked }) {
  const below = link.path.slice(linkTo([]).length);
  const current = below === path || (below !== "" && path.startsWith(`${below}/`));
  const { value } = useLoaded(async (signal) => (link.count && !locked ? count(link.count, { signal }) : null), [link.count, locked, current]);
  return html`<a href=${link.path} aria-current=${current ? "page" : undefined}>
    ${link.title} ${typeof value === "number" && html`<small>${value.toLocaleString("en-GB")}</small>`}
  </a>`;
}

/** @param {{app: App, path: string, query: string}} props */
function CurrentScreen({ app, path, query }) {
  const found = SCREENS.map((screen) => ({ screen, params: matchPath(screen.pattern, path) })).find(({ params }) => params);
  const pattern = found?.screen.pattern ?? "";
  const [loaded, setLoaded] = useState(/** @type {{pattern: string, component?: any, error?: any} | null} */ (null));
  const first = useRef(true);
  useEffect(() => {
    let wanted = true;
    requests.set([]);
    found?.screen.load().then(
      (module) => wanted && setLoaded({ pattern, component: module.default }),
      (error) => {
        console.error(error);
        if (wanted) setLoaded({ pattern, error });
      },
    );
    return () => void (wanted = false);
  }, [pattern]);
  useEffect(() => {
    if (first.current) first.current = false;
    else {
      requests.set([]);
      scrollTo(0, 0);
      document.getElementById("main")?.focus({ preventScroll: true });
    }
  }, [path]);
  if (!found?.params) return html`<${NotFound} />`;
  if (loaded?.pattern !== pattern) return html`<p class="quiet" role="status">Loading</p>`;
  if (loaded.error) return html`<${Problem} error="This screen could not be loaded; perhaps the service was updated." retry=${() => location.reload()} />`;
  return html`<${loaded.component} key=${path} app=${app} params=${found.params} query=${query} />`;
}

function NotFound() {
  return html`<h1>No such screen</h1>
    <p>The console has no screen at this address. <a href=${linkTo([])}>Go home</a>.</p>`;
}
