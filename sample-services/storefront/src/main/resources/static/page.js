// The page in plain JavaScript. It calls only the storefront, and inserts the answers as text, never as markup.

const ASK_EVERY = 1000;
const WATCH_EVERY = 500;
const PATIENCE = 10000;
const STALE_AFTER_SECONDS = 5;

const STEPS = {
  OrderPlaced: ["Order placed", "said"],
  StockReservationRequested: ["Requests stock reservation"],
  StockReserved: ["Stock reserved", "said"],
  StockRejected: ["Stock refused", "bad"],
  CreditReservationRequested: ["Requests credit reservation"],
  CreditReserved: ["Credit reserved", "said"],
  CreditRejected: ["Credit refused", "bad"],
  CreditReleaseRequested: ["Compensates: releases credit"],
  CreditReleased: ["Credit released", "said"],
  StockReleaseRequested: ["Compensates: releases stock"],
  StockReleased: ["Stock released", "said"],
  OrderConfirmed: ["Order confirmed", "good"],
  OrderRejected: ["Order rejected", "bad"],
  OrderPaid: ["Order paid", "good"],
  OrderCancelled: ["Order cancelled", "bad"],
};

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

const REASONS = {
  OUT_OF_STOCK: "not enough in stock",
  UNKNOWN_PRODUCT: "unknown product",
  CREDIT_EXCEEDED: "not enough credit",
  UNKNOWN_CUSTOMER: "unknown customer",
  ALREADY_RELEASED: "already released",
  TIMED_OUT: "timed out",
};

const by = (id) => document.getElementById(id);

function element(name, content = "", className = "") {
  const made = document.createElement(name);
  made.append(...[content].flat());
  made.className = className;
  return made;
}

function money(cents, currency = "EUR") {
  return new Intl.NumberFormat("en", { style: "currency", currency }).format(cents / 100);
}

const short = (orderId) => orderId.slice(0, 8);

