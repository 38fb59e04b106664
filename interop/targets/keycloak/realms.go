package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// writeRealms writes realm.json into a folder once for each attestation conveyance, with
// the address that takes the mail.
func writeRealms(folder, mail string) error {
	sample, err := os.ReadFile("realm.json")
	if err != nil {
		return err
	}
	to, err := url.Parse(mail)
	if err != nil || to.Port() == "" {
		return fmt.Errorf("INTEROP_MAIL is %q, and an address with a port is expected", mail)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, conveyance := range []string{"none", "direct"} {
		var realm map[string]any
		if err := json.Unmarshal(sample, &realm); err != nil {
			return fmt.Errorf("realm.json: %w", err)
		}
		realm["realm"] = conveyance
		realm["webAuthnPolicyPasswordlessAttestationConveyancePreference"] = conveyance
		realm["smtpServer"] = map[string]string{"host": to.Hostname(), "port": to.Port(), "from": "keycloak@example.com"}
		text, err := json.Marshal(realm)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, conveyance+".json"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
