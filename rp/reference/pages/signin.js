"use strict";

// Signing in, and resetting a password, method by method. The relying party says
// which methods there are, the one to be tried first first; the others wait behind
// "Other ways".

const titles = {
  password: "Password", sms: "Text message", voice: "Phone call", email: "Code by e-mail",
  securityQuestions: "Security questions", microsoftAuthenticatorPush: "Request in the app",
  temporaryAccessPass: "Temporary Access Pass",
};
const title = (kind) => titles[kind] ?? (kind.startsWith("passKey") ? "Passkey" : kind);
const resetKinds = ["email", "sms", "voice", "microsoftAuthenticatorPush", "securityQuestions"];

let going = {}; // the attempt: who, for what, its id, and what else there is
const part = (id) => document.getElementById(id);

function element(name, attributes, ...children) {
  const e = Object.assign(document.createElement(name), attributes);
  e.append(...children);
  return e;
}

// open shows one method, and the others behind it.
function open(kind, others, body) {
  hush();
  part("who").hidden = true;
  part("prove").hidden = false;
  part("prove-title").textContent = going.purpose === "reset" && kind === "new-password" ? "Choose a new password" : title(kind);
  part("prove-who").textContent = going.purpose === "reset" ? `${going.name} · a new password` : going.name;
  part("prove-body").replaceChildren(...body);
  const list = others.filter((m) => m.kind !== kind);
  part("prove-others").hidden = list.length === 0;
  part("prove-others").open = false;
  part("prove-others").querySelector("ul").replaceChildren(...list.map(choice));
  (part("prove-body").querySelector("input") ?? part("prove-title")).focus();
}

function choice(m) {
  const b = element("button", { type: "button" }, element("span", { textContent: title(m.kind) }), element("span", { className: "quiet", textContent: m.address ?? "" }));
  b.addEventListener("click", () => guarded(b, () => tryMethod(m.kind)));
  return element("li", {}, b);
}

async function guarded(button, what) {
  if (button?.disabled) return;
  if (button) button.disabled = true;
  hush();
  try {
    await what();
  } catch (e) {
    show(e, button);
  } finally {
    if (button) button.disabled = leaving;
  }
}

// form asks for one thing or several.
function form(hint, label, fields, done) {
  const f = element("form", {}, ...(hint ? [element("p", { className: "quiet", textContent: hint })] : []));
  fields.forEach((attributes, i) => {
    const id = `answer-${i}`;
    f.append(element("label", { htmlFor: id, textContent: attributes.label }), element("input", { ...attributes.input, id, required: true }));
  });
  const button = element("button", { className: "primary wide", textContent: label });
  f.append(button);
  f.addEventListener("submit", (event) => {
    event.preventDefault();
    guarded(button, () => done([...f.querySelectorAll("input")].map((i) => i.value)));
  });
  return f;
}

async function tryMethod(kind) {
  clearTimeout(going.polling);
  if (kind.startsWith("passKey")) return withPasskey();
  if (kind === "temporaryAccessPass") return go("/recover#pass");
  const p = await api("POST", "/api/prove/begin", { purpose: going.purpose, name: going.name, attempt: going.attempt, kind });
  going.attempt = p.attempt;
  open(kind, going.others, bodies[kind] ? bodies[kind](p) : [codeForm(p), again(kind, anew[kind])]);
  if (kind === "microsoftAuthenticatorPush") poll();
}

async function withPasskey() {
  try {
    await signIn(going.name);
  } catch (e) {
    open(going.others[0].kind, going.others, [passkeyButton()]);
    part("prove-others").open = true;
    throw e;
  }
}

function passkeyButton() {
  const b = element("button", { type: "button", className: "primary wide", textContent: "Sign in with a passkey" });
  b.addEventListener("click", () => guarded(b, () => signIn(going.name)));
  return b;
}

const codeForm = (p) => form(
  p.kind === "voice" ? `You are being called at ${p.sentTo}.` : `A code was sent to ${p.sentTo}.`, "Continue",
  [{ label: "Code", input: { className: "digits", inputMode: "numeric", autocomplete: "one-time-code", maxLength: 6, pattern: "[0-9]{6}", title: "six digits" } }],
  ([code]) => finish(code),
);

