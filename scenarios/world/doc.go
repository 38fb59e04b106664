// Package world is what a scenario happens in: people, devices, sync accounts and
// a relying party, one clock and one source of randomness.
//
// A [World] is made for one attempt at one scenario and thrown away afterwards.
// [Device] is the one value that hides what is behind a device's name; a step
// talks to it and does not know whether it is an authenticator in this process, a
// computer with a TPM, a phone on a sync account or a real key.
//
// Everything that goes over a wire is told to the report as it happens.
package world
