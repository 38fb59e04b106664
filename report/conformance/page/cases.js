"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const cases = all("[data-outcome][data-search]");
  const pools = all(".pool");
  const parts = all("section.kind");
  const filter = document.getElementById("filter");
  const group = document.getElementById("group");
  const none = document.getElementById("none");
  document.documentElement.classList.add("js");

  const picked = () => all(".pick[aria-pressed=true]").map((b) => b.dataset.pick);
  const shows = (root) => all("[data-search]", root).filter((c) => !c.hidden).length;

  function apply() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = picked();
    const narrowed = words.length || outcomes.length || (group && group.value);
    for (const c of cases) {
      c.hidden = !(words.every((w) => c.dataset.search.includes(w)) &&
        (!outcomes.length || outcomes.some((o) => c.dataset.outcome.split(",").includes(o))) &&
        (!group || !group.value || c.dataset.group === group.value));
    }
    for (const p of pools) {
      if (p.dataset.search !== undefined) continue;
      const n = shows(p);
      p.hidden = !n;
      p.querySelector(".count").textContent = narrowed && n != p.dataset.size ? n + " of " + p.dataset.size : p.dataset.size;
      if (words.length && n) p.open = true;
    }
    for (const p of parts) p.hidden = !shows(p);
    none.hidden = cases.some((c) => !c.hidden);
  }

  filter.addEventListener("input", apply);
  if (group) group.addEventListener("change", apply);
  for (const b of all(".pick")) {
    b.addEventListener("click", () => {
      b.setAttribute("aria-pressed", b.getAttribute("aria-pressed") !== "true");
      apply();
    });
  }
  const setOpen = (open) => () => {
    for (const d of all("main > section > details")) if (!d.hidden) d.open = open;
  };
  document.getElementById("expand").addEventListener("click", setOpen(true));
  document.getElementById("collapse").addEventListener("click", setOpen(false));
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target === filter) {
      if (e.key === "Escape") { filter.value = ""; apply(); filter.blur(); }
      return;
    }
    if (e.key === "/" && e.target.tagName !== "SELECT") { e.preventDefault(); filter.focus(); }
  });
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let e = target; e; e = e.parentElement) {
      if (e.tagName === "DETAILS") e.open = true;
      e.hidden = false;
    }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  if (location.hash) reveal();
})();
