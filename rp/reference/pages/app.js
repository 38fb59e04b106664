"use strict";

// The API. A refusal becomes an Error with its code.
async function api(method, path, body) {
  const answer = await fetch(path, {
    method, credentials: "same-origin",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => { throw new Error("The site cannot be reached. Check the connection and try again."); });
  const text = await answer.text();
  const value = text ? JSON.parse(text) : null;
  if (answer.ok) return value;
  throw Object.assign(new Error(value?.reason ?? `status ${answer.status}`), { code: value?.code });
}

// base64url, for browsers without the JSON forms of WebAuthn Level 3.
const toBytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const descriptors = (list) => list?.map((d) => ({ ...d, id: toBytes(d.id) }));

function creationOptions(o) {
  if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(o);
  return { ...o, challenge: toBytes(o.challenge), user: { ...o.user, id: toBytes(o.user.id) }, excludeCredentials: descriptors(o.excludeCredentials) };
}

function requestOptions(o) {
  if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(o);
  return { ...o, challenge: toBytes(o.challenge), allowCredentials: descriptors(o.allowCredentials) };
}

function toJSON(c) {
  if (c.toJSON) return c.toJSON();
  const response = { clientDataJSON: toText(c.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (c.response[name]) response[name] = toText(c.response[name]);
  }
  if (c.response.getTransports) response.transports = c.response.getTransports();
  return { id: c.id, rawId: toText(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(), response };
}

// go leaves the page. What was pressed stays disabled meanwhile, so that a second click
// does nothing twice.
let leaving = false;
function go(to) {
  leaving = true;
  if (to) location.assign(to);
  else location.reload();
}
const reload = () => go();
// A page that the back button brings out of the browser's memory is one of before.
window.addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });

// passkeys is what makes and uses them. Browsers have none in pages without TLS.
function passkeys() {
  if (!navigator.credentials) throw Object.assign(new Error("there are no passkeys here"), { name: "SecurityError" });
  return navigator.credentials;
}

let waiting; // the ceremony that runs, so that the next one can end it

async function register(person) {
  waiting?.abort();
  const begun = await api("POST", "/api/register/begin", person);
  const made = await passkeys().create({ publicKey: creationOptions(begun.publicKey) });
  await api("POST", "/api/register/finish", { ceremony: begun.ceremony, credential: toJSON(made) });
  go("/passkeys");
}

// signIn signs in with a passkey. It stays on the page where that is what was wanted.
async function signIn(name, mediation, stay) {
  waiting?.abort();
  const mine = (waiting = new AbortController());
  const begun = await api("POST", "/api/signin/begin", { name });
  if (mine.signal.aborted) return;
  const used = await passkeys().get({ publicKey: requestOptions(begun.publicKey), mediation, signal: mine.signal });
  try {
    await api("POST", "/api/signin/finish", { ceremony: begun.ceremony, credential: toJSON(used) });
  } catch (e) {
    if (e.code === "unknown-credential") {
      await window.PublicKeyCredential?.signalUnknownCredential?.({ rpId: document.body.dataset.rpId, credentialId: used.id });
    }
    throw e;
  }
  if (!stay) go("/passkeys");
}

// Autofill: passkeys among the suggestions of the user name field. A challenge does
// not last for ever, so it is drawn anew before it ends.
async function offerAutofill() {
  if (!(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
  const offer = () => signIn("", "conditional").catch((e) => {
    clearInterval(again);
    if (e.name !== "NotAllowedError") show(e); // nobody asked for anything yet
  });
  const again = setInterval(offer, 4 * 60 * 1000);
  await offer();
}

// show says what went wrong, near what was pressed. A session that has ended is begun
// anew in a dialog, so that nothing that was typed is lost.
function show(e, near) {
  if (e.name === "AbortError") return;
  const dialog = document.getElementById({ "sign-in-required": "again-dialog", "sign-in-too-old": "again-dialog", "admin-required": "admin-dialog" }[e.code]);
  if (dialog && !dialog.open) {
    dialog.showModal();
    near = dialog.querySelector(".primary");
  }
  const text = reasons[e.name] ?? e.message;
  say(advice[e.code] ? `${ended(text)} ${advice[e.code]}` : text, true, near);
}

const ended = (s) => s + (/[.!?…]$/.test(s) ? "" : ".");
const sentence = (s) => s.charAt(0).toUpperCase() + ended(s).slice(1);

// What to do about a refusal, where its own words do not say.
const advice = {
  "password-wrong": "Type it again, or choose another way below.",
  "code-wrong": "Look for the newest message, or have another code sent.",
  "code-expired": "Have another one sent.",
  "code-used": "Have another one sent.",
  "answers-wrong": "Try again, or choose another way below.",
  "attempt-unknown": "Load the page again.",
  "pass-wrong": "Look at it once more, or ask whoever gave it to you for another.",
  "pass-expired": "Ask whoever gave it to you for another.",
  "pass-used": "Ask whoever gave it to you for another.",
  "reset-needs-methods": "Ask the helpdesk for a Temporary Access Pass.",
  "challenge-expired": "Try again.",
  "risk-needs-passkey": "Use your passkey, or ask the helpdesk.",
  "no-recent-sign-in": "The helpdesk can let you back in.",
  "recovery-not-in-scope": "The helpdesk can let you back in.",
  "licence-missing": "The helpdesk can let you back in.",
  "pass-not-enabled": "The helpdesk can let you back in.",
  "provider-blocked": "The helpdesk can let you back in.",
  "country-not-covered": "Leave the country empty, or ask the helpdesk.",
  "provider-unavailable": "Try again in some minutes, or ask the helpdesk.",
};

const reasons = {
  NotAllowedError: "Nothing happened: it was cancelled, took too long, or no passkey fits.",
  InvalidStateError: "This device already has a passkey for this account. Sign in with it, or choose another device.",
  NotSupportedError: "This device cannot make a passkey of a kind that is accepted here.",
  SecurityError: "Passkeys do not work at this address.",
};

// say tells something above the button of the form that it is about, where it covers
// nothing, or else at the head of the page.
let sayTimer;
function say(text, bad, near) {
  const status = document.getElementById("status");
  if (!near?.getClientRects?.().length) near = document.querySelector("section.narrow:not([hidden]) button.wide"); // what was pressed is gone
  const form = near?.closest?.("form");
  const button = form && [...form.querySelectorAll("button:not([type=button])")].pop();
  if (button) (button.closest(".buttons") ?? button).before(status);
  else if (near?.matches?.(".wide, .buttons *")) (near.closest(".buttons") ?? near).before(status);
  else (near?.closest?.("dialog, section.narrow") ?? document.getElementById("main")).prepend(status);
  status.hidden = false;
  status.classList.toggle("bad", Boolean(bad));
  status.setAttribute("role", bad ? "alert" : "status");
  status.textContent = text;
  status.scrollIntoView({ block: "nearest" });
  clearTimeout(sayTimer);
  if (!bad) sayTimer = setTimeout(hush, 6000);
}

function hush() {
  const status = document.getElementById("status");
  document.body.append(status); // or it would go with the form that it stood in
  status.hidden = true;
  status.textContent = "";
  status.classList.remove("bad");
}

// Dialogs. What one is about is kept until it is answered.
let about = {};
function ask(id, what) {
  about = what;
  const dialog = document.getElementById(id);
  dialog.querySelectorAll("[data-who]").forEach((e) => { e.textContent = what.person ?? ""; });
  dialog.showModal();
  return dialog;
}

const words = (s) => s.split(",").map((w) => w.trim()).filter(Boolean);
const item = (e) => e.closest("[data-id]").dataset;

// What buttons and forms do, by their data-do.
const actions = {
  "sign-in": (_, f) => signIn(f.get("name").trim()),
  "sign-up": (_, f) => register({ name: f.get("name").trim(), displayName: f.get("displayName").trim() }),
  "redeem": async (_, f) => {
    await api("POST", "/api/recovery/redeem", { name: f.get("name").trim(), pass: f.get("pass").trim() });
    go("/passkeys");
  },
  "sign-out": async () => { await api("DELETE", "/api/session"); go("/"); },
  "sign-in-again": async (e) => {
    await signIn(e.dataset.name, undefined, true);
    e.closest("dialog").close();
    say("You are signed in again. Go on where you were.");
  },
  "add": () => register({}),
  "rename": (e) => {
    const d = ask("rename-dialog", item(e));
    d.querySelector("input").value = about.name;
    d.querySelector("input").select();
  },
  "save-name": async (_, f) => { await api("PATCH", `/api/credentials/${about.id}`, { name: f.get("name").trim() }); reload(); },
  "delete": (e) => { document.getElementById("delete-name").textContent = item(e).name; ask("delete-dialog", item(e)); },
  "confirm-delete": async () => { await api("DELETE", `/api/credentials/${about.id}`); reload(); },
  "close": (e) => e.closest("dialog").close(),
  "reload": reload,

  "end-others": () => sure("This signs you out everywhere but here.", () => api("DELETE", "/api/sessions")),
  "remove-method": (e) => sure(`You will no longer be able to use this: ${e.dataset.title}.`, () => api("DELETE", `/api/methods?kind=${encodeURIComponent(e.dataset.kind)}`)),
  "add-method": async (_, f) => { await api("POST", "/api/methods", enrolment(f)); reload(); },

  "admin-again": async (e, f) => {
    await api("POST", "/api/admin/session", { token: f.get("token") });
    e.querySelector("[name=token]").value = "";
    e.closest("dialog").close();
    say("You are an administrator again. Go on where you were.");
  },
  "admin-sign-in": async (_, f) => { await api("POST", "/api/admin/session", { token: f.get("token") }); reload(); },
  "admin-sign-out": async () => { await api("DELETE", "/api/admin/session"); reload(); },
  "sure": async () => { await about.act(); reload(); },
};

function sure(effect, act) {
  document.getElementById("sure-text").textContent = effect;
  ask("sure-dialog", { ...about, act });
}

// enrolment reads a form that adds a method.
function enrolment(f) {
  const e = { kind: f.get("kind") };
  if (f.get("address")) e.address = f.get("address").trim();
  if (f.get("secret")) e.secret = f.get("secret");
  const asked = f.getAll("question").map((q, i) => [q.trim(), f.getAll("answer")[i].trim()]).filter(([q]) => q);
  if (asked.length > 0) e.answers = Object.fromEntries(asked);
  return e;
}

// Fields that belong to one kind of method are shown for it alone.
function fitFields(select) {
  for (const part of select.form.querySelectorAll("[data-for]")) {
    part.disabled = part.hidden = !part.dataset.for.split(" ").includes(select.value);
  }
}
for (const select of document.querySelectorAll("select[data-fits]")) {
  select.addEventListener("change", () => fitFields(select));
  fitFields(select);
}

// Tables that become lists on narrow screens stay tables to assistive technology, and
// each cell says which column it was in.
const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
for (const table of document.querySelectorAll("table.stack")) {
  const heads = [...table.tHead.rows[0].cells].map((c) => c.textContent.trim());
  for (const e of [table, ...table.querySelectorAll("thead, tbody, tr, th, td")]) {
    e.setAttribute("role", roles[e.tagName] ?? (e.scope === "col" ? "columnheader" : "rowheader"));
    if (e.tagName === "TD" && e.colSpan === 1) e.dataset.label = heads[e.cellIndex];
  }
}

async function run(element, form) {
  const button = form?.querySelector("button:not([type=button])") ?? element;
  if (button.disabled) return;
  button.disabled = true;
  hush();
  try {
    await actions[element.dataset.do](element, form && new FormData(form));
  } catch (e) {
    show(e, element);
  } finally {
    button.disabled = leaving;
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.do) return;
  event.preventDefault();
  run(event.target, event.target);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button) run(button);
});
if (document.querySelector("[data-autofill]")) offerAutofill();