// ---- Requests ----

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, body) {
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

const read = async (path) => (await ask(path)).json();

function tell(place, fault) {
  const text = fault ? fault.message : "";
  // A screen reader announces each change, so do not repeat the same text.
  if (place.textContent !== text) {
    place.textContent = text;
  }
  place.hidden = !fault;
}

const faults = new Map();

/** Shows the fault of any of the tasks, and hides it when all of them succeed again. */
async function attempt(task) {
  try {
    await task();
    faults.delete(task);
  } catch (fault) {
    faults.set(task, fault);
  }
  tell(by("unreachable"), faults.values().next().value);
}

/** Runs a task repeatedly, with a pause after each run; skips it while the page is hidden. */
async function keep(task, pause) {
  if (!document.hidden) {
    await attempt(task);
  }
  setTimeout(keep, pause, task, pause);
}

// ---- Choices ----

let customers = [];
let products = [];

/** Replaces the list only if it has changed, because it may be open. */
function fill(select, entries, nothing) {
  const key = JSON.stringify(entries);
  if (select.dataset.shows === key) {
    return;
  }
  const chosen = select.value;
  select.dataset.shows = key;
  select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
  if (entries.length === 0) {
    select.append(new Option(nothing, ""));
  }
  if (entries.some(([value]) => value === chosen)) {
    select.value = chosen;
  }
}

async function showChoice() {
  const [people, things] = await Promise.all([read("customers"), read("products")]);
  customers = people.customers;
  products = things.products;
  fill(by("customer"), customers.map((c) => [c.customer_id, c.name]), "No customers yet");
  fill(by("product"), products.map((p) => [p.product_id, `${p.name}, ${money(p.price_cents, p.currency)}`]),
    "No products yet");
  const regions = [...new Set(customers.map((c) => c.region))].sort();
  fill(by("region"), regions.map((region) => [region, region]), "No regions yet");
  showTotal();
  await Promise.all([showCredit(), showRegion()]);
}

function showTotal() {
  const product = products.find((p) => p.product_id === by("product").value);
  const quantity = Number(by("quantity").value);
  by("total").value = product && quantity > 0 ? money(product.price_cents * quantity, product.currency) : "–";
}

async function showCredit() {
  const customer = by("customer").value;
  if (!customer) {
    return;
  }
  try {
    const credit = await read(`customers/${encodeURIComponent(customer)}/available-credit`);
    by("credit").textContent =
      `${money(credit.available_cents)} of ${money(credit.credit_limit_cents)} credit available`;
  } catch (fault) {
    if (fault.status !== 404) {
      throw fault;
    }
    by("credit").textContent = "The customer's credit is not known yet.";
  }
}

// ---- Customers of a region ----

async function showRegion() {
  const region = by("region").value;
  if (!region) {
    return;
  }
  const view = await read(`regions/${encodeURIComponent(region)}/customers`);
  const list = by("region-customers");
  const key = JSON.stringify([region, view.customers]);
  if (list.dataset.shows === key) {
    return;
  }
  const focused = list.contains(document.activeElement) ? document.activeElement.hash : null;
  list.dataset.shows = key;
  list.replaceChildren(...view.customers.map(person));
  if (focused) {
    list.querySelector(`a[href="${focused}"]`)?.focus();
  }
}

function person(customer) {
  const credit = customer.available_cents === null ? "" : `${money(customer.available_cents)} left`;
  const head = element("div", [element("strong", customer.name), element("span", credit)], "person");
  const orders = customer.recent_orders.map((order) => {
    const link = element("a", short(order.order_id));
    link.href = `#order=${order.order_id}`;
    return element("li", [
      link,
      element("span", money(order.amount_cents, order.currency)),
      element("span", (STATES[order.state] || [order.state])[0]),
    ]);
  });
  return element("li", [head, orders.length > 0 ? element("ul", orders) : element("span", "No orders yet", "hint")]);
}

// ---- How old the views are ----

let ages = [];
let agesHeardAt = 0;

async function hearAges() {
  ages = (await read("freshness")).views;
  agesHeardAt = performance.now();
}

/** Updated more often than requested, because the ages also grow while the storefront is unreachable. */
function showAges() {
  const since = (performance.now() - agesHeardAt) / 1000;
  const stale = [];
  by("ages").replaceChildren(...ages.flatMap(({ view, age_seconds: age }) => {
    const now = age === null ? Infinity : age + since;
    if (now < STALE_AFTER_SECONDS) {
      return [element("dt", view), element("dd", `${now.toFixed(1)} s`)];
    }
    stale.push(view);
    return [element("dt", view),
      element("dd", age === null ? "no data yet" : `stale, ${duration(now)} old`, "stale")];
  }));
  const notice = by("stale");
  const text = stale.length === 0 ? "" : `Stale: ${stale.join(", ")}. This data may be out of date.`;
  if (notice.textContent !== text) {
    notice.textContent = text;
  }
  notice.classList.toggle("notice", text !== "");
}

function duration(seconds) {
  if (seconds < 120) {
    return `${Math.round(seconds)} s`;
  }
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

// ---- An order and its saga ----

let watched = null;
let shownState = null;

function orderOfAddress() {
  const id = new URLSearchParams(location.hash.slice(1)).get("order");
  return id && /^[0-9a-f-]{36}$/i.test(id) ? id : null;
}

function watch(orderId) {
  watched = orderId;
  shownState = null;
  by("saga").hidden = orderId === null;
  by("saga-title").textContent = orderId === null ? "Order" : `Order ${short(orderId)}`;
  by("state").textContent = "waiting for the first event";
  by("state").className = "state";
  by("summary").textContent = "";
  by("steps").replaceChildren();
  by("composed").replaceChildren();
  by("payment-form").hidden = true;
  tell(by("saga-fault"));
}

async function showOrder() {
  const orderId = watched;
  if (orderId === null) {
    return;
  }
  let order;
  try {
    order = await read(`orders/${orderId}/timeline`);
  } catch (fault) {
    if (fault.status === 404) {
      return;
    }
    throw fault;
  }
  if (orderId !== watched) {
    return;
  }
  showSteps(order);
  showState(order);
  if (order.state !== shownState) {
    shownState = order.state;
    await showOwners();
  }
}

function showState(order) {
  const [text, kind] = STATES[order.state] || [order.state, ""];
  by("state").textContent = order.reason ? `${text}: ${REASONS[order.reason] || order.reason}` : text;
  by("state").className = `state ${kind}`;
  const customer = customers.find((c) => c.customer_id === order.customer_id);
  const lines = order.lines.map((line) => `${line.quantity} × ${line.name}`).join(", ");
  by("summary").textContent = order.amount_cents === null
    ? ""
    : `${lines}${customer ? ` for ${customer.name}` : ""}, ${money(order.amount_cents, order.currency)}`;
  const pay = by("payment-form");
  if (!pay.hidden && order.state !== "confirmed" && pay.contains(document.activeElement)) {
    by("saga-title").focus();
  }
  pay.hidden = order.state !== "confirmed";
}

/** Inserts only new steps, so that a screen reader announces nothing else. */
function showSteps(order) {
  const list = by("steps");
  const start = order.steps.length > 0 ? Date.parse(order.steps[0].happened_at) : 0;
  order.steps.forEach((step, place) => {
    const key = [step.service, step.event, step.happened_at].join(" ");
    if (list.children[place]?.dataset.key === key) {
      return;
    }
    const paid = order.steps.slice(0, place).some((earlier) => earlier.event === "OrderPaid");
    const [label, kind = ""] = STEPS[step.event] || [step.event];
    const text = step.event === "CreditReleased" && paid ? "Reservation closed (paid)" : label;
    const why = step.detail ? `: ${REASONS[step.detail] || step.detail}` : "";
    const after = (Date.parse(step.happened_at) - start) / 1000;
    const time = element("time", after === 0 ? "start" : `${after < 0 ? "" : "+"}${after.toFixed(2)} s`);
    time.dateTime = step.happened_at;
    const item = element("li", [element("span", `${text}${why}`), element("span", step.service, "by"), time], kind);
    item.dataset.key = key;
    list.insertBefore(item, list.children[place] || null);
  });
}

/** The same order as its owning services report it, as far as they answer. */
async function showOwners() {
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

function owned(order) {
  const facts = element("dl");
  const fact = (name, value) => facts.append(element("dt", name), element("dd", value));
  fact("orders", `${(STATES[order.state] || [order.state])[0]}, ${money(order.amount_cents, order.currency)}`);
  if (order.customer) {
    fact("customers", `${order.customer.name}, ${order.customer.email}, ${order.customer.region}`);
  }
  if (order.credit) {
    fact("", `${money(order.credit.available_cents)} of ${money(order.credit.credit_limit_cents)} credit available`);
  }
  order.lines.filter((line) => line.product).forEach(({ product }, n) => fact(n === 0 ? "products" : "",
    `${product.name}, now ${money(product.price_cents, product.currency)}, ${product.stock} in stock, `
      + `${product.reserved} reserved`));
  return [facts, ...order.missing.map((part) =>
    element("p", `The ${part.part} is missing because ${part.service} did not provide it: ${part.reason}.`, "fault"))];
}

// ---- Actions ----

/** Ignores further clicks until the request has ended, and shows its fault. The button keeps the focus. */
async function submit(button, faultPlace, action) {
  if (button.ariaDisabled) {
    return;
  }
  button.ariaDisabled = "true";
  tell(faultPlace);
  try {
    await action();
  } catch (fault) {
    tell(faultPlace, fault);
  } finally {
    button.ariaDisabled = null;
  }
}

by("order-form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit(by("place-order"), by("order-fault"), async () => {
    const response = await ask("orders", {
      customer_id: by("customer").value,
      lines: [{ product_id: by("product").value, quantity: Number(by("quantity").value) }],
    });
    const placed = response.headers.get("Location").split("/").pop();
    location.hash = `order=${placed}`;
  });
});

by("payment-form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit(by("pay"), by("saga-fault"), () => ask(`orders/${watched}/payment`, { card: by("card").value }));
});

by("cancel").addEventListener("click", () =>
  submit(by("cancel"), by("saga-fault"), () => ask(`orders/${watched}/cancellation`, {})));

by("customer").addEventListener("change", () => attempt(showCredit));
by("region").addEventListener("change", () => attempt(showRegion));
by("product").addEventListener("change", showTotal);
by("quantity").addEventListener("input", showTotal);
by("owners").addEventListener("toggle", () => attempt(showOwners));
addEventListener("hashchange", () => {
  const orderId = orderOfAddress();
  if (orderId !== null) {
    watch(orderId);
    by("saga-title").focus();
  }
});

watch(orderOfAddress());
keep(showChoice, ASK_EVERY);
keep(hearAges, ASK_EVERY);
keep(showOrder, WATCH_EVERY);
setInterval(showAges, 500);
