// One panel: its chart, its legend, and what it says when there is nothing to draw.

import { Chart, colourName } from "./chart.js";
import { age, clock, moment, number } from "./format.js";
import { series } from "./graphite.js";

let made = 0;

// element makes one, with its class, its text and its attributes.
export function element(tag, name = "", text = "", attributes = {}) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// joined brings series to one row of times: they may have other steps.
function joined(list) {
  const same = list.every((s) => s.xs.length === list[0].xs.length && s.xs[0] === list[0].xs[0] && s.xs[1] === list[0].xs[1]);
  return same ? [list[0].xs, ...list.map((s) => s.ys)] : uPlot.join(list.map((s) => [s.xs, s.ys]));
}

const lastKnown = (ys) => ys.findLastIndex((y) => y != null);

export class Panel {
  constructor(panel, chosen) {
    Object.assign(this, { panel, chosen });
    const id = `panel-${made++}`;
    this.root = element("section", "panel", "", { tabindex: "0", "aria-labelledby": id });
    const head = this.root.appendChild(element("header"));
    head.append(element("h2", "", panel.title, { id }));
    this.note = head.appendChild(element("span", "note"));
    if (panel.about) this.root.append(element("p", "about", panel.about));
    this.trouble = this.root.appendChild(element("p", "trouble", "", { role: "status", hidden: "" }));
    this.plot = this.root.appendChild(element("div", "plot", "", { role: "img", "aria-label": "not asked yet" }));
    this.empty = this.root.appendChild(element("div", "empty", "", { hidden: "" }));
    this.legend = this.root.appendChild(element("ul", "legend"));
    this.chart = new Chart(panel, this.plot, (at) => this.point(at), chosen);
    this.root.classList.add("waiting");
  }

  // refresh asks for the data of a span, and returns the host's clock; null when that failed.
  async refresh(span, stop) {
    try {
      const width = this.plot.clientWidth || this.root.clientWidth;
      const { list, now } = await series(this.panel.targets, span, width, stop);
      this.show(list, span, now);
      return now;
    } catch (error) {
      if (stop.aborted) return null;
      this.fail(error.message);
      return null;
    }
  }

  // show draws series, or says that there are none.
  show(list, span, now) {
    this.root.classList.remove("waiting", "failed");
    this.trouble.hidden = true;
    this.asked = now;
    this.live = typeof span.until !== "number";
    const some = list.filter((s) => lastKnown(s.ys) >= 0);
    const whole = { from: list[0]?.xs[0] ?? now - 3600, until: this.live ? now : span.until };
    if (typeof span.from === "number") whole.from = span.from;
    else whole.from = now - span.seconds;
    this.nothing(some.length === 0, list.length, whole);
    if (some.length === 0) return;
    this.list = some;
    this.data = joined(some);
    this.chart.draw(some.map((s) => s.name), this.data, whole);
    this.entries();
    this.point(null);
    this.describe();
  }

  // nothing says that there is no data, and of what.
  nothing(is, found, span) {
    this.root.classList.toggle("nodata", is);
    this.plot.hidden = this.legend.hidden = is;
    this.empty.hidden = !is;
    if (!is) return;
    this.note.textContent = "";
    const why = found === 0 ? "no such metric has arrived yet" : `no point from ${moment(span.from)} to ${moment(span.until)}`;
    this.empty.replaceChildren(element("strong", "", "No data"), element("span", "", why), ...this.panel.targets.map((t) => element("code", "", t)));
  }

  // fail says why there is nothing new; what was drawn before stays, faded.
  fail(why) {
    this.root.classList.remove("waiting");
    this.root.classList.add("failed");
    this.trouble.hidden = false;
    this.trouble.textContent = why + (this.data ? `. What is shown is of ${clock(this.asked)}.` : ".");
    if (!this.data) this.plot.hidden = true;
  }

  // entries makes the legend: a switch for each series, which shows its value.
  entries() {
    const key = this.list.map((s) => s.name).join("\n");
    if (key === this.entriesOf) return;
    this.entriesOf = key;
    this.values = [];
    this.legend.replaceChildren(...this.list.map((s, i) => {
      const entry = element("li");
      const on = this.chart.shown.get(s.name) ?? true;
      const button = entry.appendChild(element("button", "series", "", { type: "button", "aria-pressed": String(on), title: s.name }));
      const swatch = button.appendChild(element("span", i >= 8 ? "swatch dashed" : "swatch"));
      swatch.style.color = `var(${colourName(i)})`;
      button.append(element("span", "name", s.name));
      this.values.push(button.appendChild(element("span", "value")));
      button.addEventListener("click", () => {
        const pressed = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(pressed));
        this.chart.show(i, pressed);
      });
      return entry;
    }));
  }

  // point shows the values below the pointer, or with null the newest.
  point(at) {
    if (!this.data || !this.values) return;
    this.list.forEach((s, i) => {
      const ys = this.data[i + 1];
      const index = at ?? lastKnown(ys);
      const old = at == null ? this.stale(s) : "";
      this.values[i].textContent = number(ys[index], this.panel.unit) + (old && ` · ${old} ago`);
      this.values[i].classList.toggle("stale", old !== "");
    });
    const ages = at == null ? this.list.map((s) => this.stale(s)) : [];
    const all = ages.length > 0 && ages.every(Boolean);
    this.note.textContent = all ? `no point for ${ages[0]}` : at == null ? "" : moment(this.data[0][at]);
    this.note.classList.toggle("stale", all);
  }

  // stale says how old the newest point of a series is, where it is older than it should be.
  stale(series) {
    if (!this.live) return "";
    const step = series.xs.length > 1 ? series.xs[1] - series.xs[0] : 60;
    const old = this.asked - series.xs[lastKnown(series.ys)];
    return old > Math.max(3 * step, 120) ? age(old) : "";
  }

  // describe says to those who do not see the chart what is in it.
  describe() {
    const words = this.list.slice(0, 6).map((s) => {
      const known = s.ys.filter((y) => y != null);
      const [low, high] = known.reduce(([a, b], y) => [Math.min(a, y), Math.max(b, y)], [Infinity, -Infinity]);
      const write = (y) => number(y, this.panel.unit);
      return `${s.name}: ${write(known.at(-1))}, between ${write(low)} and ${write(high)}`;
    });
    const more = this.list.length > 6 ? `; and ${this.list.length - 6} more` : "";
    this.plot.setAttribute("aria-label", `${this.panel.title}. ${words.join("; ")}${more}`);
  }

  destroy() {
    this.chart.destroy();
    this.root.remove();
  }
}
