// The documentation in Debian's chromium: node pages.mjs SITE DIRECTORY FOLDER PAGE...
// Each page at 1280 and 390 pixels, light and dark: nothing on the console, nothing asked for
// elsewhere, nothing to scroll sideways. Then a search. Screenshots of some go into DIRECTORY.
import assert from "node:assert/strict"
import { chromium } from "playwright-core"

const [site, directory, folder, ...pages] = process.argv.slice(2)
const shown = ["index.html", "tasks/graphite.html", "kinds/file.html", "guarded-changes.html", "reliability.html", "source/examples/base/index.html"]
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
const wrong = []
const headings = {} // of each page, by its address
const links = new Set()

// watched is a page of a window, which notes what is wrong with what it opens.
async function watched(width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
  const page = await context.newPage()
  const tell = (text) => wrong.push(`${page.url()} at ${width}, ${colorScheme}: ${text}`)
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && tell(m.text()))
  page.on("pageerror", (e) => tell(e.message))
  page.on("response", (r) => r.status() >= 400 && tell(`${r.url()} is answered with ${r.status()}`))
  await page.route("**", (route) => {
    const url = route.request().url()
    if (url.startsWith(site) || url.startsWith("data:") || url.startsWith("blob:")) return route.continue()
    tell(`asks for ${url}`)
    return route.abort()
  })
  return { context, page, tell }
}

for (const [width, colorScheme] of [[1280, "light"], [390, "dark"]]) {
  const { context, page, tell } = await watched(width, colorScheme)
  for (const name of pages) {
    // Of fifty kinds and a hundred files of the source, all of a form, those where there is less room are enough.
    if (width === 1280 && /^(kinds|source)\//.test(name) && !shown.includes(name)) continue
    await page.goto(`${site}/${name}`)
    const { wide, long, heading, scheme, ids, hrefs } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - innerWidth,
      long: [...document.querySelectorAll(".highlight:not(.language-text) code")].find((e) => e.scrollWidth > e.clientWidth)?.textContent,
      heading: document.querySelector("h1")?.checkVisibility(),
      scheme: document.body.dataset.mdColorScheme,
      ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
      hrefs: [...document.querySelectorAll("a[href]")].map((a) => a.href),
    }))
    headings[`${site}/${name}`] = ids
    hrefs.filter((href) => href.startsWith(site)).forEach((href) => links.add(href))
    if (wide > 0) tell(`is ${wide} pixels too wide`)
    if (long) tell(`has code that is scrolled sideways: ${long}`)
    if (!heading) tell("has no heading")
    if (scheme !== { light: "default", dark: "slate" }[colorScheme]) tell(`is ${scheme}`)
  }
  for (const name of shown) {
    await page.goto(`${site}/${name}`)
    await page.screenshot({ path: `${directory}/${name.replaceAll("/", "-").replace(".html", "")}-${width}.png` })
  }
  await context.close()
}

// What is searched for, and the page that has to be among the first that are found.
const searches = { graphite: "tasks/graphite.html", "graphite retention": "tasks/graphite.html", guarded: "guarded-changes.html", window: "fleets.html" }

// search types into the page's search, and returns the links that it shows.
async function search(page, words) {
  const found = page.locator(".md-search-result__item > .md-search-result__link")
  // What is typed before the page has its script is not searched for: on a busy machine it is typed again.
  for (let again = 0; again < 10; again++) {
    await page.fill("input.md-search__input", "")
    await page.locator("input.md-search__input").pressSequentially(words)
    await found.first().waitFor({ timeout: 5000 }).catch(() => {})
    if ((await found.count()) > 0) break
  }
  return found.evaluateAll((all) => all.map((a) => a.href))
}

for (const width of [1280, 390]) {
  const { context, page } = await watched(width, "light")
  for (const [words, wanted] of Object.entries(searches)) {
    await page.goto(`${site}/index.html`)
    if (width === 390) await page.click("label.md-header__button[for=__search]")
    const shown = await search(page, words)
    assert(shown.slice(0, 3).some((link) => link.includes(`/${wanted}`)), `a search for ${words} finds ${shown.join(" ")}`)
    await page.screenshot({ path: `${directory}/search-${width}.png` })
  }
  await page.locator(".md-search-result__link").first().click()
  await page.waitForURL((url) => url.pathname !== "/index.html" || url.hash !== "" || url.search !== "")
  await context.close()
}

// The same pages from the folder, without a server: the first one, and one of another folder.
for (const name of ["index.html", "tasks/graphite.html"]) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.on("pageerror", (e) => wrong.push(`${name} from the folder: ${e.message}`))
  page.on("console", (m) => m.type() === "error" && wrong.push(`${name} from the folder: ${m.text()}`))
  await page.goto(`file://${folder}/${name}`)
  const shown = await search(page, "guarded")
  assert(shown.some((link) => link.startsWith(`file://${folder}/guarded-changes.html`)), `a search from the folder finds ${shown.join(" ")}`)
  await page.close()
}

for (const link of links) {
  const [address, heading] = link.split("#")
  if (!headings[address]) {
    if (!(await fetch(address)).ok) wrong.push(`${link} is not there`)
  } else if (heading && !headings[address].includes(decodeURIComponent(heading))) wrong.push(`${link}: no such heading`)
}

await browser.close()
assert.deepEqual(wrong, [])
