// @simplewebauthn/server behind the routes of its documentation: options are bare JSON,
// answers {verified} or {error}; accounts and sessions in memory. It listens on loopback,
// says where, and ends with its standard input.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import {
  generateAuthenticationOptions, generateRegistrationOptions,
  verifyAuthenticationResponse, verifyRegistrationResponse,
} from '@simplewebauthn/server';

const rpID = 'localhost';
let origin;
const users = new Map(); // by name: {id, name, passkeys}
const sessions = new Map(); // by cookie: {user, joining, challenge}

const passkeys = () => [...users.values()].flatMap((user) => user.passkeys.map((passkey) => ({ user, passkey })));
const descriptors = (user) => user.passkeys.map(({ credential }) => ({ id: credential.id, transports: credential.transports }));

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
  async 'GET /generate-registration-options'(session, query) {
    const name = query.get('user');
    const there = users.get(name);
    if (there && there !== session.user) throw new Refusal(403, 'this account is somebody else\'s');
    const user = there ?? { id: randomUUID(), name, passkeys: [] };
    const options = await generateRegistrationOptions({
      rpName: 'SimpleWebAuthn', rpID, userName: name, userID: new TextEncoder().encode(user.id),
      attestationType: query.get('attestation') ?? 'none', excludeCredentials: descriptors(user),
    });
    Object.assign(session, { challenge: options.challenge, joining: user });
    return options;
  },
  async 'POST /verify-registration'(session, query, response) {
    const { challenge, joining: user } = begun(session);
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response, expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpID, requireUserVerification: false,
    });
    if (!verified || !user) return { verified: false };
    const { credential, fmt, credentialDeviceType, credentialBackedUp } = registrationInfo;
    const taken = (users.get(user.name) ?? user) !== user || passkeys().some(({ passkey }) => passkey.credential.id === credential.id);
    if (taken) throw new Refusal(409, 'this account or credential is somebody else\'s');
    user.passkeys.push({ credential, fmt, credentialDeviceType, credentialBackedUp });
    users.set(user.name, user);
    session.user = user;
    return { verified };
  },
  async 'GET /generate-authentication-options'(session, query) {
    const user = query.has('user') ? users.get(query.get('user')) : undefined;
    if (query.has('user') && !user) throw new Refusal(404, 'no such user');
    const options = await generateAuthenticationOptions({ rpID, allowCredentials: user && descriptors(user) });
    Object.assign(session, { challenge: options.challenge, joining: user });
    return options;
  },
  async 'POST /verify-authentication'(session, query, response) {
    const { challenge, joining } = begun(session);
    const found = passkeys().find(({ passkey }) => passkey.credential.id === response.id);
    if (!found || (joining && joining !== found.user)) throw new Refusal(404, 'no such credential');
    const { user, passkey } = found;
    if (!joining && Buffer.from(response.response?.userHandle ?? '', 'base64url').toString() !== user.id) {
      throw new Refusal(400, 'this credential is another user\'s');
    }
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response, expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpID,
      credential: passkey.credential, requireUserVerification: false,
    });
    if (!verified) return { verified };
    passkey.credential.counter = authenticationInfo.newCounter;
    passkey.credentialBackedUp = authenticationInfo.credentialBackedUp;
    session.user = user;
    return { verified };
  },
  'GET /account'(session) {
    const { name, passkeys } = signedIn(session);
    return {
      user: name,
      passkeys: passkeys.map(({ credential, ...rest }) => ({ id: credential.id, counter: credential.counter, ...rest })),
    };
  },
  'DELETE /passkey'(session, query) {
    const user = signedIn(session);
    const kept = user.passkeys.filter(({ credential }) => credential.id !== query.get('id'));
    if (kept.length === user.passkeys.length) throw new Refusal(404, 'no such passkey');
    user.passkeys = kept;
    return {};
  },
  'POST /sign-out'(session) {
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
  const url = new URL(request.url, origin);
  let status = 200;
  let answer;
  try {
    let body = '';
    for await (const chunk of request) body += chunk;
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) throw new Refusal(404, 'no such route');
    answer = await route(sessionOf(request, response), url.searchParams, body ? JSON.parse(body) : undefined);
    if (answer.verified === false) status = 400;
  } catch (error) {
    status = error.status ?? 400;
    answer = { error: error.cause ? `${error.message}: ${error.cause.message ?? error.cause}` : error.message };
  }
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
});

server.listen(0, '127.0.0.1', () => {
  origin = `http://localhost:${server.address().port}`;
  console.log(`listening on ${origin}`);
});
process.stdin.resume().on('end', () => process.exit());
