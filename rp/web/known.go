package web

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
	"fido-emu/webauthn"
)

// registered reads what a RegistrationResponseJSON tells of a new passkey. What the
// site says of it goes before.
func registered(response []byte) (rp.Credential, error) {
	var r struct {
		RawID    string `json:"rawId"`
		Response struct {
			AttestationObject string `json:"attestationObject"`
		} `json:"response"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return rp.Credential{}, fmt.Errorf("the browser's response: %w", err)
	}
	id, err := anyBase64(r.RawID)
	if err != nil {
		return rp.Credential{}, fmt.Errorf("the browser's response: rawId: %w", err)
	}
	c := rp.Credential{ID: id}
	raw, err := anyBase64(r.Response.AttestationObject)
	if err != nil {
		return c, nil // an audit may send what it likes; the ID is what counts
	}
	object, err := webauthn.ParseAttestationObject(raw)
	if err != nil {
		return c, nil
	}
	c.Attestation = object.Format
	if data, err := ctap.ParseAuthenticatorData(object.AuthData); err == nil {
		describe(&c, data)
	}
	return c, nil
}

func describe(c *rp.Credential, data *ctap.AuthenticatorData) {
	c.SignCount = data.SignCount
	c.BackupEligible, c.BackedUp = data.Flags&ctap.FlagBE != 0, data.Flags&ctap.FlagBS != 0
	c.Type = typeOf(c.BackupEligible)
	if data.Attested == nil {
		return
	}
	c.AAGUID = data.Attested.AAGUID.String()
	if alg, _, err := cose.Parse(data.Attested.PublicKey); err == nil {
		c.Algorithm = alg.String()
	}
}

func typeOf(backupEligible bool) string {
	if backupEligible {
		return rp.Synced
	}
	return rp.DeviceBound
}

// credential reads a passkey as a site tells of it: the record's members, over what is
// known already.
func credential(c rp.Credential, record []binding, l lookup) (rp.Credential, error) {
	for _, b := range record {
		v, err := b.value.value(l)
		if err != nil {
			return c, fmt.Errorf("%s: %w", b.name, err)
		}
		if v == nil {
			continue
		}
		if err := assign(&c, b.name, textOf(v)); err != nil {
			return c, fmt.Errorf("%s of the passkey: %w", b.name, err)
		}
	}
	return c, nil
}

func assign(c *rp.Credential, name, text string) (err error) {
	switch name {
	case "id":
		c.ID, err = anyBase64(text)
	case "name":
		c.Name = text
	case "aaguid":
		c.AAGUID = dashed(text)
	case "algorithm":
		c.Algorithm = algorithm(text)
	case "attestation":
		c.Attestation = text
	case "trusted":
		c.Trusted = text == "true"
	case "type":
		c.Type = text
	case "backup-eligible":
		c.BackupEligible = text == "true"
		c.Type = typeOf(c.BackupEligible)
	case "backed-up":
		c.BackedUp = text == "true"
	case "sign-count":
		var n uint64
		n, err = strconv.ParseUint(text, 10, 32)
		c.SignCount = uint32(n)
	case "created":
		c.CreatedAt, err = moment(text)
	case "last-used":
		c.LastUsedAt, err = moment(text)
	}
	return err
}

// algorithm returns the name of a COSE algorithm that a site gives as a name or a
// number.
func algorithm(text string) string {
	if n, err := strconv.Atoi(text); err == nil {
		return cose.Algorithm(n).String()
	}
	return text
}

func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}
