// The page in plain JavaScript. It calls only the storefront, and inserts the answers as text, never as markup.

import { ask, attempt, by, duration, element, faults, keep, money, read, say, short, show, tell } from "./parts.js";
import { publishingRelays, showPublishing } from "./publishing.js";
import {
  namesFrom, NOT_ARRIVED, showOrder, showOwners, showWays, stateWords, summaryOf, watch, watchedOrder,
} from "./saga.js";

const ASK_EVERY = 1000;
const WATCH_EVERY = 500;
const STALE_AFTER_SECONDS = 5;

// ---- Choices ----

let customers = [];
let products = [];

namesFrom((id) => customers.find((customer) => customer.customer_id === id)?.name);

/** Replaces the list only if it has changed, because it may be open. */
function fill(select, entries, nothing) {
  show(select, entries, () => {
    const chosen = select.value;
    select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
    if (entries.length === 0) {
      select.append(new Option(nothing, ""));
    }
    if (entries.some(([value]) => value === chosen)) {
      select.value = chosen;
    }
  });
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

const chosenProduct = () => products.find((product) => product.product_id === by("product").value);

function showTotal() {
  const product = chosenProduct();
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

/** Orders that were placed here and that the view does not have yet. */
let placed = [];

async function showRegion() {
  const region = by("region").value;
  if (!region) {
    return;
  }
  const view = await read(`regions/${encodeURIComponent(region)}/customers`);
  const arrived = new Set(view.customers.flatMap((customer) => customer.recent_orders.map((one) => one.order_id)));
  placed = placed.filter((order) => !arrived.has(order.order_id));
  const people = view.customers.map((customer) => ({
    ...customer,
    recent_orders: [
      ...placed.filter((order) => order.customer_id === customer.customer_id), ...customer.recent_orders],
  }));
  const list = by("region-customers");
  show(list, [region, people], () => {
    const focused = list.contains(document.activeElement) ? document.activeElement.hash : null;
    list.replaceChildren(...people.map(person));
    if (focused) {
      list.querySelector(`a[href="${focused}"]`)?.focus();
    }
  });
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
      element("span", stateWords(order.state)),
    ], order.state === NOT_ARRIVED ? "pending" : "");
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
  showBanner(stale);
}

// ---- The banner, which always has a text, so that nothing below it moves ----

/** The worst news only: without a relay, all views become stale. */
function showBanner(stale) {
  const [text, kind] = news(stale);
  say(by("banner"), text);
  by("banner").className = `banner ${kind}`;
}

function news(stale) {
  const fault = faults.values().next().value;
  if (fault) {
    return [fault.message, "bad"];
  }
  const relays = publishingRelays();
  if (relays?.length === 0) {
    return ["No relay is publishing. Events wait in the outboxes until one does.", "bad"];
  }
  if (stale.length > 0) {
    return [`Stale: ${stale.join(", ")}. This data may be out of date.`, "wait"];
  }
  if (ages.length === 0) {
    return ["", ""];
  }
  return [`All views are current${relays === null ? "" : `; publishing: ${relays.join(", ")}`}.`, "good"];
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

/** The storefront has answered when the views have the order. If its event is late, the order is shown at once all the
    same, marked. */
function showPlaced(orderId, customer, product, quantity) {
  const amount = product.price_cents * quantity;
  placed.unshift({ order_id: orderId, customer_id: customer, amount_cents: amount, currency: product.currency,
    state: NOT_ARRIVED });
  const region = customers.find((one) => one.customer_id === customer)?.region;
  if (region) {
    by("region").value = region;
  }
  watch(orderId, summaryOf(`${quantity} × ${product.name}`, customer, money(amount, product.currency)));
  history.pushState(null, "", `#order=${orderId}`);
  by("saga-title").focus();
  attempt(showOrder);
  attempt(showRegion);
}

by("order-form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit(by("place-order"), by("order-fault"), async () => {
    const customer = by("customer").value;
    const product = chosenProduct();
    const quantity = Number(by("quantity").value);
    const response = await ask("orders", {
      customer_id: customer,
      lines: [{ product_id: product.product_id, quantity }],
    });
    showPlaced(response.headers.get("Location").split("/").pop(), customer, product, quantity);
  });
});

by("payment-form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit(by("pay"), by("saga-fault"), () => ask(`orders/${watchedOrder()}/payment`, { card: by("card").value }));
});

by("cancel").addEventListener("click", () =>
  submit(by("cancel"), by("saga-fault"), () => ask(`orders/${watchedOrder()}/cancellation`, {})));

by("customer").addEventListener("change", () => attempt(showCredit));
by("region").addEventListener("change", () => attempt(showRegion));
by("product").addEventListener("change", showTotal);
by("quantity").addEventListener("input", showTotal);
by("owners").addEventListener("toggle", () => attempt(showOwners));

function orderOfAddress() {
  const id = new URLSearchParams(location.hash.slice(1)).get("order");
  return id && /^[0-9a-f-]{36}$/i.test(id) ? id : null;
}

addEventListener("hashchange", () => {
  const orderId = orderOfAddress();
  if (orderId !== null && orderId !== watchedOrder()) {
    watch(orderId);
    by("saga-title").focus();
  }
});

watch(orderOfAddress());
keep(showChoice, ASK_EVERY);
keep(hearAges, ASK_EVERY);
keep(showOrder, WATCH_EVERY);
keep(showWays, WATCH_EVERY);
keep(showPublishing, ASK_EVERY);
setInterval(showAges, WATCH_EVERY);
