package keychain

import (
	"context"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
)

// Recovery contacts, as Apple Platform Security describes them ("Account recovery contact
// security"): the private half of a spare key, encrypted, is a packet that the contact
// keeps; what it is encrypted with, a random key, is kept by the service. Neither alone
// says anything.

// Packet is what a recovery contact keeps for somebody.
type Packet struct {
	Account string `json:"account"` // id
	Contact string `json:"contact"` // what the owner calls the contact
	Token   []byte `json:"token"`   // by which the service knows that the contact helps
	Sealed  []byte `json:"sealed"`
}

// NameContact makes a recovery contact, in place of an earlier one of that name. The
// packet is for the contact's device ([Device.KeepPacket]); this device does not keep it.
func (d *Device) NameContact(ctx context.Context, contact string) (Packet, error) {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return Packet{}, err
	}
	p, r, err := d.contactSpare(s.account, contact)
	if err != nil {
		return Packet{}, err
	}
	return p, d.leave(ctx, &s, r)
}

func (d *Device) contactSpare(account, contact string) (p Packet, r spareRequest, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	made, err := d.newSpare(ByContact)
	if err != nil {
		return p, r, err
	}
	random, err := randomBytes(d.env.Rand, 2*keyLen)
	if err != nil {
		return p, r, err
	}
	token, key := random[:keyLen:keyLen], random[keyLen:]
	sealed, err := sealSecret(d.env.Rand, key, account, ByContact, made.key.Bytes())
	if err != nil {
		return p, r, err
	}
	r = made.request
	r.ID += "/" + contact
	r.Sealed = key
	r.Proof, err = contactProof(token, r.Salt)
	return Packet{account, contact, token, sealed}, r, err
}

func contactProof(token, salt []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, token, salt, "fido-emu keychain recovery contact", 32)
}

// KeepPacket has this device be somebody's recovery contact. It needs no account for
// that.
func (d *Device) KeepPacket(p Packet) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, old := range d.packets {
		if old.Account == p.Account && old.Contact == p.Contact {
			d.packets[i] = p
			return d.commit()
		}
	}
	d.packets = append(d.packets[:len(d.packets):len(d.packets)], p)
	return d.commit()
}

// Assist hands out the packets that this device keeps for an account: its holder should
// be sure who asks. Without one the error is [NoRecovery].
func (d *Device) Assist(account string) (Packet, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.packets {
		if p.Account == accountID(account) {
			return p, nil
		}
	}
	return Packet{}, failure(NoRecovery, "its owner has to choose you while there is a device left", "%s is no recovery contact of %s", d.name, account)
}

// RecoverWithContact joins an account with the packet that its recovery contact handed
// out, and the key to it that the service keeps.
func (d *Device) RecoverWithContact(ctx context.Context, account, secret string, p Packet) error {
	return d.takeSpare(ctx, account, secret, string(ByContact)+"/"+p.Contact, func(params *spareParams) ([]byte, error) {
		proof, err := contactProof(p.Token, params.Salt)
		return append(proof, make([]byte, keyLen)...), err
	}, func(account string, _, key []byte) (*ecdh.PrivateKey, error) {
		return openSecret(key, account, ByContact, p.Sealed)
	})
}
