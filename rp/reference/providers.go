package reference

import (
	_ "embed"
	"encoding/json"
	"sync"

	"fido-emu/ctap"
)

// aaguidNames is the community list of passkey providers, AAGUID to name, from
// github.com/passkeydeveloper/passkey-authenticator-aaguids, commit 47b6f84e of
// 2026-08-07. An AAGUID without attestation is a hint: anyone can send it.
//
//go:embed aaguids.json
var aaguidNames []byte

var builtinNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	if err := json.Unmarshal(aaguidNames, &names); err != nil {
		return nil // a test reads the list
	}
	return names
})

// ProviderName returns the name of the provider or model that an AAGUID stands
// for, or nothing when it is not known.
func (c *Core) ProviderName(aaguid string) string {
	a, err := ctap.ParseAAGUID(aaguid)
	if err != nil {
		return ""
	}
	if name := c.config.ProviderNames[a.String()]; name != "" {
		return name
	}
	return builtinNames()[a.String()]
}
