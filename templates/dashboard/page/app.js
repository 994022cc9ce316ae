// The page: which dashboard, which time, when to ask again.

import { events } from "./graphite.js";
import { clock, moment } from "./format.js";
import { element, Panel } from "./panel.js";
import { listen } from "./keys.js";

const ranges = [
  ["15m", "-15min", 900], ["1h", "-1h", 3600], ["3h", "-3h", 3 * 3600], ["6h", "-6h", 6 * 3600], ["12h", "-12h", 12 * 3600],
  ["24h", "-24h", 86400], ["7d", "-7d", 7 * 86400], ["30d", "-30d", 30 * 86400], ["1y", "-1y", 365 * 86400],
].map(([name, from, seconds]) => ({ name, from, seconds }));

const $ = (id) => document.getElementById(id);

const page = {
  made: null, // dashboards.json
  dashboard: null, // the one of it that is shown
  range: null,
  part: null, // of the time, where one was drawn: {from, until}
  panels: [],
  paused: false,
  timer: 0,
  stop: new AbortController(),
};

// slug is a dashboard's name as it stands in the address.
const slug = (name) => encodeURIComponent(name.toLowerCase().replaceAll(" ", "-"));

function go(dashboard, range) {
  location.hash = `#/${slug(dashboard.name)}/${range.name}`;
}

// read takes dashboard and range from the address.
function read() {
  const [, name, range] = location.hash.split("/");
  const dashboard = page.made.dashboards.find((d) => slug(d.name) === name) ?? page.made.dashboards[0];
  page.range = ranges.find((r) => r.name === range) ?? page.range ?? ranges.find((r) => r.name === page.made.range) ?? ranges[1];
  page.part = null;
  if (dashboard !== page.dashboard) show(dashboard);
  mark();
  refresh();
}

// show puts a dashboard's panels on the page.
function show(dashboard) {
  page.panels.forEach((panel) => panel.destroy());
  page.dashboard = dashboard;
  page.panels = dashboard.panels.map((panel) => new Panel(panel, choose));
  $("panels").replaceChildren(...page.panels.map((panel) => panel.root));
  $("name").textContent = dashboard.name;
  document.title = `${dashboard.name} · ${page.made.title}`;
  find();
}

// mark shows which dashboard and which range it is.
function mark() {
  for (const tab of $("tabs").children) {
    if (tab.textContent === page.dashboard.name) {
      tab.setAttribute("aria-current", "page");
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else tab.removeAttribute("aria-current");
    tab.href = `#/${slug(tab.textContent)}/${page.range.name}`;
  }
  for (const button of $("ranges").children) button.setAttribute("aria-pressed", String(!page.part && button.textContent === page.range.name));
}

// choose shows a part of the time, which was drawn with the mouse; null goes back.
function choose(part) {
  page.part = part;
  mark();
  refresh();
}

const span = () => page.part ?? { from: page.range.from, until: "now", seconds: page.range.seconds };

// refresh asks for all panels that are shown, and again after a while.
async function refresh() {
  clearTimeout(page.timer);
  page.stop.abort(new DOMException("another one follows", "AbortError"));
  page.stop = new AbortController();
  const { signal } = page.stop;
  document.body.classList.add("asking");
  if (page.made.annotations) marked(signal);
  const clocks = await Promise.all(page.panels.filter((p) => !p.root.hidden).map((p) => p.refresh(span(), signal)));
  if (signal.aborted) return;
  document.body.classList.remove("asking");
  tell(clocks);
  again();
  newer();
}

// newer says when there is another page than this one: a browser tab may be open for weeks.
async function newer() {
  try {
    const made = await (await fetch("dashboards.json", { cache: "no-cache" })).json();
    if (made.version === page.made.version) return;
    $("trouble").hidden = false;
    $("trouble").textContent = "These dashboards have changed. ";
    $("trouble").append(element("a", "", "Read them anew", { href: "" }));
  } catch {
    // The panels say what is wrong.
  }
}

function again() {
  clearTimeout(page.timer);
  if (!page.paused && !page.part) page.timer = setTimeout(() => (document.hidden ? again() : refresh()), page.made.refresh * 1000);
}

// tell says of when it is all, and how it goes on.
function tell(clocks) {
  const known = clocks.filter((c) => c !== null);
  const failed = clocks.length - known.length;
  $("when").textContent = page.part
    ? `${moment(page.part.from)} – ${moment(page.part.until)} · Esc goes back`
    : known.length ? `as of ${clock(Math.max(...known))} · ${page.paused ? "paused" : `again every ${page.made.refresh} s`}` : "";
  $("state").classList.toggle("bad", failed > 0);
  if (failed) $("when").textContent = `${failed} of ${clocks.length} panels failed` + ($("when").textContent ? " · " + $("when").textContent : "");
}

// marked asks for the events of the time, lists them, and draws them into the panels.
async function marked(signal) {
  let noted = [], why = "";
  try {
    noted = await events(span(), signal);
  } catch (error) {
    if (signal.aborted) return;
    why = error.message;
  }
  $("events").hidden = noted.length === 0 && !why;
  $("event-list").replaceChildren(...noted.slice(-20).reverse().map((event) => {
    const entry = element("li");
    entry.append(element("time", "", moment(event.when), { datetime: new Date(event.when * 1000).toISOString() }), element("span", "what", event.what));
    for (const tag of event.tags) entry.append(element("span", "tag", tag));
    if (event.data) entry.append(element("span", "data", event.data));
    return entry;
  }));
  if (why) $("event-list").append(element("li", "bad", why));
  page.panels.forEach((panel) => panel.chart.note(noted));
}

// find shows the panels whose title, or what is asked for them, has the words in it.
function find() {
  const words = $("find").value.trim().toLowerCase().split(/\s+/);
  let any = false;
  for (const panel of page.panels) {
    const text = [panel.panel.title, ...panel.panel.targets].join(" ").toLowerCase();
    const was = panel.root.hidden;
    panel.root.hidden = !words.every((word) => text.includes(word));
    any ||= !panel.root.hidden;
    if (was && !panel.root.hidden) again();
  }
  $("nothing").hidden = any;
  $("nothing").textContent = `No panel of ${page.dashboard.name} has “${$("find").value.trim()}” in it.`;
}

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

// paint takes other colours, and remembers them.
function paint(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // They hold for as long as the page is open.
  }
  recolour();
}

