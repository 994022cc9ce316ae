// Clicks through gimel's dashboard in Debian's chromium, without a script on its pages, as who
// runs an experiment does. It ends with an error where something is not as it should be.
// node dashboard.mjs SITE, with the password in PASSWORD
import { strict as assert } from "node:assert"
import { readFile } from "node:fs/promises"
import { chromium } from "playwright-core"

const site = process.argv[2]
const name = "clicked " + process.pid
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] })
const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false, viewport: { width: 1280, height: 900 } })
context.setDefaultTimeout(20000)
const page = await context.newPage()
const troubles = []
page.on("console", message => { if (message.type() === "error" && !/40[134]|422/.test(message.text())) troubles.push(message.text()) })
page.on("requestfailed", (request) => console.log(request.failure().errorText)) // see gimel-page.mjs
page.on("request", request => { if (!request.url().startsWith(site)) troubles.push("a request to " + request.url()) })

const shows = async text => assert.ok((await page.textContent("body")).includes(text), `no “${text}” in ${page.url()}:\n${await page.textContent("main")}`)
const fits = async () => {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 })
    const widest = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(widest <= width, `${page.url()} is ${widest} wide at ${width}`)
  }
}

await page.goto(site + "/dashboard/")
await page.fill("#password", "not the password")
await page.click("button[type=submit]")
await shows("That is not the password")
await page.fill("#password", process.env.PASSWORD)
await page.click("button[type=submit]")
await fits()

// From the calculator to a declaration.
await page.click("nav >> text=Sample size")
await page.fill("#baseline", "50")
await page.fill("#effect", "40")
await page.click("text=Calculate")
await shows("sequential test decides alone")
const planned = (await page.textContent(".big")).replaceAll(",", "")
await page.click("text=Declare with this size")
assert.equal(await page.inputValue("#planned"), planned)
await page.fill("#name", name)
const labels = page.locator("input[name=variant]")
await labels.nth(0).fill("grey")
await page.fill("#owner", "Ada")
await page.fill("#hypothesis", "Blue is\nseen sooner.")
await page.click("form.sheet button")
await shows("A comparison needs a second variant")
await labels.nth(1).fill("blue")
await page.locator("input[name=goal]").first().fill("sign-up")
await fits()
await page.click("form.sheet button")
await shows("seen sooner")
await shows("Declared: variants grey (1), blue (1); goals sign-up")

// Events, and what is shown of them.
for (let i = 0; i < 24; i++) {
  for (const event of i % 4 ? ["participate"] : ["participate", "sign-up"]) {
    const query = new URLSearchParams({ experiment: name, namespace: "alephbet", variant: i % 2 ? "blue" : "grey", event, uuid: "visitor " + i })
    assert.equal((await context.request.get(site + "/choice?" + query)).status(), 200)
  }
}
await page.reload()
await shows("12 of " + Number(planned).toLocaleString("en"))
await page.focus(".chart.wide input.pick")
assert.ok(await page.isVisible(".chart.wide .tip .when"), "the day is not shown to the keyboard")
await fits()
const phone = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false, hasTouch: true, isMobile: true,
  viewport: { width: 390, height: 800 }, storageState: await context.storageState() })
const touched = await phone.newPage()
await touched.goto(page.url())
await touched.tap(".chart.narrow input.pick")
assert.ok(await touched.isVisible(".chart.narrow .tip .when"), "the day is not shown to a finger")
await phone.close()

// The weights may not change unnoticed.
await page.click(".do >> text=Change")
await page.locator("input[name=weight]").nth(1).fill("3")
await page.click("form.sheet button")
await shows("The weights change while participants come")
await page.click("text=Cancel")

// A plan that is changed after participants came is asked about, and not believed.
await page.click(".do >> text=Change")
await page.fill("#planned", "12")
await page.locator("input[name=goal]").nth(1).fill("order")
await page.locator("select[name=kind]").nth(1).selectOption("value")
await page.locator("input[name=max]").nth(1).fill("500")
await page.click("form.sheet button")
await shows("The plan changes while participants come")
assert.equal(await page.locator("select[name=kind]").nth(1).inputValue(), "value")
await fits()
await page.check("#sure")
await page.click("form.sheet button")
await shows("Declared otherwise since participants came")
await shows("12 of " + Number(planned).toLocaleString("en"))
await shows("Not tested, for being declared since: “order”")
await shows("goals sign-up, order (value) up to 500")
await fits()

// Notes, the log, the archive and the export.
await page.click("text=Change the notes")
await page.fill("#decision", "Blue for everybody")
await page.click("details button")
await shows("Decided: Blue for everybody")
await page.fill("#entry", "the newsletter went out")
await page.click("text=Add")
await shows("the newsletter went out")
await page.click("text=Archive")
await shows("Let it run again")
await page.click("text=Let it run again")
const [download] = await Promise.all([page.waitForEvent("download"), page.click(".do >> text=Export")])
assert.ok((await readFile(await download.path(), "utf8")).includes(`alephbet,${name},participate,blue,total,12`), "the export lacks the count")

// A deletion wants the name.
await page.click("text=Delete…")
await page.fill("#confirm", "clicked")
await page.click("form.sheet button")
await shows("This is not the name of the experiment")
await page.fill("#confirm", name)
await page.click("form.sheet button")
assert.ok(!(await page.textContent("main")).includes(name), "it is still listed")
await page.click("text=Sign out")
await shows("Sign in")

assert.deepEqual(troubles, [])
console.log("clicked through " + name)
await browser.close()
