// What is asked of Graphite, on the same site. A failure is an Error whose message is for people.

const patience = 30_000; // milliseconds
const atOnce = 4; // requests: graphite-web has few processes, and others want them too

let going = 0;
const waiting = [];

// turn waits until a request may go.
async function turn() {
  if (going >= atOnce) await new Promise((go) => waiting.push(go));
  going++;
}

function done() {
  going--;
  waiting.shift()?.();
}

// reason finds in an answer what went wrong: Graphite tells it as text, or in a page.
function reason(body) {
  const text = body.includes("<") ? new DOMParser().parseFromString(body, "text/html") : null;
  const found = text ? (text.querySelector("pre, .exception_value, h1, title")?.textContent ?? "") : body;
  const line = found.trim().split("\n").filter((l) => l.trim()).at(-1) ?? "";
  return line.length > 200 ? line.slice(0, 200) + "…" : line.trim();
}

// meaning says what a status is likely to mean here.
function meaning(status) {
  switch (status) {
    case 401: return "the password is wanted again: reload the page";
    case 403: return "this is not allowed";
    case 500: return "an expression may be wrong, or Graphite's log tells more";
    case 502: return "graphite-web does not run";
    case 504: return "graphite-web took too long";
  }
  return "";
}

// ask makes one request, and returns what the answer's JSON holds and the clock of the host that gave it.
async function ask(path, fields, stop) {
  await turn();
  try {
    const late = AbortSignal.timeout(patience);
    const query = new URLSearchParams(fields).toString();
    const long = query.length > 4000; // nginx takes lines of 8 KB
    const response = await fetch(long ? path : path + "?" + query, {
      method: long ? "POST" : "GET", body: long ? new URLSearchParams(fields) : undefined,
      signal: AbortSignal.any([late, stop]), cache: "no-store",
    });
    if (!response.ok) {
      const why = [reason(await response.text()), meaning(response.status)].filter(Boolean);
      throw new Error(`Graphite answered ${response.status}${why.length ? ": " + why.join(" – ") : ""}`);
    }
    const now = Date.parse(response.headers.get("Date") ?? "") / 1000;
    const text = await response.text();
    try {
      return { data: JSON.parse(text), now: now || Date.now() / 1000 };
    } catch {
      throw new Error("Graphite's answer is no JSON: " + reason(text));
    }
  } catch (error) {
    if (stop.aborted) throw stop.reason;
    if (error.name === "TimeoutError") throw new Error(`Graphite has not answered within ${patience / 1000} s`);
    if (error instanceof TypeError) throw new Error("Graphite cannot be reached");
    throw error;
  } finally {
    done();
  }
}

// known is what can be drawn: no null, and not what Graphite writes for infinity, 1e9999, which carbon takes from
// anybody. What comes near would be that in a sum.
const known = (value) => (Math.abs(value) < 1e300 ? value : null);

// series asks for a panel's targets: {name, start, step, points} of each series.
export async function series(targets, span, width, stop) {
  const fields = targets.map((target) => ["target", target]);
  fields.push(["from", span.from], ["until", span.until], ["format", "json"], ["noCache", "1"], ["maxDataPoints", Math.max(100, Math.round(width))]);
  const { data, now } = await ask("../render", fields, stop);
  if (!Array.isArray(data)) throw new Error("Graphite's answer has no series");
  return {
    now,
    list: data.map((one) => ({ name: one.target, xs: one.datapoints.map((p) => p[1]), ys: one.datapoints.map((p) => known(p[0])) })),
  };
}

// events asks for what was noted in a span of time: {when, what, tags, data} of each, the oldest first.
export async function events(span, stop) {
  const { data } = await ask("../events/get_data", [["from", span.from], ["until", span.until]], stop);
  const list = data.map((one) => ({ ...one, tags: Array.isArray(one.tags) ? one.tags : String(one.tags ?? "").split(" ").filter(Boolean) }));
  return list.sort((a, b) => a.when - b.when);
}
