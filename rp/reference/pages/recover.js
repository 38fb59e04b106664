"use strict";

// Account recovery, on the page that waits (a laptop), on the one that the QR code
// opens (a phone), and for administrators. It adds to the actions of app.js.

const held = {
  get: () => JSON.parse(sessionStorage.getItem("recovery") ?? "null"),
  set: (c) => sessionStorage.setItem("recovery", JSON.stringify(c)),
  drop: () => sessionStorage.removeItem("recovery"),
};
const el = (id) => document.getElementById(id);

// What a person reads where a case ended. The code stands beside it for the
// helpdesk.
const endings = {
  "name-mismatch": "The names on your document are not those of this account.",
  "ambiguous-name": "Somebody else here has the same names. The helpdesk has to tell you apart.",
  "no-recent-sign-in": "This account was not used since recovery was set up.",
  "case-expired": "That took too long.",
  "case-superseded": "You got back in another way meanwhile.",
  "liveness_failed": "The camera could not tell that a living person was in front of it.",
  "face-score-low": "Your face did not match the photo closely enough.",
  "face-check-failed": "Your face did not match the photo closely enough.",
};

const texts = {
  "proofing": ["Show a document and your face", "Our partner {provider} looks at your document and at you."],
  "presenting": ["Present your Verified ID", "Your wallet asks whether you want to show it to us, and checks that it is you."],
  "retrieved": ["Look at your phone", "Your wallet is asking whether you want to show your Verified ID to us."],
  "pass-issued": ["You are back", "This pass lets you in once, to set up a new passkey. It is for nobody else."],
  "evaluated": ["It would have worked", "Everything was verified. Recovery is only being tried out here, so your account was left as it was: ask the helpdesk."],
  "ended": ["That did not work", ""],
};

const open = (state) => ["proofing", "presenting", "retrieved"].includes(state);

function showCase(c, s) {
  el("ask").hidden = true;
  el("pass").hidden = true;
  el("case").hidden = false;
  const [title, text] = texts[s.state];
  el("case-title").textContent = title;
  el("case-text").textContent = s.state === "ended" ? `${endings[s.reason] ?? s.detail} (${s.reason})` : text.replace("{provider}", s.provider || "the provider");
  el("case-way").hidden = !open(s.state);
  el("case-qr").src = c.qr;
  if (s.url) el("case-here").href = c.page;
  el("case-pass").hidden = !s.pass;
  el("case-pass-text").textContent = s.pass ?? "";
  el("case-trouble").hidden = !(open(s.state) && s.detail);
  el("case-trouble").textContent = s.detail ?? "";
  const at = s.state === "retrieved" ? "presenting" : s.state;
  for (const li of document.querySelectorAll("[data-stage]")) {
    if (li.dataset.stage === at) li.setAttribute("aria-current", "step");
    else li.removeAttribute("aria-current");
  }
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function follow(c) {
  for (;;) {
    let s;
    try {
      s = await api("POST", "/api/recovery/status", { case: c.case, secret: c.secret });
    } catch (e) {
      if (e.code) { held.drop(); throw e; }
      await wait(3000); // no network for a moment
      continue;
    }
    if (held.get()?.case !== c.case) return; // begun anew
    showCase(c, s);
    if (!open(s.state)) return;
    await wait(2000);
  }
}

Object.assign(actions, {
  "recover": async (_, f) => {
    const name = f.get("name").trim();
    const c = await api("POST", "/api/recovery/start", { name, country: f.get("country").trim(), revokeOld: f.has("revokeOld") });
    const kept = { case: c.case, secret: c.secret, page: c.page, qr: c.qr, name };
    held.set(kept);
    follow(kept).catch(show);
  },
  "recover-anew": async () => { held.drop(); location.reload(); },
  "use-pass": async () => {
    const pass = el("case-pass-text").textContent, { name } = held.get();
    await api("POST", "/api/recovery/redeem", { name, pass });
    held.drop();
    location.assign("/passkeys");
  },
  "set-recovery": async (_, f) => {
    await api("PUT", "/api/admin/recovery", JSON.parse(f.get("policy")));
    reload();
  },
});

// The page that the QR code opens. It leads on and learns nothing else.
async function lead(link) {
  for (;;) {
    const s = await api("POST", "/api/recovery/continue", { link });
    const go = el("phone-go");
    go.hidden = !open(s.state) || !s.url;
    el("phone-warning").hidden = !open(s.state);
    if (s.url) go.href = s.url;
    el("phone-title").textContent = open(s.state) ? texts[s.state][0] : "Look at the other device";
    el("phone-text").textContent = { proofing: "Next, a partner of ours looks at your document and at you.", presenting: "Next, your wallet shows your Verified ID to us.", retrieved: "Go on in your wallet." }[s.state] ?? "What came of it is shown on the page where you began.";
    go.textContent = s.state === "proofing" ? "Show my document" : "Open my wallet";
    if (!open(s.state)) return;
    await wait(2000);
  }
}

if (el("case") && held.get()) follow(held.get()).catch(show);
if (el("phone")) lead(decodeURIComponent(location.pathname.split("/").pop())).catch((e) => { el("phone-text").textContent = e.message; el("phone-warning").hidden = true; });
if (el("policy")) api("GET", "/api/admin/recovery").then((p) => { el("policy").value = JSON.stringify(p, null, 2); }).catch(show);
