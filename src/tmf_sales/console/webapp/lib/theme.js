/** Light, dark, or what the system prefers; remembered by the browser. */
import { createStore } from "./store.js";

const KEY = "tmf-sales-theme";
const ORDER = ["system", "light", "dark"];

export const theme = createStore(localStorage.getItem(KEY) ?? "system");

export function applyTheme() {
  const chosen = theme.get();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

export function nextTheme() {
  const next = ORDER[(ORDER.indexOf(theme.get()) + 1) % ORDER.length];
  localStorage.setItem(KEY, next);
  theme.set(next);
  applyTheme();
}
