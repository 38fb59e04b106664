// The shim: navigator.credentials of a page, answered by authenticators outside of the
// browser. It runs in every frame before the page's own scripts.
(function (config) {
  "use strict";
  const tell = globalThis[config.binding];
  if (typeof tell !== "function") return;
  delete globalThis[config.binding];
  if (!globalThis.PublicKeyCredential || !navigator.credentials) return; // no secure context: as without the shim

  const native = { create: CredentialsContainer.prototype.create, get: CredentialsContainer.prototype.get };
  const waiting = new Map(); // what Go is to answer, by number
  let last = 0;
  let ceremony = 0; // the one under way, 0 for none

  const tag = (v) => Object.prototype.toString.call(v);
  const isBytes = (v) => ArrayBuffer.isView(v) || tag(v) === "[object ArrayBuffer]" || tag(v) === "[object SharedArrayBuffer]";
  function toText(source) {
    const bytes = ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
    let s = "";
    for (const b of bytes) s += String.fromCharCode(b);
    return btoa(s).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  }
  function toBytes(text) {
    const s = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(s, (c) => c.charCodeAt(0)).buffer;
  }
  function bytes(v, what) {
    if (!isBytes(v)) throw new TypeError(`${what} is not of type '(ArrayBuffer or ArrayBufferView)'.`);
    return toText(v);
  }

  // plain returns a value as JSON has it, with bytes in base64url.
  function plain(v) {
    if (v === undefined || typeof v === "function" || typeof v === "symbol") return undefined;
    if (v === null || typeof v !== "object") return v;
    if (isBytes(v)) return toText(v);
    if (Array.isArray(v) || typeof v[Symbol.iterator] === "function") return Array.from(v, plain);
    const out = {};
    for (const name in v) out[name] = plain(v[name]);
    return out;
  }
  function descriptors(list, what) {
    if (list === undefined) return undefined;
    return Array.from(list, (d) => ({ ...plain(d), id: bytes(d.id, `${what}.id`) }));
  }
  // options returns the options of a ceremony in their JSON form. What must be bytes is
  // refused when it is not, as the browser would.
  function options(kind, o) {
    if (o === null || typeof o !== "object") throw new TypeError("publicKey is not an object.");
    const out = plain(o);
    out.challenge = bytes(o.challenge, "challenge");
    if (o.timeout !== undefined) out.timeout = Number(o.timeout) >>> 0;
    if (kind === "get") {
      out.allowCredentials = descriptors(o.allowCredentials, "allowCredentials");
      return out;
    }
    if (o.user === null || typeof o.user !== "object") throw new TypeError("user is not an object.");
    out.user.id = bytes(o.user.id, "user.id");
    out.excludeCredentials = descriptors(o.excludeCredentials, "excludeCredentials");
    return out;
  }

  // results returns the outputs of extensions as pages get them.
  function results(json) {
    const out = structuredClone(json ?? {});
    for (const half of ["first", "second"]) {
      if (typeof out.prf?.results?.[half] === "string") out.prf.results[half] = toBytes(out.prf.results[half]);
    }
    if (typeof out.largeBlob?.blob === "string") out.largeBlob.blob = toBytes(out.largeBlob.blob);
    if (typeof out.getCredBlob === "string") out.getCredBlob = toBytes(out.getCredBlob);
    return out;
  }
  function make(prototype, members) {
    const o = Object.create(prototype);
    for (const [name, value] of Object.entries(members)) Object.defineProperty(o, name, { value, enumerable: false, configurable: true });
    return o;
  }
  const optional = (text) => (text === undefined || text === null ? null : toBytes(text));
  function attestation(r) {
    const transports = r.transports ?? [];
    return make(AuthenticatorAttestationResponse.prototype, {
      clientDataJSON: toBytes(r.clientDataJSON),
      attestationObject: toBytes(r.attestationObject),
      getTransports: () => [...transports],
      getAuthenticatorData: () => toBytes(r.authenticatorData),
      getPublicKey: () => optional(r.publicKey),
      getPublicKeyAlgorithm: () => r.publicKeyAlgorithm,
    });
  }
  function assertion(r) {
    return make(AuthenticatorAssertionResponse.prototype, {
      clientDataJSON: toBytes(r.clientDataJSON),
      authenticatorData: toBytes(r.authenticatorData),
      signature: toBytes(r.signature),
      userHandle: optional(r.userHandle),
    });
  }
  function credential(json) {
    return make(PublicKeyCredential.prototype, {
      id: json.id,
      rawId: toBytes(json.rawId),
      type: json.type,
      authenticatorAttachment: json.authenticatorAttachment ?? null,
      response: json.response.attestationObject ? attestation(json.response) : assertion(json.response),
      getClientExtensionResults: () => results(json.clientExtensionResults),
      toJSON: () => structuredClone(json),
    });
  }
  const failure = (e) => (e.name === "TypeError" ? new TypeError(e.message) : new DOMException(e.message, e.name));

  function ask(message, settle) {
    const id = ++last;
    waiting.set(id, settle);
    tell(JSON.stringify({ ...message, id }));
    return id;
  }
  function perform(kind, o) {
    return new Promise((resolve, reject) => {
      const signal = o.signal;
      if (signal?.aborted) throw signal.reason;
      const json = options(kind, o.publicKey);
      if (ceremony) throw new DOMException("A request is already pending.", "OperationError");
      const end = () => {
        ceremony = 0;
        signal?.removeEventListener("abort", stop);
      };
      const stop = () => {
        waiting.delete(ceremony);
        tell(JSON.stringify({ do: "abort", id: ceremony }));
        end();
        reject(signal.reason);
      };
      signal?.addEventListener("abort", stop);
      const active = Boolean(navigator.userActivation?.isActive);
      ceremony = ask({ do: kind, mediation: o.mediation, active, options: json }, (answer) => {
        end();
        if (answer.error) reject(failure(answer.error));
        else resolve(credential(answer.response));
      });
    });
  }
  const shimmed = {
    create(o) {
      return o?.publicKey === undefined ? native.create.apply(this, arguments) : perform("create", o);
    },
    get(o) {
      return o?.publicKey === undefined ? native.get.apply(this, arguments) : perform("get", o);
    },
  };
  const signal = (kind) => (o) =>
    new Promise((resolve, reject) => {
      ask({ do: "signal", signal: kind, options: plain(o) ?? {} }, (answer) => (answer.error ? reject(failure(answer.error)) : resolve(undefined)));
    });
  const statics = {
    isConditionalMediationAvailable: async () => true,
    isUserVerifyingPlatformAuthenticatorAvailable: async () => config.capabilities.userVerifyingPlatformAuthenticator,
    getClientCapabilities: async () => ({ ...config.capabilities }),
    signalUnknownCredential: signal("signalUnknownCredential"),
    signalAllAcceptedCredentials: signal("signalAllAcceptedCredentials"),
    signalCurrentUserDetails: signal("signalCurrentUserDetails"),
  };
  function put(on, methods) {
    for (const [name, value] of Object.entries(methods)) Object.defineProperty(on, name, { value, writable: true, enumerable: true, configurable: true });
  }
  put(CredentialsContainer.prototype, shimmed);
  put(PublicKeyCredential, statics);
  Object.defineProperty(globalThis, config.binding, {
    value: (id, answer) => {
      const settle = waiting.get(id);
      waiting.delete(id);
      settle?.(answer);
    },
  });
})
