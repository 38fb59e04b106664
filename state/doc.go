// Package state keeps things in files that survive the process: the state and
// the credentials of a device, and whatever else needs a durable file.
package state
