"use strict";

// The phone, the mailbox and the app of somebody: what was sent, and an answer to
// requests in the app.

const channels = { sms: "Text message", voice: "Phone call", email: "E-mail", microsoftAuthenticatorPush: "Request in the app", notice: "Notice" };
let reading;

function make(name, attributes, ...children) {
  const e = Object.assign(document.createElement(name), attributes);
  e.append(...children);
  return e;
}

function letter(m) {
  const item = make("li", { className: "card" },
    make("p", { className: "quiet", textContent: `${channels[m.kind] ?? m.kind} to ${m.address} · ${new Date(m.sent).toLocaleTimeString()} · read by the ${m.holder}` }),
    make("p", { textContent: m.text }));
  if (m.kind === "microsoftAuthenticatorPush") item.append(answers(m));
  return item;
}

function answers(m) {
  const number = make("input", { inputMode: "numeric", maxLength: 2, placeholder: "number", ariaLabel: "Number on the page", autocomplete: "off" });
  const buttons = ["approve", "deny", "report"].map((answer) => {
    const b = make("button", { type: "button", textContent: { approve: "Approve", deny: "Deny", report: "It was not me" }[answer] });
    b.addEventListener("click", async () => {
      try {
        await api("POST", `/api/admin/pushes/${encodeURIComponent(m.id)}`, { answer, number: number.value.trim() });
        say("Answered.", false, b);
      } catch (e) {
        show(e, b);
      }
    });
    return b;
  });
  return make("div", { className: "acts" }, number, ...buttons);
}

let shown = "";
async function readPost(name) {
  clearTimeout(reading);
  const { messages } = await api("GET", `/api/admin/people/${encodeURIComponent(name)}/outbox`);
  const now = messages.map((m) => m.id).join();
  if (now !== shown || messages.length === 0) {
    shown = now;
    const list = messages.reverse().map(letter);
    document.getElementById("post").replaceChildren(...(list.length ? list : [make("li", { className: "card quiet", textContent: "Nothing was sent yet." })]));
  }
  reading = setTimeout(() => readPost(name).catch(show), 2000);
}

if (document.getElementById("name").value) readPost(document.getElementById("name").value).catch(show);
actions["read-post"] = (_, f) => { shown = ""; return readPost(f.get("name").trim()); };
