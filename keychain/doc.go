// Package keychain is a mock sync provider for passkeys: a service that keeps
// what it cannot read, and devices that keep replicas of it. It is for testing
// what happens to passkeys when devices join, part, get lost, are revoked and
// recovered; it is not a place for passkeys that matter.
//
// A [Service] is the cloud. It knows accounts by a hash, devices by a name and a
// public key, and credentials as ciphertext under random ids. A [Device] is a
// member of an account. Its [Device.Credentials] is the store of an
// authenticator; the private keys, as the handles of software Keys, are inside
// the encrypted entities. The two speak through a [Cloud]: the Service itself, a
// client over HTTP ([Dial]), or a [Link] between them that loses, delays,
// reorders and cuts.
//
// # Keys
//
// Entities are encrypted with AES-256-GCM under the domain key of an epoch, 32
// random bytes. The additional data binds the account, the entity, the epoch, and
// whether it is a tombstone. The domain key is wrapped to the P-256 key of each
// member in a SecureBox, as Chromium's trusted vault does it. Revoking a device
// begins a new epoch with a new domain key; the old domain key goes along,
// encrypted under the new one, so that a member has every earlier key and can
// tell that the new one was made by somebody who had the last. Entities move to
// the new epoch lazily, when they next change: the revoked device has read what
// is older anyway, and the service gives it nothing more.
//
// A new device joins when a member approves it, after comparing a code that is
// derived from the new device's key and the account's first key. Or it recovers
// from escrow: a recovery key pair is sealed under a passcode, and the domain key
// is wrapped to its public half like to a member's. The service stands in for
// the hardware security module that counts tries: a try is counted durably before
// the comparison. As a stand-in it could itself guess passcodes. Recovery codes,
// Secret Keys, recovery contacts and recovery groups are such key pairs, too, whose
// private half other things open; members vouch for them with a code that needs the
// domain key. docs/keychain.md tells what the service has of each.
//
// # Providers
//
// A [Provider] says as data which of these ways there are, and how a provider
// behaves otherwise: [Providers] lists those that are built in, [ParseProvider]
// reads others.
//
// # Conflicts
//
// The credentials of one RP id and user id compete for one place. Those that
// another shadowed when it was made are ignored; of the rest the newest wins, and
// of equally new ones the greater id. Only names and the large blob can change, each
// apart from the other; the later change wins, and deleting a blob is a change. A
// deletion is a tombstone and beats a concurrent change. It takes everything along
// that competed on the device where it was made; what that device had not heard of
// stays, and what the dead had shadowed stays ignored. Replicas that have seen the
// same entities show the same credentials, in whatever order these came.
//
// Providers differ in this: with [ServerRevision] the change that reaches the service
// last stays, with [NewestWins] nothing is noted of what was replaced, and where deleted
// credentials are kept for a time, deleting and restoring are changes like others until
// the tombstone ends them.
package keychain
