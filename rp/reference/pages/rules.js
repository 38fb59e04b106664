"use strict";

// The administration of what is a list that is read and written as a whole: methods,
// rules of access, recovery profiles. What a dialog changes is put into the list that
// holds when it is saved.

// list is one of these.
const list = (path, member) => ({
  async read() { return api("GET", path); },
  async change(how) {
    const all = await api("GET", path);
    all[member] ??= [];
    how(all[member]);
    await api("PUT", path, all);
    reload();
  },
  member,
});
const access = list("/api/admin/access", "rules");
const recovery = list("/api/admin/recovery", "profiles");

// put has a form show values: text, a choice, or what is ticked.
function put(form, values) {
  form.reset();
  for (const [name, value] of Object.entries(values)) {
    for (const field of form.querySelectorAll(`[name="${name}"]`)) {
      if (field.type !== "checkbox") field.value = value ?? "";
      else field.checked = Array.isArray(value) ? value.includes(field.value) : Boolean(value);
    }
  }
}

// edit opens the dialog of an entry, or of a new one.
async function edit(button, all, dialog, fresh, shown) {
  const index = Number(button.closest("[data-index]")?.dataset.index ?? -1);
  const entry = index < 0 ? fresh : (await all.read())[all.member][index];
  put(ask(dialog, { name: index < 0 ? null : entry.name }).querySelector("form"), shown(entry));
}

// save puts an entry where the one was that was opened.
const save = (all, made) => all.change((entries) => {
  const at = entries.findIndex((e) => e.name === about.name);
  if (at < 0) entries.push(made);
  else entries[at] = { ...entries[at], ...made };
});

function remove(button, all, effect) {
  const { name } = button.closest("[data-index]").dataset;
  sure(`${name}: ${effect}`, () => all.change((entries) => entries.splice(entries.findIndex((e) => e.name === name), 1)));
}

const sureFallback = (e) => {
  const { person } = e.closest("[data-person]").dataset;
  sure(`${person} will no longer be able to use this: ${e.dataset.title}.`, () => api("DELETE", `/api/admin/people/${encodeURIComponent(person)}/methods?kind=${encodeURIComponent(e.dataset.kind)}`));
};

const minute = 60e9; // in nanoseconds, as the API has it
const newRule = { name: "", state: "enabled", groups: [], excludeGroups: [], risk: [], locations: [], exceptLocations: [], strength: "" };
const newProfile = { name: "", mode: "evaluation", providers: [{ name: "idemia" }], match: "exact", revoke: "on-request", faceThreshold: 70, passLifetimeMinutes: 60 };
const countries = (s) => s.toUpperCase().split(/[\s,]+/).filter(Boolean);

Object.assign(actions, {
  "edit-rule": (e) => edit(e, access, "rule-dialog", newRule, (r) => ({
    ...r, state: r.state || "enabled", locations: r.locations?.join(", "), exceptLocations: r.exceptLocations?.join(", "), minutes: r.sessionLifetime ? r.sessionLifetime / minute : "",
  })),
  "save-rule": (_, f) => save(access, {
    name: f.get("name").trim(), state: f.get("state"), groups: f.getAll("groups"), excludeGroups: f.getAll("excludeGroups"), risk: f.getAll("risk"),
    locations: countries(f.get("locations")), exceptLocations: countries(f.get("exceptLocations")),
    block: f.has("block"), compliant: f.has("compliant"), strength: f.get("strength"), sessionLifetime: Number(f.get("minutes")) * minute,
  }),
  "remove-rule": (e) => remove(e, access, "it will not be looked at any more, also for sessions that stand."),

  "edit-recovery": (e) => edit(e, recovery, "recovery-dialog", newProfile, (p) => ({
    ...p, providers: p.providers.map((v) => [v.name, ...(v.countries ?? [])].join(" ")).join("\n"), signedInWithinMinutes: p.signedInWithinMinutes || "",
  })),
  "save-recovery": (_, f) => save(recovery, {
    name: f.get("name").trim(), mode: f.get("mode"), groups: f.getAll("groups"), excluded: f.getAll("excluded"),
    providers: f.get("providers").split("\n").map((l) => l.trim()).filter(Boolean).map((l) => {
      const [name, ...where] = l.split(/[\s,]+/);
      return { name, countries: where.map((c) => c.toUpperCase()) };
    }),
    match: f.get("match"), revoke: f.get("revoke"), faceThreshold: Number(f.get("faceThreshold")),
    passLifetimeMinutes: Number(f.get("passLifetimeMinutes")), signedInWithinMinutes: Number(f.get("signedInWithinMinutes")),
    birthDate: f.has("birthDate"), reuse: f.has("reuse"),
  }),
  "remove-recovery": (e) => remove(e, recovery, "people whom no other profile is for will need the helpdesk."),
  "set-recovery": async (_, f) => {
    let policy;
    try {
      policy = JSON.parse(f.get("policy"));
    } catch (e) {
      throw new Error(`This is no JSON: ${e.message}`);
    }
    await api("PUT", "/api/admin/recovery", policy);
    reload();
  },

  "set-methods": async (form, f) => {
    const policy = await api("GET", "/api/admin/method-policy");
    const kinds = [...form.querySelectorAll("[name=allowed]")];
    policy.disabled = kinds.filter((k) => !k.checked).map((k) => k.value);
    policy.systemCredentialPreferences.state = f.get("state");
    policy.resetMethods = Number(f.get("resetMethods"));
    policy.singleFactor = f.has("singleFactor");
    policy.noNumberMatching = !f.has("matching");
    if (f.get("questionsUntil")) policy.questionsUntil = `${f.get("questionsUntil")}T00:00:00Z`;
    else delete policy.questionsUntil;
    await api("PUT", "/api/admin/method-policy", policy);
    reload();
  },
  "remove-fallback": sureFallback,
});

if (document.getElementById("policy")) {
  recovery.read().then((p) => { document.getElementById("policy").value = JSON.stringify(p, null, 2); }).catch(show);
}