function recolour() {
  $("theme").setAttribute("aria-label", isDark() ? "Switch to light colours" : "Switch to dark colours");
  $("theme").classList.toggle("dark", isDark());
  page.panels.forEach((panel) => panel.chart.redraw());
}

function pause() {
  page.paused = !page.paused;
  $("pause").setAttribute("aria-pressed", String(page.paused));
  if (page.paused) {
    clearTimeout(page.timer);
    $("when").textContent = $("when").textContent.replace(/again every .*/, "paused");
  } else refresh();
}

// step goes to a dashboard further on, or back.
function step(by) {
  const all = page.made.dashboards;
  go(all[(all.indexOf(page.dashboard) + by + all.length) % all.length], page.range);
}

// enlarge makes a panel as large as the page, or all of them as they were.
function enlarge(root) {
  const was = document.querySelector(".large");
  was?.classList.remove("large");
  if (root && root !== was) root.classList.add("large");
  page.panels.forEach((panel) => panel.chart.fit());
  (root ?? was)?.scrollIntoView({ block: "nearest" });
}

function leave() {
  if (document.querySelector(".large")) enlarge(null);
  else if ($("find").value) {
    $("find").value = "";
    find();
    refresh();
  } else if (page.part) choose(null);
}

async function start() {
  const response = await fetch("dashboards.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`dashboards.json: ${response.status}`);
  page.made = await response.json();
  $("title").textContent = page.made.title;
  $("tabs").replaceChildren(...page.made.dashboards.map((d) => element("a", "", d.name)));
  $("ranges").replaceChildren(...ranges.map((range, i) => {
    const button = element("button", "", range.name, { type: "button", title: `${i + 1}` });
    button.addEventListener("click", () => pick(i));
    return button;
  }));
  $("pause").addEventListener("click", pause);
  $("theme").addEventListener("click", () => paint(isDark() ? "light" : "dark"));
  $("help").addEventListener("click", () => $("keys").showModal());
  $("find").addEventListener("input", () => { find(); refresh(); });
  $("panels").addEventListener("dblclick", (e) => e.target.closest(".plot") && enlarge(e.target.closest(".panel")));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  addEventListener("hashchange", read);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !page.paused && !page.part) refresh(); });
  listen({ pick, step, paint, pause, refresh, enlarge, leave });
  read();
  recolour();
}

function pick(i) {
  if (page.range === ranges[i] && page.part) choose(null);
  else go(page.dashboard, ranges[i]);
}

start().catch((error) => {
  $("trouble").hidden = false;
  $("trouble").textContent = `The dashboards cannot be read: ${error.message}.`;
});
