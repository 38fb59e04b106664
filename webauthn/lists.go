package webauthn

import (
	"context"
	"errors"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// defaultMessageSize is maxMsgSize where getInfo does not say (CTAP 2.3, section
// 6.4), and descriptorSize what a descriptor takes apart from its id.
const (
	defaultMessageSize = 1024
	descriptorSize     = 28
)

// fitting returns the credentials that the authenticator could have made, by the
// length of their ids.
func fitting(list []ctap.Descriptor, info *ctap.Info) []ctap.Descriptor {
	most := int(info.MaxCredentialIDLength)
	if most == 0 {
		return list
	}
	var fit []ctap.Descriptor
	for _, d := range list {
		if len(d.ID) <= most {
			fit = append(fit, d)
		}
	}
	return fit
}

// batches splits a list into parts that the authenticator takes in one message.
// rest is about how many bytes of the message are for other things. An
// authenticator that does not say how many credentials it takes is given one.
func batches(list []ctap.Descriptor, info *ctap.Info, rest int) [][]ctap.Descriptor {
	most := max(1, int(info.MaxCredentialCountInList))
	room := int(info.MaxMsgSize)
	if room == 0 {
		room = defaultMessageSize
	}
	room -= rest
	var all [][]ctap.Descriptor
	for len(list) > 0 {
		n, size := 0, 0
		for n < len(list) && n < most {
			size += descriptorSize + len(list[n].ID)
			if n > 0 && size > room {
				break
			}
			n++
		}
		all = append(all, list[:n:n])
		list = list[n:]
	}
	return all
}

// probeHash stands in for a client data hash where no signature is wanted.
var probeHash = make([]byte, 32)

// find asks an authenticator without its user which of the batches' credentials
// it holds, and returns the first; nil for none that it tells of.
func (c *ceremony) find(ctx context.Context, d *candidate, parts [][]ctap.Descriptor, auth platform.Authorisation) (*ctap.Descriptor, error) {
	for _, part := range parts {
		held, err := c.probe(ctx, d, part, auth)
		if err != nil || held != nil {
			return held, err
		}
	}
	return nil, nil
}

// probe asks for a signature without user presence. An empty list asks for any
// discoverable credential.
func (c *ceremony) probe(ctx context.Context, d *candidate, list []ctap.Descriptor, auth platform.Authorisation) (*ctap.Descriptor, error) {
	r := &ctap.GetAssertionRequest{
		RPID:           c.rpID,
		ClientDataHash: probeHash,
		AllowList:      list,
		Options:        map[string]bool{"up": false},
	}
	platform.Authorisation{Token: auth.Token}.GetAssertion(r)
	a, err := d.host.GetAssertion(ctx, r)
	switch {
	case err == nil:
		return &ctap.Descriptor{Type: ctap.PublicKeyCredential, ID: a.Credential.ID}, nil
	case errors.Is(err, ctap.ErrNoCredentials), errors.Is(err, ctap.ErrInvalidCredential):
		return nil, nil
	case errors.Is(err, ctap.ErrUPRequired) && len(list) == 1: // it knows it, and signs for nobody without a touch
		return &list[0], nil
	}
	return nil, err
}
