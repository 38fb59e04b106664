package state

import (
	"fmt"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// record is a credential as it is written: CBOR with small integer keys. A key
// keeps its meaning for ever; new members get new keys.
type record struct {
	ID           []byte `cbor:"1,keyasint,omitempty"`
	RPID         string `cbor:"2,keyasint,omitempty"`
	RPName       string `cbor:"3,keyasint,omitempty"`
	UserID       []byte `cbor:"4,keyasint,omitempty"`
	UserName     string `cbor:"5,keyasint,omitempty"`
	DisplayName  string `cbor:"6,keyasint,omitempty"`
	Algorithm    int    `cbor:"7,keyasint,omitempty"`
	KeyHandle    []byte `cbor:"8,keyasint,omitempty"`
	PublicKey    []byte `cbor:"9,keyasint,omitempty"`
	Seconds      int64  `cbor:"10,keyasint,omitempty"` // creation, Unix time
	Nanoseconds  int64  `cbor:"11,keyasint,omitempty"`
	Discoverable bool   `cbor:"12,keyasint,omitempty"`
	Protection   uint8  `cbor:"13,keyasint,omitempty"`
	HMACSecret   []byte `cbor:"14,keyasint,omitempty"`
	BackedUp     bool   `cbor:"15,keyasint,omitempty"`
	CredBlob     []byte `cbor:"16,keyasint,omitempty"`
	LargeBlobKey []byte `cbor:"17,keyasint,omitempty"`
	HasLargeBlob bool   `cbor:"18,keyasint,omitempty"`
	LargeBlob    []byte `cbor:"19,keyasint,omitempty"`
	OriginalSize uint64 `cbor:"20,keyasint,omitempty"` // of the large blob
	Payment      bool   `cbor:"21,keyasint,omitempty"`
}

// EncodeCredential returns c as CBOR in the CTAP2 canonical form. The time of
// creation keeps its nanoseconds and loses its time zone.
func EncodeCredential(c *authenticator.Credential) ([]byte, error) {
	r := record{
		ID: c.ID, RPID: c.RP.ID, RPName: c.RP.Name,
		UserID: c.User.ID, UserName: c.User.Name, DisplayName: c.User.DisplayName,
		Algorithm: int(c.Algorithm), KeyHandle: c.KeyHandle, PublicKey: c.PublicKey,
		Seconds: c.CreatedAt.Unix(), Nanoseconds: int64(c.CreatedAt.Nanosecond()),
		Discoverable: c.Discoverable, Protection: c.Protection, HMACSecret: c.HMACSecret,
		BackedUp: c.BackedUp, CredBlob: c.CredBlob, LargeBlobKey: c.LargeBlobKey, Payment: c.ThirdPartyPayment,
	}
	if blob := c.LargeBlob; blob != nil {
		r.HasLargeBlob, r.LargeBlob, r.OriginalSize = true, blob.Data, blob.OriginalSize
	}
	b, err := ctap.Encode(r)
	if err != nil {
		return nil, fmt.Errorf("credential %x cannot be written: %w", c.ID, err)
	}
	return b, nil
}

// DecodeCredential reads what [EncodeCredential] wrote. Its error says that b is
// not such a record; it wraps a [ctap.Status].
func DecodeCredential(b []byte) (*authenticator.Credential, error) {
	var r record
	if err := ctap.DecodeLoose(b, &r); err != nil {
		return nil, fmt.Errorf("not the record of a credential: %w", err)
	}
	c := &authenticator.Credential{
		ID:        r.ID,
		RP:        ctap.RelyingParty{ID: r.RPID, Name: r.RPName},
		User:      ctap.User{ID: r.UserID, Name: r.UserName, DisplayName: r.DisplayName},
		Algorithm: cose.Algorithm(r.Algorithm), KeyHandle: r.KeyHandle, PublicKey: r.PublicKey,
		CreatedAt:    time.Unix(r.Seconds, r.Nanoseconds).UTC(),
		Discoverable: r.Discoverable, Protection: r.Protection, HMACSecret: r.HMACSecret,
		BackedUp: r.BackedUp, CredBlob: r.CredBlob, LargeBlobKey: r.LargeBlobKey, ThirdPartyPayment: r.Payment,
	}
	if r.HasLargeBlob {
		c.LargeBlob = &authenticator.LargeBlob{Data: r.LargeBlob, OriginalSize: r.OriginalSize}
	}
	return c, nil
}
