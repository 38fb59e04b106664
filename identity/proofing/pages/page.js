"use strict";
// The person's side of a session. Pictures come from the double of the camera.
const base = document.body.dataset.base;
const main = document.getElementById("main");
const pick = (id) => document.getElementById(id).value;
let shot = null; // what the camera took and was not sent yet

const names = {
  consent: "Consent", document: "Document", "second-document": "Second document", selfie: "Selfie",
  "turn-left": "turn left", "turn-right": "turn right", blink: "close your eyes", "open-mouth": "open your mouth",
};

function element(tag, properties = {}, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

const text = (s) => element("p", { textContent: s });
const button = (label, action, other) =>
  element("button", { textContent: label, className: other ? "other" : "", onclick: () => run(action) });

async function call(method, path, body, type = "application/json") {
  const answer = await fetch(path, { method, body, headers: body ? { "Content-Type": type } : {} });
  const json = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(json.error.message), json.error);
  return json;
}

const post = (path, body, type) => call("POST", location.pathname + "/" + path, body, type);

async function run(action) {
  for (const b of main.querySelectorAll("button")) b.disabled = true;
  try {
    await action();
  } catch (e) {
    if (e.code === "device_required") return show(start());
    if (e.code === "already_started" || e.code === "moved") return show([element("h1", { textContent: "Open on another device" }), text(e.message + ".")]);
    show([element("h1", { textContent: "That did not work" }), text(e.message + "."), button("Try again", refresh)]);
  }
}

function show(parts) { main.replaceChildren(...parts); }

function start() {
  return [
    element("h1", { textContent: "Show who you are" }),
    text("You need your document and your face. It takes about two minutes."),
    button("Start on this device", async () => { await post("start"); started = true; await refresh(); }),
  ];
}

let started = document.cookie !== "" || sessionStorage.getItem(location.pathname) !== null;

async function refresh() {
  const v = await call("GET", location.pathname + "/state");
  progress(v);
  if (v.status !== "pending") return show(decided(v));
  if (!started) return show(start());
  sessionStorage.setItem(location.pathname, "started");
  const parts = { consent, document: takeDocument, "second-document": takeDocument, selfie }[v.step](v);
  show([...parts.slice(0, 1), ...reasons(v), ...parts.slice(1), button("Continue on another device", handOver, true)]);
}

function progress(v) {
  const now = v.status === "verified" || v.status === "issued" ? v.steps.length : v.steps.indexOf(v.step);
  document.getElementById("steps").replaceChildren(...v.steps.map((s, i) =>
    element("li", { textContent: names[s], className: i < now ? "done" : i === now ? "now" : "" })));
}

function reasons(v) {
  if (!v.reasons) return [];
  return [element("ul", { className: "reasons" }, ...v.reasons.map((r) =>
    element("li", { textContent: r.provider }, element("small", { textContent: r.detail }))))];
}

function consent() {
  return [
    element("h1", { textContent: "Pictures of your face" }),
    text("They are compared with the photo in your document. Nothing of them is kept but a hash, by which they are known if they come again."),
    button("I agree", async () => { await post("consent"); await refresh(); }),
  ];
}

function takeDocument(v) {
  const parts = [
    element("h1", { textContent: v.step === "document" ? "Photograph your document" : "And another document" }),
    text(v.documents.map((k) => k.replace("-", " ")).join(", ") + ". All corners, no reflections. Attempts left: " + v.left + "."),
  ];
  if (!shot) return [...parts, button("Take the picture", async () => {
    const q = pick("defect") ? "?defect=" + pick("defect") : "";
    const answer = await fetch(`${base}/camera/${pick("person")}/${pick("kind")}.png${q}`);
    if (!answer.ok) throw new Error((await answer.json()).error.message);
    shot = await answer.blob();
    await refresh();
  })];
  return [...parts,
    element("img", { className: "shot", src: URL.createObjectURL(shot), alt: "Your document" }),
    button("Send it", async () => { const b = shot; shot = null; await post("document", b, "image/png"); await refresh(); }),
    button("Take another", async () => { shot = null; await refresh(); }, true),
  ];
}

function selfie(v) {
  const parts = [
    element("h1", { textContent: "Now your face" }),
    text("Look ahead, then: " + v.challenge.map((c) => names[c]).join(", then ") + ". Attempts left: " + v.left + "."),
  ];
  if (!shot) return [...parts, button("Take the pictures", async () => {
    const q = new URLSearchParams([["condition", pick("condition")], ...v.challenge.map((c) => ["pose", c])]);
    shot = await call("GET", `${base}/camera/${pick("person")}/selfie?${q}`);
    await refresh();
  })];
  return [...parts,
    element("div", { className: "frames" }, ...shot.frames.map((f) => element("img", { src: "data:image/png;base64," + f, alt: "" }))),
    button("Send them", async () => { const b = JSON.stringify(shot); shot = null; await post("selfie", b); await refresh(); }),
    button("Take others", async () => { shot = null; await refresh(); }, true),
  ];
}

function decided(v) {
  if (v.status === "verified" || v.status === "issued") return [
    element("h1", { textContent: "You are verified", className: "good" }),
    text("Put the Verified ID into your wallet, then go back to where you came from."),
    button("Get the Verified ID", async () => {
      const o = await post("offer");
      show([
        element("h1", { textContent: "Open this in your wallet" }),
        element("a", { href: o.link, textContent: o.link, style: "overflow-wrap: anywhere" }),
        ...(o.txCode ? [text("Your wallet asks for this code:"), element("p", { className: "code", textContent: o.txCode })] : []),
      ]);
    }),
  ];
  const title = { rejected: "You could not be verified", expired: "The time is over", cancelled: "This was cancelled" }[v.status];
  return [element("h1", { textContent: title, className: "bad" }), ...reasons(v), text("Go back to where you came from to begin anew, or ask the help desk.")];
}

async function handOver() {
  const h = await post("handover");
  show([
    element("h1", { textContent: "Continue on another device" }),
    element("img", { className: "qr", src: h.qr, alt: "QR code of " + h.url }),
    text("Or open " + h.url.slice(0, h.url.lastIndexOf("/") + 1) + " followed by this code, within five minutes:"),
    element("p", { className: "code", textContent: h.code.slice(0, 4) + " " + h.code.slice(4) }),
    button("Stay on this device", refresh, true),
  ]);
}

function takeUp() {
  return [
    element("h1", { textContent: "Continue on this device" }),
    text("The other device is then signed off."),
    button("Continue here", async () => {
      const d = await call("POST", base + "/continue", JSON.stringify({ code: document.body.dataset.code }));
      sessionStorage.setItem(new URL(d.url).pathname, "started");
      location.replace(new URL(d.url).pathname);
    }),
  ];
}

function kinds() {
  const of = document.getElementById("person").selectedOptions[0].dataset.kinds.trim().split(" ");
  document.getElementById("kind").replaceChildren(...of.map((k) => element("option", { textContent: k })));
}

document.getElementById("person").addEventListener("change", kinds);
kinds();
run(document.body.dataset.code ? async () => show(takeUp()) : refresh);
