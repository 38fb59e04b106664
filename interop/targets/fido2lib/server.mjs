// fido2-lib behind the FIDO conformance server API: options stand beside status and
// errorMessage, a cookie ties the two requests; accounts and sessions in memory. The
// library leaves binary members, names and credential lists to its caller. It listens on
// loopback, says where, and ends with its standard input.
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Fido2Lib } from 'fido2-lib';

const rpId = 'localhost';
let origin;
const users = new Map(); // by name: {id, name, keys}
const sessions = new Map(); // by cookie: {user, joining, challenge}

const toBytes = (text) => {
  const b = Buffer.from(text, 'base64url');
  return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
};
const toText = (bytes) => Buffer.from(bytes).toString('base64url');
const library = (attestation = 'none') => new Fido2Lib({
  rpId, rpName: 'fido2-lib', attestation, cryptoParams: [-7, -257], authenticatorUserVerification: 'preferred',
});
const descriptors = (user) => user.keys.map(({ id }) => ({ type: 'public-key', id }));
const owner = (id) => [...users.values()].find((user) => user.keys.some((key) => key.id === id));

class Refusal extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

function begun(session) {
  const { challenge, joining } = session;
  session.challenge = session.joining = undefined;
  if (!challenge) throw new Refusal(400, 'no ceremony was begun');
  return { challenge, joining };
}

function signedIn(session) {
  if (!session.user) throw new Refusal(401, 'nobody is signed in');
  return session.user;
}

const routes = {
  async 'POST /attestation/options'(session, { username, displayName, attestation }) {
    const there = users.get(username);
    if (there && there !== session.user) throw new Refusal(403, 'this account is somebody else\'s');
    const user = there ?? { id: toText(randomBytes(32)), name: username, keys: [] };
    const options = await library(attestation).attestationOptions();
    const challenge = toText(options.challenge);
    Object.assign(session, { challenge, joining: user });
    return {
      ...options, challenge, user: { id: user.id, name: username, displayName }, excludeCredentials: descriptors(user),
      authenticatorSelection: { ...options.authenticatorSelection, residentKey: 'preferred' },
    };
  },
  async 'POST /attestation/result'(session, response) {
    const { challenge, joining: user } = begun(session);
    const { authnrData } = await library().attestationResult(
      { ...response, id: toBytes(response.id), rawId: toBytes(response.rawId) },
      { rpId, challenge, origin, factor: 'either' },
    );
    if (!user || (users.get(user.name) ?? user) !== user || owner(response.id)) {
      throw new Refusal(409, 'this account or credential is somebody else\'s');
    }
    user.keys.push({
      id: toText(authnrData.get('credId')), publicKey: authnrData.get('credentialPublicKeyPem'),
      counter: authnrData.get('counter'), fmt: authnrData.get('fmt'),
    });
    users.set(user.name, user);
    session.user = user;
    return {};
  },
  async 'POST /assertion/options'(session, { username }) {
    const user = users.get(username);
    if (username && !user) throw new Refusal(404, 'no such user');
    const options = await library().assertionOptions();
    const challenge = toText(options.challenge);
    Object.assign(session, { challenge, joining: user });
    return { ...options, challenge, allowCredentials: user ? descriptors(user) : [] };
  },
  async 'POST /assertion/result'(session, response) {
    const { challenge, joining } = begun(session);
    const user = owner(response.id);
    if (!user || (joining && joining !== user)) throw new Refusal(404, 'no such credential');
    if (!joining && !response.response.userHandle) throw new Refusal(400, 'no user handle');
    const key = user.keys.find(({ id }) => id === response.id);
    const { authnrData } = await library().assertionResult(
      { ...response, id: toBytes(response.id), rawId: toBytes(response.rawId), response: { ...response.response, authenticatorData: toBytes(response.response.authenticatorData) } },
      { rpId, challenge, origin, factor: 'either', publicKey: key.publicKey, prevCounter: key.counter, userHandle: user.id },
    );
    key.counter = authnrData.get('counter');
    session.user = user;
    return {};
  },
  'GET /account'(session) {
    const { name, keys } = signedIn(session);
    return { user: name, keys: keys.map(({ id, counter, fmt }) => ({ id, counter, fmt })) };
  },
  'POST /account/delete'(session, { id }) {
    const user = signedIn(session);
    const kept = user.keys.filter((key) => key.id !== id);
    if (kept.length === user.keys.length) throw new Refusal(404, 'no such key');
    user.keys = kept;
    return {};
  },
  'POST /logout'(session) {
    session.user = undefined;
    return {};
  },
};

function sessionOf(request, response) {
  const id = /(?:^|; )session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  if (sessions.has(id)) return sessions.get(id);
  const fresh = randomUUID();
  sessions.set(fresh, {});
  response.setHeader('Set-Cookie', `session=${fresh}; Path=/; HttpOnly; SameSite=Lax`);
  return sessions.get(fresh);
}

const server = createServer(async (request, response) => {
  let status = 200;
  let answer = { status: 'ok', errorMessage: '' };
  try {
    let body = '';
    for await (const chunk of request) body += chunk;
    const route = routes[`${request.method} ${request.url}`];
    if (!route) throw new Refusal(404, 'no such route');
    answer = { ...answer, ...await route(sessionOf(request, response), body ? JSON.parse(body) : undefined) };
  } catch (error) {
    status = error.status ?? 400;
    answer = { status: 'failed', errorMessage: error.message };
  }
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
});

server.listen(0, '127.0.0.1', () => {
  origin = `http://localhost:${server.address().port}`;
  console.log(`listening on ${origin}`);
});
process.stdin.resume().on('end', () => process.exit());
