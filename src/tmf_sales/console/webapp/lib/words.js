/** Words that people read, made of the contract's names. */

/** "SalesLead" and "salesLead" are "Sales lead". @param {string} name */
export function words(name) {
  const text = name.replace(/^@/, "").replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/_/g, " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {string} text */
export function plural(text) {
  if (/[^aeiou]y$/.test(text)) return text.replace(/y$/, "ies");
  return /(s|x|ch|sh)$/.test(text) ? `${text}es` : `${text}s`;
}
