"use strict";

// Account recovery, on the page that waits (a laptop), on the one that the QR code
// opens (a phone). It adds to the actions of app.js.

const held = {
  get: () => JSON.parse(sessionStorage.getItem("recovery") ?? "null"),
  set: (c) => sessionStorage.setItem("recovery", JSON.stringify(c)),
  drop: () => sessionStorage.removeItem("recovery"),
};
const el = (id) => document.getElementById(id);

// What a person reads where a case ended, and what helps then. Anything else is told in
// the words of whoever refused. The code stands beside it for the helpdesk.
const again = "Start again.", helpdesk = "Ask the helpdesk.";
const endings = {
  "name-mismatch": ["The names on your document are not those of this account.", "Use the document with the name that your organisation knows, or ask the helpdesk."],
  "claim-mismatch": ["Something on your document differs from what your organisation knows of you.", helpdesk],
  "names-missing": ["Your organisation has no name for this account to compare with.", helpdesk],
  "ambiguous-name": ["Somebody else here has the same names.", "The helpdesk has to tell you apart."],
  "account-gone": ["The account was removed meanwhile.", helpdesk],
  "case-expired": ["That took too long.", again],
  "case-interrupted": ["We were interrupted in the middle.", again],
  "case-superseded": ["You got back in another way meanwhile.", "If that was not you, tell the helpdesk at once."],
  "proofing-lost": ["The partner who looked at your document knows nothing of it any more.", again],
  "proofing-expired": ["Showing your document took too long.", again],
  "liveness_failed": ["The camera could not tell that a living person was in front of it.", "Start again where there is enough light."],
  "face_mismatch": ["The face before the camera is not the one on the document.", "Start again with a document of your own."],
  "face-score-low": ["Your face did not match the photo closely enough.", "Start again where there is enough light, or with a newer document."],
  "face-check-failed": ["Your face did not match the photo closely enough.", "Start again where there is enough light, or with a newer document."],
  "photo-quality-low": ["The photo in your Verified ID is too poor to compare with.", "Start again with a newer document."],
  "image_blurred": ["The picture of your document is blurred.", "Start again, and hold the camera still."],
  "credential-expired": ["Your Verified ID has expired.", again],
  "credential-revoked": ["Your Verified ID was revoked.", helpdesk],
};
const ending = (s) => endings[s.reason] ?? [sentence(s.detail || "It was refused"), `${again} If it happens once more, ask the helpdesk.`];

const texts = {
  "proofing": ["Show a document and your face", "Our partner {provider} looks at your document and at you."],
  "presenting": ["Present your Verified ID", "Your wallet asks whether you want to show it to us, and checks that it is you."],
  "retrieved": ["Look at your phone", "Your wallet is asking whether you want to show your Verified ID to us."],
  "pass-issued": ["You are back", "This pass lets you in once, to set up a new passkey. It is for nobody else."],
  "evaluated": ["It would have worked", "Everything was verified. Recovery is only being tried out here, so your account was left as it was. Ask the helpdesk for a Temporary Access Pass."],
  "ended": ["That did not work", ""],
};

const open = (state) => ["proofing", "presenting", "retrieved"].includes(state);

let shown; // state of the case that the page shows, so that it is announced once

