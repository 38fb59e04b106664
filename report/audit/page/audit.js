"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const rows = all("[data-search]");
  const filter = document.getElementById("filter");
  const none = document.getElementById("none");
  document.documentElement.classList.add("js");

  function apply() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = all(".pick[aria-pressed=true]").map((b) => b.dataset.pick);
    for (const r of rows) {
      r.hidden = !(words.every((w) => r.dataset.search.includes(w)) && (!verdicts.length || verdicts.includes(r.dataset.verdict)));
    }
    for (const p of all(".pool")) {
      const n = all("[data-search]", p).filter((r) => !r.hidden).length;
      p.hidden = !n;
      p.querySelector(".count").textContent = n;
      if (words.length && n) p.open = true;
    }
    for (const s of all("section.kind")) s.hidden = !all("[data-search]", s).some((r) => !r.hidden);
    none.hidden = rows.some((r) => !r.hidden);
  }
  filter.addEventListener("input", apply);
  for (const b of all(".pick")) {
    b.addEventListener("click", () => {
      b.setAttribute("aria-pressed", b.getAttribute("aria-pressed") !== "true");
      apply();
    });
  }
  const setOpen = (open) => () => all("section.kind > details").forEach((d) => { d.open = open; });
  document.getElementById("expand").addEventListener("click", setOpen(true));
  document.getElementById("collapse").addEventListener("click", setOpen(false));
  document.addEventListener("keydown", (e) => {
    if (e.target === filter && e.key === "Escape") { filter.value = ""; apply(); filter.blur(); }
    if (e.target !== filter && e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); filter.focus(); }
  });
  function reveal() {
    for (let e = document.getElementById(decodeURIComponent(location.hash.slice(1))); e; e = e.parentElement) {
      if (e.tagName === "DETAILS") e.open = true;
    }
  }
  window.addEventListener("hashchange", reveal);
  if (location.hash) reveal();
})();
