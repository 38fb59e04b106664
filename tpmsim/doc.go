// Package tpmsim is the key store of a platform authenticator inside a simulated
// TPM 2.0: credential keys are made in the TPM and never leave it unwrapped, and a
// restricted key in the TPM attests to them (TPM 2.0 Library, revision 1.59;
// WebAuthn Level 3, section 8.3).
//
// # Backends
//
// [Reference] is the reference implementation, in process through cgo. It starts
// in well under a millisecond, there can be one at a time in a process, and it is
// the only backend that takes a seed. [Swtpm] runs the program swtpm, one process
// for each TPM, as many as are wanted. [Device] is the TPM of the machine, through
// the kernel's /dev/tpmrm0: keys are made under its storage root key, nothing is kept
// in it, and it is never cleared. [New] takes any other TPM that go-tpm can reach.
//
// # Seeds
//
// A TPM opened with [Options].Seed is the same TPM every time, down to its key
// generation, its signatures and the clock in what it attests: the entropy source
// and the clock beneath the reference implementation are replaced for it. The
// same seed and the same calls give the same bytes, in one process or in several.
// A seed is the TPM as it left the factory: opened again without a StateDir, it
// loads the keys it made before, and makes the same keys anew in the same order.
// swtpm draws from the operating system and cannot be seeded; Open says so.
//
// # What ends a key
//
// A credential's handle is its private key wrapped by the TPM's storage root key,
// followed by its public part. After [TPM.Clear], and in any other TPM, it no
// longer loads, and signing with it fails with authenticator.ErrKeyLost.
package tpmsim
