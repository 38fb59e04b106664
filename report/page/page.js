"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const scenarios = all(".scenario");
  const filter = document.getElementById("filter");
  const none = document.getElementById("none");
  document.documentElement.classList.add("js");

  const picked = (key) => all(`.pick[data-${key}][aria-pressed=true]`).map((b) => b.dataset[key]);

  function apply() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = picked("outcome");
    const labels = picked("label");
    let shown = 0;
    for (const s of scenarios) {
      const own = s.dataset.labels.split("\n");
      const fits = words.every((w) => s.dataset.search.includes(w)) &&
        (!outcomes.length || outcomes.includes(s.dataset.outcome)) &&
        labels.every((l) => own.includes(l));
      s.hidden = !fits;
      if (fits) shown++;
    }
    none.hidden = shown > 0 || !scenarios.length;
  }

  filter.addEventListener("input", apply);
  for (const b of all(".pick")) {
    b.addEventListener("click", () => {
      b.setAttribute("aria-pressed", b.getAttribute("aria-pressed") !== "true");
      apply();
    });
  }

  const setOpen = (open) => () => {
    for (const s of scenarios) if (!s.hidden) s.open = open;
  };
  document.getElementById("expand").addEventListener("click", setOpen(true));
  document.getElementById("collapse").addEventListener("click", setOpen(false));

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target === filter) {
      if (e.key === "Escape") { filter.value = ""; apply(); filter.blur(); }
      return;
    }
    if (e.key === "/") { e.preventDefault(); filter.focus(); }
  });

  // A link to a step opens what it stands in, and shows what a filter hid.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let e = target; e; e = e.parentElement) {
      if (e.tagName === "DETAILS") { e.open = true; e.hidden = false; }
    }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // The button to copy is made when a raw message is first opened.
  document.addEventListener("toggle", (e) => {
    const box = e.target;
    if (!box.open || !box.matches(".raw") || box.querySelector(".copier")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copier";
    button.textContent = "Copy";
    button.addEventListener("click", () => {
      const text = box.querySelector(".copy");
      const range = document.createRange();
      range.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      const done = () => { button.textContent = "Copied"; };
      if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).then(done, () => document.execCommand("copy") && done());
      else if (document.execCommand("copy")) done();
    });
    box.querySelector("summary").after(button);
  }, true);
})();
