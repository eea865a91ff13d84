/** Conformance reports that this browser keeps: the last one of each API. */

const KEY = "tmf-sales-conformance";

/** @returns {Record<string, any>} */
export function keptReports() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {Record<string, any>} reports */
export function keepReports(reports) {
  localStorage.setItem(KEY, JSON.stringify(reports));
}

/**
 * A report of the checker; an Error that says what is wrong with any other text.
 * @param {string} text
 */
export function readReport(text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch (error) {
    throw new Error(`The file is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const missing = ["api", "profile", "started", "conforms", "totals", "chapters", "checks"].filter((name) => report?.[name] === undefined);
  if (missing.length) throw new Error(`The file is no report.json of tmf-sales conformance: it lacks ${missing.join(", ")}`);
  return report;
}

/** How to get a report of an API. @param {string} url of the API */
export const checkCommand = (url) => `tmf-sales conformance --url '${url}' --report conformance`;
