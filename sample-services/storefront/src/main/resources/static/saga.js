// An order: the steps of its saga as the view has them, and the way of each event from its outbox to the view.

import { button, by, duration, element, money, read, say, short, tell } from "./parts.js";
import { patternWords, showPattern } from "./patterns.js";
import { ownerOf } from "./publishing.js";

/** What a step is called, its kind, and the pattern that it shows. */
const STEPS = {
  OrderPlaced: ["Order placed", "said", "checkout"],
  StockReservationRequested: ["Requests stock reservation", "", "saga"],
  StockReserved: ["Stock reserved", "said", "stock"],
  StockRejected: ["Stock refused", "bad", "stock"],
  CreditReservationRequested: ["Requests credit reservation", "", "saga"],
  CreditReserved: ["Credit reserved", "said", "credit"],
  CreditRejected: ["Credit refused", "bad", "credit"],
  CreditReleaseRequested: ["Compensates: releases credit", "", "saga"],
  CreditReleased: ["Credit released", "said", "creditReleased"],
  StockReleaseRequested: ["Compensates: releases stock", "", "saga"],
  StockReleased: ["Stock released", "said", "stockReleased"],
  OrderConfirmed: ["Order confirmed", "good", "saga"],
  OrderRejected: ["Order rejected", "bad", "saga"],
  OrderPaid: ["Order paid", "good", "payment"],
  OrderCancelled: ["Order cancelled", "bad", "saga"],
};

/** A saga without a refusal, shown until there is an order. */
const EXPECTED = [
  ["OrderPlaced", "orders"],
  ["StockReservationRequested", "orders"],
  ["StockReserved", "products"],
  ["CreditReservationRequested", "orders"],
  ["CreditReserved", "customers"],
  ["OrderConfirmed", "orders"],
].map(([event, service]) => ({ event_id: event, event, service }));

const STATES = {
  awaiting_stock: ["waiting for stock", ""],
  awaiting_credit: ["waiting for credit", ""],
  releasing_stock: ["compensating", ""],
  releasing_credit: ["compensating", ""],
  confirmed: ["confirmed", "good"],
  paid: ["paid", "good"],
  rejected: ["rejected", "bad"],
  cancelled: ["cancelled", "bad"],
};

export const NOT_ARRIVED = "not yet arrived";

export const stateWords = (state) => (STATES[state] || [state])[0];

const REASONS = {
  OUT_OF_STOCK: "not enough in stock",
  UNKNOWN_PRODUCT: "unknown product",
  CREDIT_EXCEEDED: "not enough credit",
  UNKNOWN_CUSTOMER: "unknown customer",
  ALREADY_RELEASED: "already released",
  TIMED_OUT: "timed out",
};

let watched = null;
let order = null;
let told = [];
let shownState = null;

export const watchedOrder = () => watched;

/** Shows an order from now on, null for none; the text is shown until the view has the order. */
export function watch(orderId, summary = "") {
  watched = orderId;
  order = null;
  told = [];
  shownState = null;
  by("saga-title").textContent = orderId === null ? "The saga of an order" : `Order ${short(orderId)}`;
  by("state").textContent = orderId === null ? "no order yet" : NOT_ARRIVED;
  by("state").className = orderId === null ? "state none" : "state";
  by("summary").textContent = orderId === null ? "Place an order, or choose one under Customers by region." : summary;
  by("steps").ariaLive = orderId === null ? "off" : "polite";
  by("steps").replaceChildren();
  by("composed").replaceChildren();
  by("payment-form").hidden = true;
  by("owners").hidden = orderId === null;
  tell(by("saga-fault"));
  showSteps();
}

/** What the view has. */
export async function showOrder() {
  const orderId = watched;
  if (orderId === null) {
    return;
  }
  let found;
  try {
    found = await read(`orders/${orderId}/timeline`);
  } catch (fault) {
    if (fault.status === 404) {
      return;
    }
    throw fault;
  }
  if (orderId !== watched) {
    return;
  }
  order = found;
  showSteps();
  showState();
  if (order.state !== shownState) {
    shownState = order.state;
    await showOwners();
  }
}

/** What the services tell of their events, also of those that have not arrived. */
export async function showWays() {
  const orderId = watched;
  if (orderId === null) {
    return;
  }
  const events = (await read(`orders/${orderId}/events`)).events;
  if (orderId === watched) {
    told = events;
    showSteps();
  }
}

function showState() {
  const [text, kind] = STATES[order.state] || [order.state, ""];
  by("state").textContent = order.reason ? `${text}: ${REASONS[order.reason] || order.reason}` : text;
  by("state").className = `state ${kind}`;
  const lines = order.lines.map((line) => `${line.quantity} × ${line.name}`).join(", ");
  if (order.amount_cents !== null) {
    by("summary").textContent =
      summaryOf(lines, order.customer_id, money(order.amount_cents, order.currency));
  }
  const pay = by("payment-form");
  if (!pay.hidden && order.state !== "confirmed" && pay.contains(document.activeElement)) {
    by("saga-title").focus();
  }
  pay.hidden = order.state !== "confirmed";
}

let customerName = () => undefined;

/** How to find the name of a customer. */
export function namesFrom(find) {
  customerName = find;
}

