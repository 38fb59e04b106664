// Package proofing is a double of the services that check who somebody is: a document
// is photographed, then a face, and who passed gets a Verified ID into the wallet.
//
// One [Service] has several providers, which are data ([Provider], providers/*.yaml):
// where they work, what they take, which steps they add, how often one may try, and what
// they call their reasons. They bear the names of companies that account recovery of
// Microsoft Entra ID works with; how those really behave is not public, and nothing here
// says anything about them.
//
// # HTTP
//
// Everything is under the service's base URL; {provider} is a provider's id. Bodies are
// JSON unless said otherwise. An error is {"error": {"code", "message"}}, with the codes
// of [Refusal].
//
// For the relying party, with Authorization: Bearer and its API key:
//
//	POST   /{provider}/sessions       Request → 201 Ticket; the header Idempotency-Key makes it safe to repeat
//	GET    /{provider}/sessions/{id}  → Result
//	DELETE /{provider}/sessions/{id}  ends it → Result
//
// For the person; {token} is in the link of the ticket, and who has it is the person.
// What changes something needs the header X-Device, or the cookie of that name, with what
// start or continue returned:
//
//	GET  /{provider}/verify/{token}           the page; POST is its forms
//	GET  /{provider}/verify/{token}/state     → View
//	POST /{provider}/verify/{token}/start     → Device; the first device has the session
//	POST /{provider}/verify/{token}/consent   → View
//	POST /{provider}/verify/{token}/document  image/png → View
//	POST /{provider}/verify/{token}/selfie    person.Capture → View
//	POST /{provider}/verify/{token}/offer     → Offer, of a verified session; an earlier one still stands
//	POST /{provider}/verify/{token}/handover  → HandOver
//	GET  /{provider}/c/{code}                 the page on the other device, to which the QR code leads; POST is its form
//	POST /{provider}/continue                 {"code"} → Device; from then on the earlier device is refused (moved)
//
// For wallets, {provider}/issuer is the base URL of a credential.Issuer:
//
//	GET  /{provider}/issuer/…                 metadata, DID document, offers, token, credential, status list
//
// For those who run tests, with Authorization: Bearer and the administration's key:
//
//	PUT  /admin/{provider}/fault              Fault → 204
//	POST /admin/{provider}/revive             a provider that died is started again → 204
//	POST /admin/{provider}/revoke             {"credential"} revokes a Verified ID by its id → 204
//
// For people who sit before a browser and have no test document, the double of a camera:
//
//	GET  /{provider}/camera/{person}/{kind}.png  a test person's document, with ?defect=… as many as wished
//	GET  /{provider}/camera/{person}/face.jpg    what a camera would see of a face, with ?shows=…&light=…&pose=…
//
// # Steps
//
// A session goes through its provider's steps in their order and none can be left out:
// consent, document, second-document, selfie. A document is judged by the bytes of its
// picture alone (package document), a selfie by its pixels: whose drawn face it is, in
// which pose, whether paper or a screen was held up, whether its frames came before. The
// match score is what the test person's file says (package person). Pictures are not
// kept; of a document stay its data, its portrait and the hash of its number.
//
// When a session is decided, its Result goes to the callback of the request, signed
// (see [Sign]), and again whenever it is asked for until it was taken.
//
// # Faults
//
// A provider can be down (503 of everything), slow, or die before a step is answered:
// nothing of that step is kept, and it is down until it is revived. With Config.Save
// every change is saved before the answer that tells of it; Config.Snapshot brings it
// back in a new process. Of links, devices and codes of hand-overs a snapshot holds
// hashes only, but also the data of documents, and of the issuers their private keys,
// status lists and the offers that stand: it is a secret.
package proofing
