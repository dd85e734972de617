// The relays, their lanes, and the processes that one may break.

import { button, by, duration, element, read, say, show } from "./parts.js";

const NOBODY = "no relay";

let shown = null;

export async function showPublishing() {
  shown = await read("publishing");
  showLanes();
  showProcesses();
}

/** The relays that own a lane, and answer as far as they are listed; null while nobody says who owns which lane. */
export function publishingRelays() {
  const lanes = shown === null ? [] : shown.services.flatMap(({ outbox }) => (outbox ? outbox.lanes : []));
  if (lanes.length === 0) {
    return null;
  }
  const silent = shown.relays.filter((relay) => relay.state !== "ANSWERS").map((relay) => relay.name);
  const owners = new Set(lanes.map((lane) => lane.relay).filter(Boolean));
  return [...owners].filter((owner) => !silent.includes(owner)).sort();
}

/** The owner of a lane, null for none, undefined if that is not known. */
export function ownerOf(service, lane) {
  return shown?.services.find(({ name }) => name === service)?.outbox?.lanes.find((one) => one.lane === lane)?.relay;
}

// ---- Lanes ----

function showLanes() {
  const sources = shown.services.filter((service) => service.name !== "storefront");
  const relays = [...new Set([
    ...shown.relays.map((relay) => relay.name),
    ...sources.flatMap(({ outbox }) => (outbox ? outbox.lanes : []).map((lane) => lane.relay).filter(Boolean)),
  ])].sort();
  const rows = sources.map((source) => [source.name, ...owned(source, relays), waiting(source)]);
  const table = by("lanes");
  show(table, [relays, rows], () => {
    table.tHead.replaceChildren(element("tr", ["Outbox", ...relays, NOBODY, "waiting, oldest"].map((name) => {
      const head = element("th", name);
      head.scope = "col";
      return head;
    })));
    table.tBodies[0].replaceChildren(...rows.map(([name, ...cells]) => {
      const head = element("th", name);
      head.scope = "row";
      return element("tr", [head, ...cells.map(([text, className]) => element("td", text, className))]);
    }));
  });
}

function owned({ outbox }, relays) {
  if (!outbox) {
    return [...relays, NOBODY].map(() => ["?", "none"]);
  }
  const numbers = (owner) => outbox.lanes.filter(({ relay }) => relay === owner).map(({ lane }) => lane).join(" ");
  const orphans = numbers(null);
  return [...relays.map((relay) => [numbers(relay) || "–", numbers(relay) ? "" : "none"]),
    [orphans || "–", orphans ? "bad" : "none"]];
}

/** A heartbeat waits for a moment each second, which is not worth a colour. */
function waiting({ state, outbox }) {
  if (!outbox) {
    return [state === "DOWN" ? "not running" : "no answer", "bad"];
  }
  const long = outbox.waiting > 0 && outbox.oldest_seconds >= 1;
  return [long ? `${outbox.waiting}, ${duration(outbox.oldest_seconds)}` : String(outbox.waiting), long ? "wait" : ""];
}

// ---- Processes ----

const STATES = { ANSWERS: ["running", "good"], SILENT: ["no answer", "bad"], DOWN: ["not running", "bad"] };

function stateOf(process) {
  if (process.state === "ANSWERS" && process.ready === false) {
    return [`not ready${process.reason ? `: ${process.reason}` : ""}`, "wait"];
  }
  return STATES[process.state];
}

function showProcesses() {
  const processes = [...shown.relays, ...shown.services].filter(({ pid }) => pid !== null)
    .map((process) => [process.name, process.pid, ...stateOf(process)]);
  const list = by("processes");
  show(list, processes, () => {
    const focused = list.contains(document.activeElement) ? document.activeElement.textContent : null;
    list.replaceChildren(...processes.map(item));
    if (focused !== null) {
      [...list.querySelectorAll("button")].find(({ textContent }) => textContent === focused)?.focus();
    }
    if (processes.length === 0) {
      list.append(element("li", ["Start the shop by ", element("code", "./mvnw -q -Pdemo -Ddemo.keep"),
        ": then the commands are here."], "hint"));
    }
  });
}

function item([name, pid, state, kind]) {
  const head = element("p", [element("strong", name), element("span", state, `state ${kind}`)], "process");
  const commands = [["Kill", `kill -9 ${pid}`], ["Freeze", `kill -STOP ${pid}`], ["Resume", `kill -CONT ${pid}`]];
  return element("li", [head, element("p", commands.map(([what, command]) => {
    const copies = button(command, "command", () => copy(command));
    copies.title = `${what} ${name}: copy the command`;
    return copies;
  }), "commands")]);
}

async function copy(command) {
  try {
    await navigator.clipboard.writeText(command);
    say(by("copied"), `Copied: ${command}`);
  } catch {
    say(by("copied"), `This browser does not copy. The command is: ${command}`);
  }
}