export function summaryOf(lines, customerId, amount) {
  const name = customerName(customerId);
  return `${lines}${name ? ` for ${name}` : ""}, ${amount}`;
}

// ---- Steps ----

/** The steps of the view, then the events that have not arrived. Only new steps are inserted, so that a screen reader
    announces nothing else. */
function showSteps() {
  const arrived = order === null ? [] : order.steps;
  const known = new Set(arrived.map((step) => step.event_id));
  const pending = told.filter((event) => !known.has(event.event_id) && STEPS[event.event]);
  const steps = watched === null ? EXPECTED : [...arrived, ...pending];
  const list = by("steps");
  const start = steps.length > 0 ? Date.parse(writtenAt(steps[0])) : 0;
  steps.forEach((step, place) => {
    let item = [...list.children].find((one) => one.dataset.event === step.event_id);
    if (item === undefined) {
      item = newStep(step);
    }
    say(item.firstElementChild, labelOf(step, steps.slice(0, place)));
    if (list.children[place] !== item) {
      list.insertBefore(item, list.children[place] || null);
    }
    showWay(item, step, start);
  });
  while (list.children.length > steps.length) {
    list.lastElementChild.remove();
  }
}

const writtenAt = (step) => step.happened_at || step.written_at;

/** Only the view knows the reason of a refusal, so the label may become longer when the event arrives. */
function labelOf(step, before) {
  const [label] = STEPS[step.event] || [step.event];
  const paid = before.some((earlier) => earlier.event === "OrderPaid");
  const text = step.event === "CreditReleased" && paid ? "Reservation closed (paid)" : label;
  return step.detail ? `${text}: ${REASONS[step.detail] || step.detail}` : text;
}

function newStep(step) {
  const [, kind = "", pattern] = STEPS[step.event] || [step.event];
  const about = element("p", [step.service], "by");
  if (pattern) {
    about.append(" · ", button(patternWords(pattern), "pattern", () => showPattern(pattern)));
  }
  const way = element("dl", ["Written", "Claimed", "Confirmed", "Handled"].map((stage) =>
    element("div", [element("dt", stage), element("dd")])), "way");
  const item = element("li", [element("span"), about, way]);
  item.dataset.event = step.event_id;
  item.dataset.kind = kind;
  return item;
}

/** The stages that are known. */
function showWay(item, step, start) {
  const own = told.find((event) => event.event_id === step.event_id);
  const expected = watched === null;
  const arrived = Boolean(step.happened_at);
  item.className = `${item.dataset.kind} ${expected || arrived ? "" : "pending"} ${expected ? "expected" : ""}`.trim();
  const written = Date.parse(writtenAt(step));
  const since = (time) => duration(Math.max(0, Date.parse(time) - written) / 1000);
  const stages = item.querySelectorAll("dd");
  const set = (place, text, kind = "") => {
    say(stages[place], text);
    stages[place].className = kind;
  };
  if (expected) {
    stages.forEach((stage, place) => set(place, "–", "none"));
    return;
  }
  const after = (written - start) / 1000;
  set(0, after === 0 ? "start" : `${after < 0 ? "−" : "+"}${Math.abs(after).toFixed(2)} s`);
  if (own === undefined) {
    set(1, "–", "none");
    set(2, "–", "none");
  } else if (own.confirmed_at) {
    set(1, `lane ${own.lane}`);
    set(2, since(own.confirmed_at));
  } else {
    const owner = ownerOf(own.service, own.lane);
    set(1, `lane ${own.lane}${owner === undefined ? "" : `, ${owner === null ? "no relay" : owner}`}`,
      owner === null ? "bad" : "");
    set(2, own.reason ? `${own.state}: ${own.reason}` : own.state, own.reason ? "bad" : "wait");
  }
  if (!arrived) {
    set(3, "not yet", "wait");
  } else {
    set(3, step.handled_at ? since(step.handled_at) : "–", step.handled_at ? "" : "none");
  }
}

// ---- The same order as its owning services report it, as far as they answer ----

export async function showOwners() {
  const orderId = watched;
  if (orderId === null || !by("owners").open) {
    return;
  }
  let shown;
  try {
    shown = owned(await read(`orders/${orderId}`));
  } catch (fault) {
    shown = [element("p", fault.message, "fault")];
  }
  if (orderId === watched) {
    by("composed").replaceChildren(...shown);
  }
}

function owned(found) {
  const facts = element("dl");
  const fact = (name, value) => facts.append(element("dt", name), element("dd", value));
  fact("orders", `${stateWords(found.state)}, ${money(found.amount_cents, found.currency)}`);
  if (found.customer) {
    fact("customers", `${found.customer.name}, ${found.customer.email}, ${found.customer.region}`);
  }
  if (found.credit) {
    fact("", `${money(found.credit.available_cents)} of ${money(found.credit.credit_limit_cents)} credit available`);
  }
  found.lines.filter((line) => line.product).forEach(({ product }, n) => fact(n === 0 ? "products" : "",
    `${product.name}, now ${money(product.price_cents, product.currency)}, ${product.stock} in stock, `
      + `${product.reserved} reserved`));
  return [facts, ...found.missing.map((part) =>
    element("p", `The ${part.part} is missing because ${part.service} did not provide it: ${part.reason}.`, "fault"))];
}
