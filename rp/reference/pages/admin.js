"use strict";

// The administration of passkey profiles. The configuration is read and written as a
// whole: what a dialog changes is put into what holds when it is saved.
const profilesPath = "/api/admin/passkey-profiles";
const configuration = () => api("GET", profilesPath);

async function change(how) {
  const all = await configuration();
  how(all);
  await api("PUT", profilesPath, all);
  reload();
}

const everybody = "all_users";

// choices fills a place with checkboxes, [value, text, checked] each.
function choices(place, name, list) {
  place.replaceChildren(...list.map(([value, text, checked]) => {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name, value, checked });
    label.append(box, " " + text);
    return label;
  }));
}

// aim makes groups, and no others, the targets of a profile.
function aim(all, id, groups) {
  for (const t of all.targets) t.profiles = t.profiles.filter((p) => p !== id);
  for (const group of groups) {
    const there = all.targets.find((t) => t.group === group);
    if (there) there.profiles.push(id);
    else all.targets.push({ group, profiles: [id] });
  }
  all.targets = all.targets.filter((t) => t.profiles.length > 0);
}

function guid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function editProfile(button) {
  const { id } = button.closest("[data-id]")?.dataset ?? {};
  const [all, known] = await Promise.all([configuration(), api("GET", "/api/admin/groups")]);
  const p = all.profiles.find((o) => o.id === id) ?? { id: guid(), name: "", types: ["deviceBound", "synced"], attestation: "disabled", keyRestrictions: { enforced: false, kind: "allow", aaguids: [] } };
  const dialog = ask("profile-dialog", { profile: p.id });
  const form = dialog.querySelector("form");
  form.elements.name.value = p.name;
  for (const box of form.querySelectorAll("[name=types]")) box.checked = p.types.includes(box.value);
  form.elements.attestation.checked = p.attestation === "registrationOnly";
  form.elements.restrict.value = p.keyRestrictions.enforced ? p.keyRestrictions.kind : "any";
  form.elements.aaguids.value = p.keyRestrictions.aaguids.join("\n");
  form.elements.default.checked = all.default === p.id;
  const has = (group) => all.targets.some((t) => t.group === group && t.profiles.includes(p.id));
  choices(dialog.querySelector("[data-groups]"), "groups", [everybody, ...known.groups].map((g) => [g, g === everybody ? "Everybody" : g, has(g)]));
  withModels(form);
}

// withModels shows the list of models where there is something to say in it.
function withModels(form) {
  form.elements.aaguids.hidden = form.elements.restrict.value === "any";
}

const saveProfile = (_, f) => change((all) => {
  const restrict = f.get("restrict");
  const made = {
    id: about.profile, name: f.get("name").trim(), types: f.getAll("types"),
    attestation: f.has("attestation") ? "registrationOnly" : "disabled",
    keyRestrictions: { enforced: restrict !== "any", kind: restrict === "block" ? "block" : "allow", aaguids: f.get("aaguids").split(/[\s,]+/).filter(Boolean) },
  };
  const at = all.profiles.findIndex((p) => p.id === made.id);
  if (at >= 0) all.profiles[at] = made;
  else all.profiles.push(made);
  aim(all, made.id, f.getAll("groups"));
  if (f.has("default")) all.default = made.id;
  else if (all.default === made.id) delete all.default;
});

function askRemove(button) {
  const { id, name } = button.closest("[data-id]").dataset;
  ask("remove-dialog", { profile: id }).querySelector("[data-profile-name]").textContent = name;
}

const removeProfile = () => change((all) => {
  all.profiles = all.profiles.filter((p) => p.id !== about.profile);
  aim(all, about.profile, []);
  if (all.default === about.profile) delete all.default;
});

async function editGroup(button) {
  const { group } = button.closest("[data-group]").dataset;
  const all = await configuration();
  const dialog = ask("group-dialog", { group });
  dialog.querySelector("[data-group-name]").textContent = group === everybody ? "everybody" : group;
  const has = (p) => all.targets.some((t) => t.group === group && t.profiles.includes(p.id));
  choices(dialog.querySelector("[data-profiles]"), "profiles", all.profiles.map((p) => [p.id, p.name, has(p)]));
}

const saveGroup = (_, f) => change((all) => {
  all.targets = all.targets.filter((t) => t.group !== about.group);
  const profiles = f.getAll("profiles");
  if (profiles.length > 0) all.targets.push({ group: about.group, profiles });
});

Object.assign(actions, {
  "edit-profile": editProfile,
  "save-profile": saveProfile,
  "ask-remove-profile": askRemove,
  "remove-profile": removeProfile,
  "edit-group": editGroup,
  "save-group": saveGroup,
  "add-group": async (_, f) => { await api("POST", "/api/admin/groups", { name: f.get("name").trim() }); reload(); },
  "toggle-passkeys": (e) => change((all) => { all.disabled = e.dataset.off !== "true"; }),
  "toggle-self": (e) => change((all) => { all.noSelfService = e.dataset.off !== "true"; }),
  "set-metadata": async (_, f) => { await api("PUT", "/api/admin/metadata", { blob: await f.get("file").text() }); reload(); },
});

actions["set-policy"] = async (_, f) => {
  const policy = {
    types: f.get("types") ? [f.get("types")] : [], userVerification: f.get("userVerification"),
    requireAttestation: f.has("requireAttestation"), rejectCounterRewind: f.has("rejectCounterRewind"),
    algorithms: words(f.get("algorithms")),
    allowedAAGUIDs: words(f.get("allowedAAGUIDs")), blockedAAGUIDs: words(f.get("blockedAAGUIDs")),
  };
  await api("PUT", "/api/admin/policies", { group: f.get("group").trim(), policy });
  reload();
};

document.querySelector("#profile-dialog form")?.addEventListener("change", (e) => withModels(e.currentTarget));