function showCase(c, s) {
  for (const id of ["ask", "pass"]) el(id).hidden = true;
  el("case").hidden = false;
  el("case-way").hidden = !open(s.state);
  el("case-trouble").hidden = !(open(s.state) && s.detail);
  el("case-trouble").textContent = s.detail ? `${sentence(s.detail)} We go on trying.` : "";
  if (shown === s.state) return;
  shown = s.state;
  const [title, text] = texts[s.state];
  el("case-title").textContent = title;
  el("case-text").textContent = s.state === "ended" ? ending(s).join(" ") : text.replace("{provider}", s.provider || "the provider");
  el("case-code").hidden = s.state !== "ended";
  el("case-code").querySelector("code").textContent = s.reason ?? "";
  el("case-until").textContent = open(s.state) ? `There is time until ${new Date(s.expires).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.` : "";
  el("case-qr").src = c.qr;
  el("case-here").href = c.page;
  el("case-pass").hidden = !s.pass;
  el("case-pass-text").textContent = s.pass ?? "";
  el("case-anew").textContent = open(s.state) ? "Stop and start again" : "Start again";
  const at = s.state === "retrieved" ? "presenting" : s.state;
  el("case-stages").hidden = !open(s.state) && !s.pass;
  for (const li of document.querySelectorAll("[data-stage]")) {
    if (li.dataset.stage === at) li.setAttribute("aria-current", "step");
    else li.removeAttribute("aria-current");
  }
  el("case-title").focus();
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function follow(c) {
  for (;;) {
    let s;
    try {
      s = await api("POST", "/api/recovery/status", { case: c.case, secret: c.secret });
    } catch (e) {
      if (e.code && e.code !== "broken") { // it is over, and nobody knows it any more
        held.drop();
        el("ask").hidden = el("pass").hidden = false;
        el("case").hidden = true;
        throw e;
      }
      await wait(3000); // no network for a moment, or the site is being mended
      continue;
    }
    if (held.get()?.case !== c.case) return; // begun anew
    showCase(c, s);
    if (!open(s.state)) {
      if (!s.pass) held.drop(); // the page that is loaded next begins anew
      return;
    }
    await wait(2000);
  }
}

Object.assign(actions, {
  "recover": async (_, f) => {
    const name = f.get("name").trim();
    const c = await api("POST", "/api/recovery/start", { name, country: f.get("country").trim(), revokeOld: f.has("revokeOld") });
    const kept = { case: c.case, secret: c.secret, page: c.page, qr: c.qr, name };
    held.set(kept);
    follow(kept).catch((e) => show(e, el("ask")));
  },
  "recover-anew": () => { held.drop(); reload(); },
  "use-pass": async () => {
    const pass = el("case-pass-text").textContent, { name } = held.get();
    await api("POST", "/api/recovery/redeem", { name, pass });
    held.drop();
    go("/passkeys");
  },
});

// The page that the QR code opens. It leads on and learns nothing else.
async function lead(link) {
  for (;;) {
    let s;
    try {
      s = await api("POST", "/api/recovery/continue", { link });
    } catch (e) {
      if (e.code) throw e;
      await wait(3000); // no network for a moment
      continue;
    }
    const way = el("phone-go");
    way.hidden = !open(s.state) || !s.url;
    el("phone-warning").hidden = !open(s.state);
    if (s.url) way.href = s.url;
    el("phone-title").textContent = open(s.state) ? texts[s.state][0] : "Look at the other device";
    el("phone-text").textContent = { proofing: "Next, a partner of ours looks at your document and at you.", presenting: "Next, your wallet shows your Verified ID to us.", retrieved: "Go on in your wallet." }[s.state] ?? "What came of it is shown on the page where you began.";
    way.textContent = s.state === "proofing" ? "Show my document" : "Open my wallet";
    const wallet = el("phone").dataset.wallet, app = el("phone-app");
    app.hidden = way.hidden || s.state === "proofing" || !wallet;
    if (!app.hidden) {
      app.href = s.url;
      way.href = wallet + "?link=" + encodeURIComponent(s.url);
      way.textContent = "Open in the test wallet";
    }
    if (!open(s.state)) return;
    await wait(2000);
  }
}

if (el("case") && held.get()) follow(held.get()).catch((e) => show(e, el("ask")));
if (el("phone")) lead(decodeURIComponent(location.pathname.split("/").pop())).catch((e) => {
  el("phone-title").textContent = "This link leads nowhere";
  el("phone-text").textContent = `${sentence(e.message)} Look at the page where you began, or begin again there.`;
  el("phone-warning").hidden = el("phone-go").hidden = true;
});
