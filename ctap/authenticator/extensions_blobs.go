package authenticator

import (
	"io"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// largeBlobKeySize is the size in bytes of a largeBlobKey.
const largeBlobKeySize = 32

// maxLargeBlob is how many bytes, compressed, the extension largeBlob keeps with one
// credential: as many as Chromium's password manager does.
const maxLargeBlob = 2048

// makeCredBlob is credBlob in makeCredential (section 12.2). The output says whether
// the blob was stored, which takes a discoverable credential, as on most keys, and a
// blob that is not too long.
func (a *Authenticator) makeCredBlob(c *ceremony, x *makeExtensions, raw cbor.RawMessage) error {
	var blob ctap.Bytes
	if err := ctap.DecodeLoose(raw, &blob); err != nil {
		return err
	}
	stored := a.discoverable(c) && uint(len(blob)) <= max(a.profile.MaxCredBlob, leastMaxCredBlob)
	if stored {
		x.credBlob = blob
	}
	x.outputs[ExtCredBlob] = stored
	return nil
}

// getCredBlob is credBlob in getAssertion: the blob, empty where there is none.
func (a *Authenticator) getCredBlob(_ *ceremony, credential *Credential, x *getExtensions, raw cbor.RawMessage) error {
	asked, err := flag(raw)
	if err == nil && asked {
		x.outputs[ExtCredBlob] = append([]byte{}, credential.CredBlob...)
	}
	return err
}

// makeLargeBlobKey is largeBlobKey in makeCredential (section 12.3): for discoverable
// credentials alone, and true is the only input.
func (a *Authenticator) makeLargeBlobKey(c *ceremony, x *makeExtensions, raw cbor.RawMessage) error {
	asked, err := flag(raw)
	if err == nil && (!asked || !c.rk) {
		return ctap.ErrInvalidOption
	}
	x.blobKey = asked
	return err
}

// getLargeBlobKey is largeBlobKey in getAssertion.
func (a *Authenticator) getLargeBlobKey(_ *ceremony, credential *Credential, x *getExtensions, raw cbor.RawMessage) error {
	asked, err := flag(raw)
	if err == nil && !asked {
		return ctap.ErrInvalidOption
	}
	x.largeBlobKey = credential.LargeBlobKey
	return err
}

// makeLargeBlob is largeBlob in makeCredential (section 12.4). Its output is unsigned:
// see unsignedOutputs. A credential that is not discoverable has no place for a blob.
func (a *Authenticator) makeLargeBlob(c *ceremony, x *makeExtensions, raw cbor.RawMessage) error {
	var in struct {
		Support string `cbor:"support"`
	}
	if err := largeBlobShape(raw, &in, 1); err != nil {
		return err
	}
	x.largeBlob = a.discoverable(c)
	switch in.Support {
	case "preferred":
		return nil
	case "required":
		if !x.largeBlob {
			return ctap.ErrLargeBlobStorageFull
		}
		return nil
	}
	return ctap.ErrInvalidCBOR
}

// largeBlobShape reads an input of largeBlob: a map of exactly so many members, all of
// which in has.
func largeBlobShape(raw cbor.RawMessage, in any, members int) error {
	var all map[string]cbor.RawMessage
	if err := ctap.DecodeLoose(raw, &all); err != nil {
		return err
	}
	if len(all) != members || ctap.DecodeLoose(raw, in) != nil {
		return ctap.ErrInvalidCBOR
	}
	return nil
}

// unsignedOutputs returns the unsignedExtensionOutputs of makeCredential.
func (x *makeExtensions) unsignedOutputs() (map[string]cbor.RawMessage, error) {
	if !x.largeBlob {
		return nil, nil
	}
	return unsigned(ExtLargeBlob, map[string]bool{"supported": true})
}

func unsigned(id string, output any) (map[string]cbor.RawMessage, error) {
	raw, err := ctap.Encode(output)
	return map[string]cbor.RawMessage{id: raw}, err
}

// largeBlobInput is the input of largeBlob in getAssertion: to read, or to write.
type largeBlobInput struct {
	Read         *bool      `cbor:"read"`
	Write        ctap.Bytes `cbor:"write"`        // compressed by the platform; empty to delete the blob
	OriginalSize *uint64    `cbor:"originalSize"` // bytes before compression
}

// getLargeBlob is largeBlob in getAssertion (section 12.4): what it asks for happens
// once the assertion is signed. A page may write only to credentials that it names.
// As with hmac-secret, nothing is read or written without the user.
func (a *Authenticator) getLargeBlob(c *ceremony, _ *Credential, x *getExtensions, raw cbor.RawMessage) error {
	in := &largeBlobInput{}
	var all map[string]cbor.RawMessage
	if err := ctap.DecodeLoose(raw, &all); err != nil {
		return err
	}
	members := 1
	if _, writes := all["write"]; writes {
		members = 2
	}
	if err := largeBlobShape(raw, in, members); err != nil {
		return err
	}
	writes := in.Write != nil && in.OriginalSize != nil
	switch {
	case in.Read == nil && !writes:
		return ctap.ErrInvalidCBOR
	case writes && !c.listed:
		return ctap.ErrInvalidParameter
	case !c.up:
		return ctap.ErrUnsupportedOption
	}
	x.largeBlob = in
	return nil
}

// unsignedOutputs reads or writes the large blob of a credential and returns the
// unsignedExtensionOutputs of getAssertion. What was written is durable then.
func (a *Authenticator) unsignedOutputs(credential *Credential, x *getExtensions) (map[string]cbor.RawMessage, error) {
	in := x.largeBlob
	if in == nil {
		return nil, nil
	}
	if in.Write == nil {
		return readLargeBlob(credential, *in.Read)
	}
	written := credential.LargeBlob != nil && len(in.Write) <= maxLargeBlob
	if written {
		changed := *credential
		changed.LargeBlob = &LargeBlob{}
		if len(in.Write) > 0 {
			changed.LargeBlob = &LargeBlob{Data: in.Write, OriginalSize: *in.OriginalSize}
		}
		if err := a.env.Credentials.Put(&changed); err != nil {
			return nil, err
		}
	}
	return unsigned(ExtLargeBlob, map[string]bool{"written": written})
}

// readLargeBlob returns nothing for a credential that has no blob.
func readLargeBlob(credential *Credential, asked bool) (map[string]cbor.RawMessage, error) {
	blob := credential.LargeBlob
	if !asked || blob == nil || blob.Data == nil {
		return nil, nil
	}
	return unsigned(ExtLargeBlob, map[string]any{"blob": blob.Data, "originalSize": blob.OriginalSize})
}

// giveBlobs gives a new credential what the blob extensions keep with it.
func (a *Authenticator) giveBlobs(credential *Credential, x *makeExtensions) error {
	credential.CredBlob = x.credBlob
	if x.largeBlob {
		credential.LargeBlob = &LargeBlob{}
	}
	if !x.blobKey {
		return nil
	}
	credential.LargeBlobKey = make([]byte, largeBlobKeySize)
	_, err := io.ReadFull(a.env.Rand, credential.LargeBlobKey)
	return err
}
