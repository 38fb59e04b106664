"use strict";

// The administration of people. What a button is about stands at the nearest element
// with data-person.

const row = (e) => e.closest("[data-person]").dataset;
const personPath = (who, what) => `/api/admin/people/${encodeURIComponent(who.person)}/${what}`;
const sureOf = (e, effect, path) => sure(`For ${row(e).person}, this ${effect}`, () => api("DELETE", personPath(row(e), path)));

Object.assign(actions, {
  "add-person": async (_, f) => {
    await api("POST", "/api/admin/people", { name: f.get("name").trim(), displayName: f.get("displayName").trim(), groups: words(f.get("groups")) });
    go(`/admin/people/${encodeURIComponent(f.get("name").trim())}`);
  },
  "ask-pass": (e) => ask("pass-dialog", row(e)),
  "issue-pass": async (e, f) => {
    const { pass } = await api("POST", personPath(about, "passes"), { lifetimeMinutes: Number(f.get("lifetimeMinutes")), once: f.has("once") });
    e.closest("dialog").close();
    document.getElementById("shown-pass").textContent = pass;
    ask("shown-dialog", about);
  },
  "ask-groups": (e) => { ask("groups-dialog", row(e)).querySelector("input").value = about.groups; },
  "set-groups": async (_, f) => { await api("PUT", personPath(about, "groups"), { groups: words(f.get("groups")) }); reload(); },
  "revoke-sessions": (e) => sureOf(e, "signs them out everywhere.", "sessions"),
  "revoke-credentials": (e) => sureOf(e, "removes all of their passkeys and ends the sessions that came from them.", "credentials"),
  "revoke-credential": (e) => sureOf(e, `removes the passkey ${item(e).name} and ends the sessions that came from it.`, `credentials?id=${item(e).id}`),
  "remove-fallback": (e) => sureOf(e, `removes a way to sign in: ${e.dataset.title}.`, `methods?kind=${encodeURIComponent(e.dataset.kind)}`),
  "add-method": async (e, f) => { await api("POST", personPath(row(e), "methods"), enrolment(f)); reload(); },
  "set-risk": async (e, f) => { await api("PUT", personPath(row(e), "risk"), { level: f.get("level") }); reload(); },
  "set-identity": async (e, f) => {
    const identity = { unlicensed: f.has("unlicensed"), country: f.get("country").trim().toUpperCase() };
    for (const name of ["givenName", "familyName", "birthDate"]) identity[name] = f.get(name).trim();
    await api("PUT", personPath(row(e), "identity"), identity);
    reload();
  },
});
