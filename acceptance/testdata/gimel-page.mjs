// A page with AlephBet in Debian's chromium: node page.mjs PAGE ADAPTER TRACK-URL EXPERIMENT
import { chromium } from "playwright-core"

const [page_url, adapter, track, experiment] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
const context = await browser.newContext({ ignoreHTTPSErrors: true })
const page = await context.newPage()
const statuses = []
page.on("response", (response) => response.url().startsWith(track) && statuses.push(response.status()))
// chromium gives up its requests when an interface comes to the machine or goes
// (net::ERR_NETWORK_CHANGED): another lab host is enough. Then what was kept is sent as the next
// event would send it; it is counted once however often it was sent.
page.on("requestfailed", (request) => {
  if (!request.url().startsWith(track)) return
  statuses.push(request.failure().errorText)
  if (request.failure().errorText === "net::ERR_NETWORK_CHANGED") page.evaluate("flush()").catch(() => {})
})
await page.goto(page_url)

await page.evaluate(
  ([adapter, track, experiment]) => {
    const tracking_adapter = new AlephBet[adapter](track, "alephbet")
    window.experiment = new AlephBet.Experiment({
      name: experiment,
      tracking_adapter,
      variants: { blue: { activate() {} }, red: { activate() {} } },
    })
    window.click = () => {
      const goal = new AlephBet.Goal("button clicked", { unique: false })
      window.experiment.add_goal(goal)
      goal.complete()
    }
    window.flush = () => tracking_adapter._flush()
    window.queue = () => {
      const kept = JSON.parse(localStorage.getItem("alephbet") || "{}")
      return JSON.parse(kept[adapter === "GimelAdapter" ? "_gimel_queue" : "_lamed_queue"] || "[]").length
    }
    window.click()
  },
  [adapter, track, experiment],
)

const until = async (what, holds) => {
  for (const end = Date.now() + 20000; Date.now() < end; await page.waitForTimeout(100)) {
    if (await holds()) return
  }
  console.log(`${what}: not in 20 s; answers: ${statuses}; queue: ${await page.evaluate("localStorage.alephbet")}`)
  process.exit(1)
}
const queue = () => page.evaluate("queue()")
const control = (verb) => page.evaluate((verb) => fetch("/redis/" + verb).then((answer) => answer.ok), verb)

// The visit, and with the click both, for the queue goes whole each time.
const answers = () => statuses.filter(Number.isInteger)
await until("the queue is empty", async () => (await queue()) === 0 && answers().length >= 3)
if (!(await control("stop"))) process.exit(1)
const before = answers().length
await page.evaluate("click()")
await until("an answer without Redis", async () => answers().length > before)
if ((await queue()) !== 1 || answers().at(-1) !== 503) {
  console.log(`without Redis: queue ${await queue()}, answers ${statuses}`)
  process.exit(1)
}
if (!(await control("start"))) process.exit(1)
// gimel is back with Redis; the next event takes the kept one along.
await page.waitForTimeout(1000)
await page.evaluate("click()")
await until("the queue is empty again", async () => (await queue()) === 0)
console.log(`${adapter}: answers ${statuses}`)
await browser.close()
