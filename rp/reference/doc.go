// Package reference is a relying party to test authenticators and clients
// against. It verifies with github.com/go-webauthn/webauthn, unmodified (but for
// signatures of ML-DSA where the library is built without it, see beyond.go), and adds
// what WebAuthn Level 3 leaves to relying parties: accounts and groups, sessions,
// passkey management, policies, Temporary Access Passes and an audit log.
//
// [Core] is the relying party without a transport. [InProcess] and [Dial] return
// an [Adapter] to it for the harness, in this process and over HTTP; [Handler] and
// [Serve] offer it to browsers. All state is in memory and ends with the process, unless
// Config.State keeps it in a directory ([State]).
// Given Config.Now and a seeded Config.Rand, two runs draw the same challenges,
// user handles, tokens and passes. The library alone looks at the real clock, for
// the validity of attestation certificates; their chains are checked at
// Config.Now.
//
// # Accounts
//
// Somebody signs up by registering a passkey ([Core.BeginRegistration]) or is
// added by an administrator ([Core.AddPerson]) and comes in with a Temporary
// Access Pass ([Core.IssuePass]). A pass opens a session that can do one thing,
// register a passkey; doing so replaces it with a full session. An administrator
// can say beforehand to which groups somebody will belong who signs up
// ([Core.Expect]); an Adapter does so for a person that has groups. User names
// that differ only in case are the same.
//
// # Ceremonies
//
// WebAuthn Level 3, sections 7.1 and 7.2, step by step. Verification happens
// outside of any lock; whether the passkey, the session and the name are still
// what they were is looked at again when the result is stored. A challenge counts
// once and for Config.ChallengeLifetime. Registration offers ES256, EdDSA, ES384
// and RS256, in this order, or what the person's policies name, such as ML-DSA-65
// before ES256. It excludes the passkeys that the account has, asks for
// credProps, and asks for attestation (direct) where some policy of the person
// needs it. The larger signature counter is kept when one goes back.
//
// # Policies and passkey profiles
//
// There are at most three passkey profiles, each for some groups ([rp.PasskeyProfiles],
// [Core.SetPasskeyProfiles]), as in Microsoft Entra ID. A group can have a policy of its
// own instead ([Core.SetPolicy]), which can say more; what was set last holds, so that
// one thing rules a group. A person must meet one profile or policy of their groups, or
// the default when their groups have none. Type, algorithm, AAGUID, user verification and counter are looked at
// whenever a passkey is used, so that a stricter policy stops passkeys that were
// registered before, and a laxer one lets them work again; attestation is looked at
// when a passkey is registered. User verification is asked for at the level that a
// person's policies agree on, as preferred where they differ; the algorithms that are
// offered are those of all of them. Attestation is trusted by Config.AttestationRoots and
// by a metadata BLOB ([Core.SetMetadata]); a model that the BLOB reports revoked or
// compromised is refused where attestation is asked for.
//
// # Methods and access
//
// Beside passkeys people may have passwords, codes, requests in an app and security
// questions (package methods), which reset passwords too. What is sent to them goes
// nowhere: an administrator reads it, and says who holds the phone. Rules of
// Conditional Access (package access) decide on each sign-in, and on standing sessions
// whenever they are used. Country and compliance of a device are what the headers
// Signal-Location and Signal-Compliant say: a double believes its network. At high
// risk all sessions end, and a passkey signs in, which ends the risk, or a pass. Owners
// are told of whatever opens new ways into their accounts.
//
// # Refusals
//
// A refusal is an *rp.Refused with one of the codes among this package's
// constants. What fails otherwise is an *rp.Broken.
//
// # HTTP
//
// Bodies are JSON of type application/json and at most 128 KiB; bytes are
// base64url without padding. What changes something must have an Origin header
// that is one of Config.Origins. Sessions are held by the cookie session
// (HttpOnly, SameSite=Strict; called __Host-session and Secure when all origins
// are https). A refusal has a status of 400 or above and {"code", "reason"}; a
// status of 500 means that the relying party failed, one of 503 that it cannot save
// ([State]). What answers nothing has status 204.
//
//	GET    /api/config                           → {rpId, name, origins, openSignUp}
//	POST   /api/register/begin    {name, displayName}, or {} with a session → {ceremony, publicKey}
//	POST   /api/register/finish   {ceremony, credential} → {credential, session?}
//	POST   /api/signin/begin      {name}, or {} for whomever the passkey names → {ceremony, publicKey}
//	POST   /api/signin/finish     {ceremony, credential} → session
//	POST   /api/recovery/redeem   {name, pass} → session
//	POST   /api/recovery/start    {name, country?, revokeOld?, reuse?} → {case, secret, link, url, page, qr, expires}
//	POST   /api/recovery/status   {case, secret} → {state, reason?, detail?, url?, pass?, expires}
//	POST   /api/recovery/continue {link} → {state, url?}: for the other device
//	POST   /api/recovery/callback what the presentation request service reports, with its api-key and without an Origin
//	GET    /api/recovery/notices  → {notices}: what the owner of the session was told
//	POST   /api/signin/methods    {name} → {methods}, what is to be tried first first
//	POST   /api/prove/begin       {purpose, name, attempt?, kind} → {attempt, kind, sentTo?, number?, questions?, expires?}
//	POST   /api/prove/finish      {attempt, answer} → {attempt, session? | ready? | next?}
//	POST   /api/reset             {attempt, password}, once an attempt is ready
//	POST   /api/methods           {kind, address? | secret? | answers?}: to one's own account
//	DELETE /api/methods?kind=…    of one's own account
//	DELETE /api/sessions          all of one's own but the one that asks
//	GET    /api/session           → {person, method, credential?, warnings?, limited, expires}
//	DELETE /api/session
//	GET    /api/credentials       → {credentials}
//	PATCH  /api/credentials/{id}  {name}
//	DELETE /api/credentials/{id}
//
// The administration wants Config.AdminToken, as "Authorization: Bearer" or by way
// of the cookie admin, and is closed when there is none:
//
//	POST   /api/admin/session                    {token}: sets the cookie, for an hour
//	DELETE /api/admin/session
//	GET    /api/admin/people?offset=0&limit=50   → {people, total}
//	POST   /api/admin/people                     {name, displayName, groups}
//	GET    /api/admin/people/{name}              → {name, displayName, groups, credentials, sessions, pass?}
//	POST   /api/admin/expected                   {name, groups}
//	PUT    /api/admin/people/{name}/groups       {groups}
//	POST   /api/admin/people/{name}/passes       {start?, lifetimeMinutes, once} → {pass}
//	DELETE /api/admin/people/{name}/sessions
//	DELETE /api/admin/people/{name}/credentials?id=…&id=…   all without ids
//	GET    /api/admin/policies                   → {policies: [{group, policy}]}
//	PUT    /api/admin/policies                   {group, policy}; the default without a group
//	GET    /api/admin/passkey-profiles           → {disabled, noSelfService, profiles, targets, excluded, default}
//	PUT    /api/admin/passkey-profiles           the same
//	GET    /api/admin/groups                     → {groups}
//	POST   /api/admin/groups                     {name}
//	GET    /api/admin/metadata                   → {number, models, nextUpdate}
//	PUT    /api/admin/metadata                   {blob}
//	GET    /api/admin/audit?after=0&limit=100    → {events}
//	GET    /api/admin/people/{name}/methods      → {methods}
//	POST   /api/admin/people/{name}/methods      {kind, address? | secret? | answers?}
//	DELETE /api/admin/people/{name}/methods?kind=…&kind=…
//	GET    /api/admin/dormant?hours=2160&group=  → {dormant}: phishable, unused, beside a passkey
//	GET    /api/admin/method-policy              → rp.MethodPolicy; PUT sets it
//	GET    /api/admin/people/{name}/outbox       → {messages}: what was sent, with codes
//	POST   /api/admin/pushes/{id}                {answer, number?}: what whoever holds the phone taps
//	PUT    /api/admin/holders                    {address, holder}: who holds a phone or a mailbox
//	GET    /api/admin/access                     → {rules}: of Conditional Access; PUT sets them all
//	PUT    /api/admin/people/{name}/risk         {level}
//	GET    /api/admin/sign-ins?person=&after=    → {value}, in Microsoft Graph's shape of signIn
//	GET    /api/admin/recovery                   → rp.RecoveryPolicy; PUT sets it
//	GET    /api/admin/recovery/log?person=       → {events}
//	GET    /api/admin/people/{name}/identity     → rp.Identity; PUT sets it
//	GET    /api/admin/people/{name}/recovered    → {notices}
//
// Below /graph/v1.0 and /graph/beta is what package graph does of Microsoft Graph, with
// the same token as a bearer. It needs no Origin header, because no cookie counts there.
//
// Pages for people are /, /signup, /reset, /recover, /recover/go/{link} and /passkeys;
// for administrators /admin, /admin/people, /admin/people/{name}, /admin/methods,
// /admin/access, /admin/recovery, /admin/sign-ins, /admin/log and /post. They load nothing
// from elsewhere. /.well-known/webauthn lists the origins (section 5.11),
// /.well-known/passkey-endpoints the page where people manage passkeys, and
// /.well-known/did-configuration.json the DID that asks for Verified IDs in our name.
package reference
