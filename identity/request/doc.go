// Package request doubles the request service of Microsoft Entra Verified ID: a relying
// party asks it for a presentation, a wallet gives one to it, and it calls back.
//
//	POST /v1.0/verifiableCredentials/createPresentationRequest                  relying party: ask
//	GET  /v1.0/{tenant}/verifiableCredentials/presentationRequests/{requestId}  wallet: what is asked
//	POST /v1.0/{tenant}/verifiableCredentials/present                           wallet: present
//	GET  /{tenant}/did.json                                                     anybody: the tenant's DID document
//	GET  /v1.0/verifiableCredentials/presentations/{requestId}                  relying party: what was presented
//
// Requests, callbacks and errors have the documented shapes ("Request Service REST API
// presentation specification", "Request Service API error codes", "Using Face Check
// with Verified ID"); requests to wallets and their answers follow the JWT VC
// Presentation Profile. What is this double's own, because no document has it:
//
//   - the last of the paths above, by which a relying party can verify for itself what
//     the callback tells, since with Face Check there is no receipt;
//   - face_check in the request object and face_capture in the answer, by which the
//     wallet learns that a selfie is due and hands it in;
//   - the times after which a callback is tried again, and codes of presentation_error
//     other than claimValidationError, which are those of the API's inner errors.
//
// A presentation that its holder did not sign, or that was made for another request,
// is refused to whoever sent it and is told to nobody: a request cannot be spoilt from
// outside. Once it is the holder's own, whatever is wrong with it ends the request with
// presentation_error. A request ends once.
//
// Nothing here sleeps or runs by itself: a callback is first sent while the wallet's
// request is answered, and is tried again by [Service.Deliver], when its time has come.
package request
