// better-auth with its plug-ins for passkeys and links by mail, as its documentation sets
// them up, over its memory adapter. It listens on loopback, says where, and ends with its
// standard input.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { passkey } from '@better-auth/passkey';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { magicLink } from 'better-auth/plugins';

let handler;
const server = createServer((request, response) => handler(request, response));

async function sendMagicLink({ email, url }) {
  await fetch(process.env.INTEROP_MAIL, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ to: email, subject: 'Your link', text: url }),
  });
}

server.listen(0, '127.0.0.1', () => {
  const origin = `http://localhost:${server.address().port}`;
  const auth = betterAuth({
    baseURL: origin,
    secret: randomBytes(32).toString('hex'),
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], passkey: [] }),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [passkey({ rpID: 'localhost', rpName: 'better-auth', origin }), magicLink({ sendMagicLink })],
  });
  handler = toNodeHandler(auth);
  console.log(`listening on ${origin}`);
});
process.stdin.resume().on('end', () => process.exit());
