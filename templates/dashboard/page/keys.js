// What the keys do. None of them does anything while somebody types, or with Ctrl, Alt or Meta.

const typing = (target) => target.matches?.("input, select, textarea");

// move puts the focus on the panel so many further on.
function move(by) {
  const panels = [...document.querySelectorAll(".panel:not([hidden])")];
  if (panels.length === 0) return;
  const at = panels.indexOf(document.activeElement?.closest(".panel"));
  const to = at < 0 ? (by > 0 ? 0 : panels.length - 1) : Math.max(0, Math.min(panels.length - 1, at + by));
  panels[to].focus({ preventScroll: true });
  panels[to].scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

export function listen(does) {
  const find = document.getElementById("find"), keys = document.getElementById("keys");
  const table = {
    j: () => move(1), k: () => move(-1), "[": () => does.step(-1), "]": () => does.step(1),
    d: () => does.paint("dark"), l: () => does.paint("light"), r: does.refresh, p: does.pause,
    "/": () => find.focus(), "?": () => keys.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || keys.open) return;
    if (event.key === "Escape") {
      does.leave();
      if (event.target === find) find.blur();
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "Enter" && event.target.matches(".panel")) does.enlarge(event.target);
    else if (/^[1-9]$/.test(event.key)) does.pick(Number(event.key) - 1);
    else if (table[event.key]) table[event.key]();
    else return;
    event.preventDefault();
  });
}
