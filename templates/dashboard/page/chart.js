// One chart, drawn by uPlot. It knows nothing of Graphite and nothing of the page around it.

import { mark, number } from "./format.js";

const height = 190;
const binary = Array.from({ length: 51 }, (_, i) => 2 ** i); // steps of an axis of bytes
const colours = 8;

// resolved is a colour of the sheet as a canvas takes it.
function resolved(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

// faded is a colour, as getComputedStyle writes it, with an alpha.
const faded = (colour, alpha) => colour.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);

export const colourName = (i) => `--c${i % colours}`;

// lonely are the points with a gap on both sides: a line would not show them.
function lonely(ys) {
  const found = [];
  for (let i = 0; i < ys.length; i++) {
    if (ys[i] != null && ys[i - 1] == null && ys[i + 1] == null) found.push(i);
  }
  return found;
}

// stacked adds each series to those below it.
function stacked(data) {
  const sums = new Array(data[0].length).fill(0);
  return [data[0], ...data.slice(1).map((ys) => ys.map((y, i) => (y == null ? null : (sums[i] += y))))];
}

// bounds are those of the y axis: what the panel says, and else the data's with room above, from
// zero unless that would flatten it.
function bounds(panel, low, high) {
  if (low == null) [low, high] = [0, 1];
  const filled = panel.style === "area" || panel.style === "stacked"; // an area is told by its height
  const fromZero = low >= 0 && (filled || low === high || low < high * 0.75);
  const from = panel.minimum ?? (fromZero ? 0 : low - (high - low) * 0.1);
  let to = panel.maximum ?? high + (high - Math.max(from, Math.min(low, high))) * 0.12;
  if (to <= from) to = from + 1;
  return [from, to];
}

// Chart draws series into an element. told gets the index of the point below the pointer, or null,
// and chosen a span of time that was drawn with it.
export class Chart {
  constructor(panel, element, told, chosen) {
    Object.assign(this, { panel, element, told, chosen });
    this.shown = new Map(); // by name: false of a series that was switched off
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(element);
  }

  // draw shows data: times, and the values of each of names; span is the whole of the x axis.
  draw(names, data, span) {
    Object.assign(this, { names, data, span });
    const key = names.join("\n");
    if (this.plot && this.key === key) {
      this.plot.setData(this.panel.style === "stacked" ? stacked(data) : data, false);
      this.plot.batch(() => this.plot.setScale("x", { min: span.from, max: span.until }));
      return;
    }
    this.key = key;
    this.redraw();
  }

  // note draws events: {when} of each.
  note(events) {
    this.events = events;
    this.plot?.redraw(false);
  }

  // redraw makes the chart anew: with other series, or in other colours.
  redraw() {
    if (!this.data) return;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(), this.panel.style === "stacked" ? stacked(this.data) : this.data, this.element);
  }

  fit() {
    if (this.plot) this.plot.setSize(this.size());
  }

  size() {
    const tall = this.element.closest(".large") ? Math.max(height, Math.min(innerHeight * 0.62, 640)) : height;
    return { width: Math.max(200, this.element.clientWidth), height: tall };
  }

  // show switches a series on or off.
  show(i, on) {
    this.shown.set(this.names[i], on);
    this.plot.setSeries(i + 1, { show: on });
  }

  options() {
    const soft = resolved("--soft"), rule = resolved("--grid");
    const font = "12px " + getComputedStyle(document.body).fontFamily;
    const axis = { stroke: soft, font, ticks: { show: false }, grid: { stroke: rule, width: 1 } };
    const unit = this.panel.unit;
    const labels = (_, splits) => splits.map((y) => number(y, unit, Math.max(...splits.map(Math.abs))));
    return {
      ...this.size(), legend: { show: false }, padding: [12, 16, 0, 0],
      scales: {
        x: { time: true, range: (_, low, high) => [low, high] },
        y: { range: (_, low, high) => bounds(this.panel, low, high) },
      },
      axes: [
        { ...axis, space: 76, size: 24, values: (_, splits, _a, _s, step) => splits.map((x) => mark(x, step)) },
        { ...axis, space: 38, values: labels, ...(unit?.startsWith("bytes") ? { incrs: binary } : {}), size: (_, words) => 14 + 6.6 * Math.max(3, ...(words ?? []).map((w) => w.length)) },
      ],
      series: [{}, ...this.names.map((name, i) => this.line(name, i))],
      bands: this.panel.style === "stacked" ? this.names.slice(1).map((_, i) => ({ series: [i + 2, i + 1] })) : [],
      cursor: {
        sync: { key: "time" }, drag: { x: true, y: false, setScale: false }, focus: { prox: -1 }, y: false,
        points: { size: 7, fill: (u, i) => u.series[i]._stroke ?? soft },
      },
      hooks: {
        ready: [(u) => u.setScale("x", { min: this.span.from, max: this.span.until })],
        setCursor: [(u) => this.told(u.cursor.left < 0 ? null : u.cursor.idx)],
        setSelect: [(u) => {
          if (u.select.width < 6) return;
          this.chosen({ from: Math.floor(u.posToVal(u.select.left, "x")), until: Math.ceil(u.posToVal(u.select.left + u.select.width, "x")) });
          u.setSelect({ width: 0, left: 0, top: 0, height: 0 }, false);
        }],
        drawClear: [(u) => this.drawEvents(u)],
      },
    };
  }

  line(name, i) {
    const colour = resolved(colourName(i));
    const style = this.panel.style;
    return {
      label: name, show: this.shown.get(name) ?? true, stroke: colour, width: 1.75, dash: i >= colours ? [6, 3] : undefined,
      fill: style === "stacked" ? faded(colour, 0.28) : style === "area" ? faded(colour, 0.14) : undefined,
      points: { show: false, size: 4, fill: colour, filter: (u, s) => lonely(u.data[s]) },
    };
  }

  // drawEvents draws a line and a flag at each event.
  drawEvents(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = resolved("--event");
    ctx.lineWidth = devicePixelRatio;
    for (const event of this.events ?? []) {
      const x = Math.round(u.valToPos(event.when, "x", true)) + 0.5;
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const flag = 5 * devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(x - flag, bbox.top - flag);
      ctx.lineTo(x + flag, bbox.top - flag);
      ctx.lineTo(x, bbox.top + flag * 0.4);
      ctx.fill();
    }
    ctx.restore();
  }

  destroy() {
    this.observer.disconnect();
    this.plot?.destroy();
  }
}
