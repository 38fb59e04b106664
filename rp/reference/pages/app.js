"use strict";

// The API. A refusal becomes an Error with its code.
async function api(method, path, body) {
  const answer = await fetch(path, {
    method, credentials: "same-origin",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
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

let waiting; // the ceremony that runs, so that the next one can end it

async function register(person) {
  waiting?.abort();
  const begun = await api("POST", "/api/register/begin", person);
  const made = await navigator.credentials.create({ publicKey: creationOptions(begun.publicKey) });
  await api("POST", "/api/register/finish", { ceremony: begun.ceremony, credential: toJSON(made) });
  location.assign("/passkeys");
}

async function signIn(name, mediation) {
  waiting?.abort();
  const mine = (waiting = new AbortController());
  const begun = await api("POST", "/api/signin/begin", { name });
  if (mine.signal.aborted) return;
  const used = await navigator.credentials.get({ publicKey: requestOptions(begun.publicKey), mediation, signal: mine.signal });
  try {
    await api("POST", "/api/signin/finish", { ceremony: begun.ceremony, credential: toJSON(used) });
  } catch (e) {
    if (e.code === "unknown-credential") {
      await window.PublicKeyCredential?.signalUnknownCredential?.({ rpId: document.body.dataset.rpId, credentialId: used.id });
    }
    throw e;
  }
  location.assign("/passkeys");
}

// Autofill: passkeys among the suggestions of the user name field. A challenge does
// not last for ever, so it is drawn anew before it ends.
async function offerAutofill() {
  if (!(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
  const again = setInterval(() => signIn("", "conditional").catch(show), 4 * 60 * 1000);
  try {
    await signIn("", "conditional");
  } catch (e) {
    clearInterval(again);
    show(e);
  }
}

function show(e) {
  if (e.name === "AbortError") return;
  say(reasons[e.name] ?? e.message, true);
}

const reasons = {
  NotAllowedError: "Nothing happened: it was cancelled, took too long, or no passkey fits.",
  InvalidStateError: "This device already has a passkey for this account.",
  NotSupportedError: "This device cannot make a passkey of a kind that is accepted here.",
  SecurityError: "Passkeys do not work at this address.",
};

let sayTimer;
function say(text, bad) {
  const status = document.getElementById("status");
  status.hidePopover(); // shown anew, it comes before an open dialog
  status.showPopover();
  status.classList.toggle("bad", Boolean(bad));
  status.textContent = text;
  clearTimeout(sayTimer);
  sayTimer = setTimeout(() => status.hidePopover(), bad ? 10000 : 4000);
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
const reload = () => location.reload();
const personPath = (what) => `/api/admin/people/${encodeURIComponent(about.person)}/${what}`;
const row = (e) => e.closest("[data-person]").dataset;
const item = (e) => e.closest("[data-id]").dataset;

// What buttons and forms do, by their data-do.
const actions = {
  "sign-in": (_, f) => signIn(f.get("name").trim()),
  "sign-up": (_, f) => register({ name: f.get("name").trim(), displayName: f.get("displayName").trim() }),
  "redeem": async (_, f) => {
    await api("POST", "/api/recovery/redeem", { name: f.get("name").trim(), pass: f.get("pass").trim() });
    location.assign("/passkeys");
  },
  "sign-out": async () => { await api("DELETE", "/api/session"); location.assign("/"); },
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

  "admin-sign-in": async (_, f) => { await api("POST", "/api/admin/session", { token: f.get("token") }); reload(); },
  "admin-sign-out": async () => { await api("DELETE", "/api/admin/session"); reload(); },
  "add-person": async (_, f) => {
    await api("POST", "/api/admin/people", { name: f.get("name").trim(), displayName: f.get("displayName").trim(), groups: words(f.get("groups")) });
    reload();
  },
  "ask-pass": (e) => ask("pass-dialog", row(e)),
  "issue-pass": async (e, f) => {
    const { pass } = await api("POST", personPath("passes"), { lifetimeMinutes: Number(f.get("lifetimeMinutes")), once: f.has("once") });
    e.closest("dialog").close();
    document.getElementById("shown-pass").textContent = pass;
    ask("shown-dialog", about);
  },
  "ask-groups": (e) => { ask("groups-dialog", row(e)).querySelector("input").value = about.groups; },
  "set-groups": async (_, f) => { await api("PUT", personPath("groups"), { groups: words(f.get("groups")) }); reload(); },
  "revoke-sessions": (e) => sure(row(e), "sessions", "signs them out everywhere."),
  "revoke-credentials": (e) => sure(row(e), "credentials", "removes all of their passkeys and ends the sessions that came from them."),
  "sure": async () => { await api("DELETE", personPath(about.what)); reload(); },
  "set-policy": async (_, f) => {
    const policy = {
      types: f.get("types") ? [f.get("types")] : [], userVerification: f.get("userVerification"),
      requireAttestation: f.has("requireAttestation"), rejectCounterRewind: f.has("rejectCounterRewind"),
      algorithms: words(f.get("algorithms")),
      allowedAAGUIDs: words(f.get("allowedAAGUIDs")), blockedAAGUIDs: words(f.get("blockedAAGUIDs")),
    };
    await api("PUT", "/api/admin/policies", { group: f.get("group").trim(), policy });
    reload();
  },
};

function sure(person, what, effect) {
  document.getElementById("sure-text").textContent = `For ${person.person}, this ${effect}`;
  ask("sure-dialog", { ...person, what });
}

async function run(element, form) {
  const button = form?.querySelector("button:not([type=button])") ?? element;
  button.disabled = true;
  try {
    await actions[element.dataset.do](element, form && new FormData(form));
  } catch (e) {
    show(e);
  } finally {
    button.disabled = false;
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
