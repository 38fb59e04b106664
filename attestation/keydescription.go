package attestation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
)

// oidKeyDescription is the extension of an Android key attestation certificate
// (section 8.4.1).
var oidKeyDescription = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 1, 17}

// The values of origin and purpose that section 8.4 names, and those that it must be
// able to tell from them (Android Keystore, KeyOrigin and KeyPurpose).
const (
	OriginGenerated = 0 // KM_ORIGIN_GENERATED
	OriginImported  = 2 // KM_ORIGIN_IMPORTED
	PurposeSign     = 2 // KM_PURPOSE_SIGN
	PurposeVerify   = 3 // KM_PURPOSE_VERIFY
)

// The tags of an AuthorizationList (Android Keystore, key and ID attestation,
// "Attestation extension schema").
const (
	tagPurpose         = 1
	tagAlgorithm       = 2
	tagKeySize         = 3
	tagDigest          = 5
	tagECCurve         = 10
	tagAllApplications = 600
	tagOrigin          = 702
	tagOSVersion       = 705
	tagOSPatchLevel    = 706
)

// What the emulated key store is: KeyMint 3 in a trusted environment, Android 15.
const (
	keyMintVersion     = 300
	trustedEnvironment = 1
	osVersion          = 150000
	osPatchLevel       = 202601
	digestSHA256       = 4
)

// KeyDescription is what an Android key store says of a key (Android Keystore, key
// and ID attestation, "Attestation extension schema").
type KeyDescription struct {
	Challenge []byte
	Software  AuthorizationList // enforced by Android
	Hardware  AuthorizationList // enforced by the trusted environment or secure element: teeEnforced
}

// AuthorizationList is the part of an authorization list that section 8.4 looks at,
// and what an emulated key store adds to it.
type AuthorizationList struct {
	Purpose         []int // nil where the list says nothing
	Origin          []int // at most one; nil where the list says nothing
	AllApplications bool
	Key             crypto.PublicKey // described by algorithm, size, curve; nil for no description
}

// NewKeyDescription describes an *ecdsa.PublicKey or *rsa.PublicKey that a trusted
// environment made for signing.
func NewKeyDescription(public crypto.PublicKey, challenge []byte) (*KeyDescription, error) {
	switch public.(type) {
	case *ecdsa.PublicKey, *rsa.PublicKey:
		return &KeyDescription{
			Challenge: challenge,
			Hardware:  AuthorizationList{Purpose: []int{PurposeSign}, Origin: []int{OriginGenerated}, Key: public},
		}, nil
	}
	return nil, fmt.Errorf("an Android key store has no %T", public)
}

// keyDescription is the sequence KeyDescription.
type keyDescription struct {
	AttestationVersion int
	AttestationLevel   asn1.Enumerated
	KeyMintVersion     int
	KeyMintLevel       asn1.Enumerated
	Challenge          []byte
	UniqueID           []byte
	Software           asn1.RawValue
	Hardware           asn1.RawValue
}

// Marshal returns the value of the extension.
func (d *KeyDescription) Marshal() ([]byte, error) {
	software, err := d.Software.marshal()
	if err != nil {
		return nil, err
	}
	hardware, err := d.Hardware.marshal()
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(keyDescription{
		AttestationVersion: keyMintVersion, AttestationLevel: trustedEnvironment,
		KeyMintVersion: keyMintVersion, KeyMintLevel: trustedEnvironment,
		Challenge: d.Challenge, Software: software, Hardware: hardware,
	})
}

// field is one element of an authorization list.
type field struct {
	tag   int
	value any
	set   bool // SET OF INTEGER
}

// marshal writes the elements in the order of their tags.
func (l *AuthorizationList) marshal() (asn1.RawValue, error) {
	list := asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true}
	for _, f := range l.fields() {
		value, err := asn1.MarshalWithParams(f.value, map[bool]string{true: "set"}[f.set])
		if err != nil {
			return list, err
		}
		element, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: f.tag, IsCompound: true, Bytes: value})
		if err != nil {
			return list, err
		}
		list.Bytes = append(list.Bytes, element...)
	}
	return list, nil
}

func (l *AuthorizationList) fields() (all []field) {
	if l.Purpose != nil {
		all = append(all, field{tag: tagPurpose, value: l.Purpose, set: true})
	}
	all = append(all, describe(l.Key)...)
	if l.AllApplications {
		all = append(all, field{tag: tagAllApplications, value: asn1.NullRawValue})
	}
	for _, origin := range l.Origin {
		all = append(all, field{tag: tagOrigin, value: origin})
	}
	if l.Key != nil {
		all = append(all, field{tag: tagOSVersion, value: osVersion}, field{tag: tagOSPatchLevel, value: osPatchLevel})
	}
	return all
}

// describe returns algorithm, size, digest and curve of a key.
func describe(public crypto.PublicKey) []field {
	digest := field{tag: tagDigest, value: []int{digestSHA256}, set: true}
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		curve := map[int]int{256: 1, 384: 2, 521: 3}[k.Curve.Params().BitSize]
		return []field{{tag: tagAlgorithm, value: 3}, {tag: tagKeySize, value: k.Curve.Params().BitSize}, digest, {tag: tagECCurve, value: curve}}
	case *rsa.PublicKey:
		return []field{{tag: tagAlgorithm, value: 1}, {tag: tagKeySize, value: k.N.BitLen()}, digest}
	}
	return nil
}

// ParseKeyDescription reads the value of the extension. Of the lists it reads what
// section 8.4 looks at and passes over the rest, as the schema grows.
func ParseKeyDescription(value []byte) (*KeyDescription, error) {
	var raw keyDescription
	if rest, err := asn1.Unmarshal(value, &raw); err != nil || len(rest) != 0 {
		return nil, errors.New("the key description extension is not of its form")
	}
	d := &KeyDescription{Challenge: raw.Challenge}
	var err error
	if d.Software, err = parseAuthorizationList(raw.Software); err != nil {
		return nil, fmt.Errorf("softwareEnforced: %w", err)
	}
	if d.Hardware, err = parseAuthorizationList(raw.Hardware); err != nil {
		return nil, fmt.Errorf("teeEnforced: %w", err)
	}
	return d, nil
}

func parseAuthorizationList(raw asn1.RawValue) (l AuthorizationList, err error) {
	if raw.Class != asn1.ClassUniversal || raw.Tag != asn1.TagSequence {
		return l, errors.New("is not a sequence")
	}
	for rest := raw.Bytes; len(rest) > 0; {
		var element asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &element); err != nil || element.Class != asn1.ClassContextSpecific {
			return l, errors.New("an element is not of its form")
		}
		if err := l.read(element); err != nil {
			return l, fmt.Errorf("element %d: %w", element.Tag, err)
		}
	}
	return l, nil
}

func (l *AuthorizationList) read(element asn1.RawValue) error {
	switch element.Tag {
	case tagPurpose:
		return unmarshalAll(element.Bytes, &l.Purpose, "set")
	case tagOrigin:
		var origin int
		err := unmarshalAll(element.Bytes, &origin, "")
		l.Origin = append(l.Origin, origin)
		return err
	case tagAllApplications:
		l.AllApplications = true
	}
	return nil
}

func unmarshalAll(b []byte, into any, params string) error {
	rest, err := asn1.UnmarshalWithParams(b, into, params)
	if err == nil && len(rest) != 0 {
		err = errors.New("has bytes left over")
	}
	return err
}
