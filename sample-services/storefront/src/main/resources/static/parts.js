// What all parts of the page use. Answers are inserted as text, never as markup.

const PATIENCE = 10000;

export const by = (id) => document.getElementById(id);

export function element(name, content = "", className = "") {
  const made = document.createElement(name);
  made.append(...[content].flat());
  made.className = className;
  return made;
}

export function button(text, className, action) {
  const made = element("button", text, className);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

export function money(cents, currency = "EUR") {
  return new Intl.NumberFormat("en", { style: "currency", currency }).format(cents / 100);
}

export const short = (orderId) => orderId.slice(0, 8);

export function duration(seconds) {
  if (seconds < 1) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  if (seconds < 120) {
    return `${Math.round(seconds)} s`;
  }
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** Calls the function only if the value has changed, because the old elements may have the focus or be read aloud. */
export function show(place, value, replace) {
  const key = JSON.stringify(value);
  if (place.dataset.shows !== key) {
    place.dataset.shows = key;
    replace();
  }
}

/** A screen reader announces each change, so the same text is not repeated. */
export function say(place, text) {
  if (place.textContent !== text) {
    place.textContent = text;
  }
}

export function tell(place, fault) {
  say(place, fault ? fault.message : "");
  place.hidden = !fault;
}

// ---- Requests ----

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function ask(path, body) {
  const request = body === undefined
    ? { signal: AbortSignal.timeout(PATIENCE) }
    : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new Refusal(0, "Cannot reach the storefront. The data below may be out of date. Retrying every second.");
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Refusal(response.status, problem.detail || problem.title || `The storefront answered ${response.status}.`);
  }
  return response;
}

export const read = async (path) => (await ask(path)).json();

/** The faults of the tasks that failed in their last run. */
export const faults = new Map();

export async function attempt(task) {
  try {
    await task();
    faults.delete(task);
  } catch (fault) {
    faults.set(task, fault);
  }
}

/** Runs a task repeatedly, with a pause after each run; skips it while the page is hidden. */
export async function keep(task, pause) {
  if (!document.hidden) {
    await attempt(task);
  }
  setTimeout(keep, pause, task, pause);
}
