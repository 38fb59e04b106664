// Package graph answers as the parts of Microsoft Graph do by which passkeys are
// administered: users, groups and their members, fido2Methods with creationOptions,
// Temporary Access Passes, the FIDO2 configuration with its passkey profiles, the
// preference of credentials, and revoking sessions. Paths, JSON, OData, error envelope
// and throttling are Graph's, from its public documentation; what is behind them is a
// [Tenant]. What Graph does beyond that documentation is not known to it.
//
//	GET    /users                                  $filter=userPrincipalName eq '…', $top
//	POST   /users
//	GET    /users/{id | userPrincipalName}
//	POST   /users/{id}/revokeSignInSessions
//	GET    /users/{id}/memberOf
//	GET    /users/{id}/authentication/fido2Methods[/{id}]
//	GET    /users/{id}/authentication/fido2Methods/creationOptions
//	GET    /users/{id}/authentication/fido2Methods/creationOptions(challengeTimeoutInMinutes={n})   beta
//	POST   /users/{id}/authentication/fido2Methods
//	DELETE /users/{id}/authentication/fido2Methods/{id}
//	GET    /users/{id}/authentication/temporaryAccessPassMethods[/{id}]
//	POST   /users/{id}/authentication/temporaryAccessPassMethods
//	DELETE /users/{id}/authentication/temporaryAccessPassMethods/{id}
//	GET    /groups                                 $filter=displayName eq '…', $top
//	POST   /groups
//	GET    /groups/{id}
//	GET    /groups/{id}/members
//	POST   /groups/{id}/members/$ref
//	DELETE /groups/{id}/members/{user}/$ref
//	GET    /policies/authenticationMethodsPolicy
//	PATCH  /policies/authenticationMethodsPolicy   systemCredentialPreferences
//	GET    /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2
//	PATCH  /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2
//	GET    /auditLogs/signIns                      $filter=userPrincipalName eq '…', $top
//	POST   /identityProtection/riskyUsers/confirmCompromised
package graph
