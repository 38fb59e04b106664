// Finds the first visible element that fits; null while there is none, or while the
// document is being loaded.
(function (css, text, enabled) {
  if (document.readyState !== "complete") return null;
  const words = (s) => (s ?? "").replace(/\s+/g, " ").trim();
  const roots = [document];
  for (let i = 0; i < roots.length; i++) {
    for (const e of roots[i].querySelectorAll("*")) if (e.shadowRoot) roots.push(e.shadowRoot);
  }
  const visible = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility === "visible";
  const ready = (e) => visible(e) && (!enabled || !e.disabled);
  const said = (e) => [e.innerText, e.getAttribute("aria-label"), e.placeholder, /^(button|submit|reset)$/.test(e.type) ? e.value : ""].map(words);
  const fits = {
    exactly: (e) => said(e).includes(words(text)),
    partly: (e) => said(e).some((s) => s.includes(words(text))),
  };
  const all = roots.flatMap((r) => [...r.querySelectorAll(css || "body *")]).filter(ready);
  if (!text) return all[0] ?? null;
  for (const fit of [fits.exactly, fits.partly]) {
    const found = all.filter(fit);
    const innermost = css ? found[0] : found.find((e) => !found.some((f) => f !== e && e.contains(f)));
    if (innermost) return innermost.control ?? innermost;
  }
  return null;
})
