// Numbers and times for people. All of it is pure.

const decimal = [["", 1], ["k", 1e3], ["M", 1e6], ["G", 1e9], ["T", 1e12], ["P", 1e15]];
const binary = [["B", 1], ["KiB", 2 ** 10], ["MiB", 2 ** 20], ["GiB", 2 ** 30], ["TiB", 2 ** 40], ["PiB", 2 ** 50]];
const time = [["µs", 1e-6], ["ms", 1e-3], ["s", 1], ["min", 60], ["h", 3600], ["d", 86400]];

// scaleOf is the step of a table that suits a magnitude.
function scaleOf(table, size) {
  return table.findLast(([, factor]) => size >= factor) ?? table[0];
}

// digits writes a number with three digits that count, and no more zeros than it needs.
function digits(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e4) return String(value);
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return String(Number(value.toFixed(Math.min(places, 6))));
}

// number writes a value in a panel's unit: 1234567 as "1.23M", as bytes "1.18 MiB".
// What goes along an axis is written on the scale of the axis' largest value.
export function number(value, unit = "", largest = Math.abs(value)) {
  if (value === null || value === undefined) return "–";
  if (value === 0 && largest !== 0) return "0"; // on an axis
  const minus = value < 0 ? "−" : "";
  const size = Math.abs(value);
  switch (unit) {
    case "percent":
      return minus + digits(size) + " %";
    case "bytes":
    case "bytes/s": {
      const [name, factor] = scaleOf(binary, largest);
      return minus + digits(size / factor) + " " + name + unit.slice(5);
    }
    case "seconds":
    case "milliseconds": {
      const factorOf = unit === "seconds" ? 1 : 1e-3;
      if (size === 0) return "0 s";
      const [name, factor] = scaleOf(time, largest * factorOf);
      return minus + digits((size * factorOf) / factor) + " " + name;
    }
  }
  const [name, factor] = scaleOf(decimal, largest);
  const gap = unit === "" || unit.startsWith("/") ? "" : " ";
  return minus + digits(size / factor) + name + gap + unit;
}

const two = (n) => String(n).padStart(2, "0");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// clock writes the time of the day, to the second where that counts.
export function clock(seconds, exact = true) {
  const at = new Date(seconds * 1000);
  return two(at.getHours()) + ":" + two(at.getMinutes()) + (exact ? ":" + two(at.getSeconds()) : "");
}

// day writes a day: 29 Nov, with its year where it is another than this one.
export function day(seconds, now = Date.now() / 1000) {
  const at = new Date(seconds * 1000);
  const year = at.getFullYear() === new Date(now * 1000).getFullYear() ? "" : " " + at.getFullYear();
  return at.getDate() + " " + months[at.getMonth()] + year;
}

// moment writes a time as short as it is clear beside now.
export function moment(seconds, now = Date.now() / 1000) {
  const today = new Date(seconds * 1000).toDateString() === new Date(now * 1000).toDateString();
  return today ? clock(seconds) : day(seconds, now) + " " + clock(seconds, false);
}

// mark writes what stands at a mark of the time axis whose marks are step seconds apart.
export function mark(seconds, step) {
  const at = new Date(seconds * 1000);
  if (step >= 28 * 86400) return at.getMonth() === 0 ? String(at.getFullYear()) : months[at.getMonth()];
  const midnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
  if (step >= 86400 || midnight) return at.getDate() + " " + months[at.getMonth()];
  return clock(seconds, step < 60);
}

// age writes how long ago something was.
export function age(seconds) {
  for (const [name, factor] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * factor) return Math.round(seconds / factor) + " " + name;
  }
  return Math.round(seconds) + " s";
}
