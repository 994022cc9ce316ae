// A page that was opened from a folder may neither fetch a file nor start a worker: to a browser each file is
// an origin of its own. There the search's index comes as a script (build writes it), and what would be the
// worker's script runs in a frame. The theme asks for both: __search.index, and the class Worker.
if (location.protocol === "file:") {
  const from = document.currentScript.src
  const run = (page, src) => new Promise((loaded) => {
    const script = page.createElement("script")
    script.src = src
    script.onload = loaded
    page.head.append(script)
  })

  window.__search = { index: run(document, new URL("search/search_index.js", from)).then(() => window.searchIndex) }

  window.Worker = class extends EventTarget {
    constructor(src) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      this.inside = frame.contentWindow
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }))
      this.ready = run(this.inside.document, src)
    }

    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })))
    }
  }
}
