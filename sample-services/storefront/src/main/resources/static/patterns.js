// The patterns behind the page: their text is the README of the sample services, which the storefront also serves.

import { ask, by, element } from "./parts.js";

const SERVICES = "sample-services/";

/** A heading of the README, and the classes to read. */
const PATTERNS = {
  outbox: ["Events, through the outbox", "shop-chassis/src/main/java/io/outboxrelay/samples/chassis/Events.java"],
  saga: ["Saga", "orders/src/main/java/io/outboxrelay/samples/orders/PlaceOrderSaga.java"],
  checkout: ["Read-only replica", "orders/src/main/java/io/outboxrelay/samples/orders/Checkout.java"],
  stock: ["Polyglot storage", "products/src/main/java/io/outboxrelay/samples/products/Stock.java"],
  credit: ["Database per service", "customers/src/main/java/io/outboxrelay/samples/customers/Credits.java"],
  stockReleased: ["Idempotent consumer", "products/src/main/java/io/outboxrelay/samples/products/OrderEvents.java"],
  creditReleased: ["Idempotent consumer", "customers/src/main/java/io/outboxrelay/samples/customers/OrderEvents.java"],
  payment: ["Synchronous API", "orders/src/main/java/io/outboxrelay/samples/orders/OrdersApi.java"],
  ownOrder: ["Read your own writes", "storefront/src/main/java/io/outboxrelay/samples/storefront/OwnOrders.java"],
  region: ["CQRS view", "storefront/src/main/java/io/outboxrelay/samples/storefront/RegionView.java"],
  age: ["How old a copy is", "shop-chassis/src/main/java/io/outboxrelay/samples/chassis/Freshness.java"],
};

const className = (path) => path.split("/").pop().replace(".java", "");

/** The words of a link to a pattern: its name and the class. */
export function patternWords(key) {
  const [heading, path] = PATTERNS[key];
  return `${heading} · ${className(path)}`;
}

export async function showPattern(key) {
  const [heading, path] = PATTERNS[key];
  by("pattern-title").textContent = heading;
  by("pattern-text").replaceChildren();
  by("pattern-code").replaceChildren(
    element("li", [element("strong", className(path)), element("code", SERVICES + path)]));
  by("pattern").showModal();
  let paragraphs;
  try {
    paragraphs = section(await (await ask("README.md")).text(), heading);
  } catch (fault) {
    paragraphs = [element("p", fault.message, "fault")];
  }
  by("pattern-text").replaceChildren(...paragraphs);
}

/** The paragraphs below a heading. */
function section(text, heading) {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => /^#{2,3} /.test(line) && line.replace(/^#+ /, "") === heading);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith("#"));
  return rest.slice(0, end < 0 ? rest.length : end).join("\n").trim().split(/\n\s*\n/)
    .map((paragraph) => element("p", inline(paragraph.replace(/\n/g, " "))));
}

/** Code and emphasis. */
function inline(text) {
  return text.split(/(`[^`]+`|\*[^*]+\*)/).filter(Boolean).map((part) => {
    if (part.startsWith("`")) {
      return element("code", part.slice(1, -1));
    }
    return part.startsWith("*") && part.length > 2 ? element("em", part.slice(1, -1)) : part;
  });
}

document.querySelectorAll("[data-pattern]").forEach((link) =>
  link.addEventListener("click", () => showPattern(link.dataset.pattern)));
by("pattern-close").addEventListener("click", () => by("pattern").close());
