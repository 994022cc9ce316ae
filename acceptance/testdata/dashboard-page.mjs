// The dashboards in Debian's chromium: node page.mjs SITE PASSWORD STOP START DIRECTORY
// STOP and START are asked for when graphite-web shall stop and run again; screenshots go into DIRECTORY.
import assert from "node:assert/strict"
import { chromium } from "playwright-core"

const [site, password, stop, start, directory] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })

// contrasts are the texts of the page that can hardly be read on their ground.
const contrasts = () => {
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number)
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor)
      if (colour.length === 3 || colour[3] === 1) return colour
    }
    return [255, 255, 255]
  }
  const bad = []
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim())
    if (!own || !element.checkVisibility() || element.closest(".failed, .tag, .hidden")) continue
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (ratio < 4.5) bad.push(`${element.className || element.tagName} ${ratio.toFixed(1)}`)
  }
  return bad
}

// looks opens the page in a window, and sees that it is drawn and fits in it.
async function looks(name, width, height, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, httpCredentials: { username: "graphite", password } })
  const page = await context.newPage()
  const told = []
  page.on("console", (m) => m.type() === "error" && told.push(m.text()))
  page.on("pageerror", (e) => told.push(e.message))
  page.on("request", (r) => r.url().startsWith(site) || told.push("asks " + r.url()))
  await page.goto(site + "/dashboards/#/shop/15m")
  const panel = (title) => page.locator(".panel", { has: page.getByRole("heading", { name: title, exact: true }) })
  await panel("Orders").locator("canvas").waitFor()
  await panel("Orders").locator(".series").first().waitFor()
  const painted = await panel("Orders").locator("canvas").evaluate((c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((b) => b > 0))
  assert.ok(painted, "nothing is drawn")
  assert.match(await panel("Orders").locator(".legend").innerText(), /orders\s+42\/s/)
  assert.match(await panel("Nothing").innerText(), /No data\s+no such metric has arrived yet\s+shop.nothing/)
  assert.match(await panel("Old").innerText(), /no point for \d+ min/)
  await page.getByText("the shop was deployed").waitFor()
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 0, `the page is ${wide} pixels too wide`)
  assert.deepEqual(await page.evaluate(contrasts), [], "contrast")
  await page.screenshot({ path: `${directory}/${name}.png`, fullPage: true })
  assert.deepEqual(told, [], "console")
  return { page, panel }
}

await looks("390-dark", 390, 844, "dark")
await looks("390-light", 390, 844, "light")
await looks("1280-dark", 1280, 900, "dark")
const { page, panel } = await looks("1280-light", 1280, 900, "light")

// The numbers that people read.
const written = await page.evaluate(async () => {
  const { number, age } = await import("./format.js")
  return [number(0.5), number(1234567), number(1536, "bytes"), number(0.25, "seconds"), number(1500, "milliseconds"), number(-3.14159, "percent"), number(null), number(12, "/min"), age(90), age(7300)]
})
assert.deepEqual(written, ["0.5", "1.23M", "1.5 KiB", "250 ms", "1.5 s", "−3.14 %", "–", "12/min", "90 s", "2 h"])

// Keys.
const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
const light = await ground()
await page.keyboard.press("d")
assert.notEqual(await ground(), light, "d makes it dark")
await page.keyboard.press("l")
assert.equal(await ground(), light, "l makes it light")
await page.keyboard.press("4")
await page.waitForURL(/\/6h$/)
await page.keyboard.press("j")
await page.keyboard.press("j")
assert.equal(await page.evaluate(() => document.activeElement.querySelector("h2").textContent), "Nothing", "j j")
await page.keyboard.press("k")
await page.keyboard.press("Enter")
assert.equal(await page.locator(".large h2").innerText(), "Orders", "Enter")
await page.keyboard.press("Escape")
await page.keyboard.press("?")
assert.ok(await page.getByRole("dialog", { name: "Keys" }).isVisible(), "?")
await page.keyboard.press("Escape")
await page.keyboard.press("/")
await page.keyboard.type("old")
assert.equal(await page.locator(".panel:visible").count(), 1, "/ finds")
await page.keyboard.press("Escape")
assert.equal(await page.locator(".panel:visible").count(), 3, "Esc shows all")

// Graphite fails: the reason is told, and what was drawn stays.
assert.ok((await fetch(stop)).ok)
await page.keyboard.press("r")
await panel("Orders").getByText("Graphite answered 502: graphite-web does not run").or(panel("Orders").getByText(/^Graphite answered 502: .* – graphite-web does not run/)).waitFor()
await panel("Orders").getByText("What is shown is of").waitFor()
await page.screenshot({ path: `${directory}/failed.png` })
assert.ok((await fetch(start)).ok)
await page.keyboard.press("r")
await page.locator(".failed").first().waitFor({ state: "detached" })
await browser.close()