// again sends another code or request.
function again(kind, text) {
  const b = element("button", { type: "button", className: "link again", textContent: text });
  b.addEventListener("click", () => guarded(b, () => tryMethod(kind)));
  return b;
}
const anew = { sms: "Send another code", email: "Send another code", voice: "Call again" };

const bodies = {
  password: () => [form("", "Continue", [{ label: "Password", input: { type: "password", autocomplete: "current-password" } }], ([text]) => finish(text))],
  securityQuestions: (p) => [form("", "Continue", p.questions.map((q) => ({ label: q, input: { autocomplete: "off" } })), (answers) => finish(answers.join("\n")))],
  microsoftAuthenticatorPush: (p) => [
    element("p", { className: "quiet", textContent: `Open the app on ${p.sentTo}, and approve${p.number ? " with this number:" : "."}` }),
    ...(p.number ? [element("p", { className: "tomatch", textContent: p.number })] : []),
    element("p", { className: "quiet waiting", role: "status", textContent: "Waiting for the app …" }),
  ],
};

// poll asks whether the request in the app was answered.
function poll() {
  going.polling = setTimeout(async () => {
    try {
      await finish("");
    } catch (e) {
      if (e.code === "push-waiting") return poll();
      part("prove-body").querySelector(".tomatch")?.remove();
      part("prove-body").querySelector(".waiting").textContent = sentence(e.message);
      part("prove-body").append(again("microsoftAuthenticatorPush", "Send another request"));
    }
  }, 1500);
}

async function finish(answer) {
  const p = await api("POST", "/api/prove/finish", { attempt: going.attempt, answer });
  if (p.session) return go("/passkeys");
  if (p.ready) return choosePassword();
  going.others = p.next.map((kind) => ({ kind }));
  return tryMethod(p.next[0]);
}

function choosePassword() {
  open("new-password", [], [form("", "Set password", [{ label: "New password", input: { type: "password", autocomplete: "new-password", minLength: 8 } }], async ([password]) => {
    await api("POST", "/api/reset", { attempt: going.attempt, password });
    part("prove-body").replaceChildren(element("p", { textContent: "You were signed out everywhere. Sign in with the new password, or better with a passkey." }), element("a", { className: "button", href: "/", textContent: "Sign in" }));
    part("prove-title").textContent = "Your password is set";
    part("prove").querySelector(".ways").hidden = true;
    part("prove-title").focus();
  })]);
}

// start finds out which methods there are, and tries the first.
async function start(name, first) {
  going = { purpose: "sign-in", name, attempt: "" };
  going.others = (await api("POST", "/api/signin/methods", { name })).methods;
  if (going.others.length === 0) throw new Error("There is nothing registered to sign in with. Ask the helpdesk for a Temporary Access Pass.");
  if (first) return tryMethod(going.others[0].kind);
  open(going.others[0].kind, going.others, going.others[0].kind.startsWith("passKey") ? [passkeyButton()] : []);
  part("prove-others").open = true;
}

Object.assign(actions, {
  "sign-in": (_, f) => (f.get("name").trim() ? start(f.get("name").trim(), true) : signIn("")),
  "other-ways": async () => {
    const name = part("name").value.trim();
    if (!name) {
      part("name").focus();
      throw new Error("Type your user name first");
    }
    waiting?.abort();
    await start(name, false);
    if (!going.others[0].kind.startsWith("passKey")) await tryMethod(going.others[0].kind);
  },
  "begin-reset": async (_, f) => {
    going = { purpose: "reset", name: f.get("name").trim(), attempt: "", others: resetKinds.map((kind) => ({ kind })) };
    for (const kind of resetKinds) {
      try {
        return await tryMethod(kind);
      } catch (e) {
        if (e.code !== "method-missing") throw e;
        going.others = going.others.filter((m) => m.kind !== kind);
      }
    }
    throw new Error("Nothing is registered for this account that could prove who you are. Ask the helpdesk for a Temporary Access Pass, or recover your account");
  },
});
