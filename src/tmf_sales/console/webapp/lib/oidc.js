/** OpenID Connect: authorization code with PKCE (RFC 7636), with the endpoints that the issuer publishes. */
import { keepSession, session, signIn } from "./session.js";

/** @typedef {{issuer: string, clientId: string}} Client */

const PENDING = "tmf-sales-sign-in";

/** @param {string} issuer */
async function endpoints(issuer) {
  const response = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (!response.ok) throw new Error(`The issuer answered ${response.status}`);
  return response.json();
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/**
 * Leave for the issuer's page; it returns to `returnTo`, an address of the console.
 * @param {Client} client
 * @param {string} redirect
 * @param {string} returnTo
 */
export async function beginSignIn(client, redirect, returnTo) {
  const { authorization_endpoint: endpoint } = await endpoints(client.issuer);
  const verifier = random();
  const state = random();
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  sessionStorage.setItem(PENDING, JSON.stringify({ verifier, state, redirect, returnTo }));
  const asked = new URL(endpoint);
  for (const [name, value] of Object.entries({
    response_type: "code",
    client_id: client.clientId,
    redirect_uri: redirect,
    scope: "openid profile",
    state,
    code_challenge: base64url(new Uint8Array(challenge)),
    code_challenge_method: "S256",
  })) {
    asked.searchParams.set(name, value);
  }
  location.assign(asked);
}

/**
 * Exchange the code in the query for tokens; return the address to go on with.
 * @param {Client} client
 * @param {string} query
 * @returns {Promise<string>}
 */
export async function endSignIn(client, query) {
  const given = new URLSearchParams(query);
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  sessionStorage.removeItem(PENDING);
  if (given.get("error")) throw new Error(given.get("error_description") ?? given.get("error") ?? "");
  if (!pending || given.get("state") !== pending.state) throw new Error("This sign-in was not started in this tab");
  const answer = await fetchTokens(client, {
    grant_type: "authorization_code",
    code: given.get("code") ?? "",
    redirect_uri: pending.redirect,
    code_verifier: pending.verifier,
  });
  signIn({ kind: "token", name: nameIn(answer.id_token) ?? nameIn(answer.access_token) ?? "somebody", ...tokensOf(answer) });
  return pending.returnTo;
}

/**
 * Get a new access token. If the issuer gives none, the old one is used until the service rejects it.
 * @param {Client} client
 * @param {import("./session.js").Session} current
 */
export async function refresh(client, current) {
  const { refreshToken, ...old } = current;
  const renewed = await fetchTokens(client, { grant_type: "refresh_token", refresh_token: refreshToken ?? "" }).then(
    (answer) => ({ ...current, ...tokensOf(answer) }),
    () => old,
  );
  if (session.get() === current) keepSession(renewed); // unless people signed out meanwhile
}

/**
 * @param {Client} client
 * @param {Record<string, string>} grant
 */
async function fetchTokens(client, grant) {
  const { token_endpoint: endpoint } = await endpoints(client.issuer);
  const body = new URLSearchParams({ client_id: client.clientId, ...grant });
  const response = await fetch(endpoint, { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error_description ?? answer.error ?? `The issuer answered ${response.status}`);
  return answer;
}

/** @param {any} answer of the token endpoint */
function tokensOf({ access_token: value, refresh_token: refreshToken, expires_in: seconds }) {
  const expires = typeof seconds === "number" ? Date.now() + seconds * 1000 : undefined;
  return { value, expires, ...(refreshToken ? { refreshToken } : {}) };
}

/**
 * The name in a token, for the header of the page only; the service verifies tokens.
 * @param {string | undefined} token
 * @returns {string | null}
 */
export function nameIn(token) {
  try {
    const text = atob((token ?? "").split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    return claims.name ?? claims.preferred_username ?? claims.sub ?? null;
  } catch {
    return null;
  }
}
