// Package interop runs the harness against WebAuthn servers that nobody here wrote:
// their own documented API in a host of a few lines, fetched from package registries
// with versions and hashes pinned, started on loopback for the length of a run.
//
// [Targets] are the servers, as data; [Target.Bring] brings one, [Target.Start] starts
// it, [Run] takes every authenticator profile through every scenario there, and
// [Target.Audit] audits it.
// docs/interop.md says what came of it and how to add a server.
package interop
