package keychain

import (
	"fmt"
	"slices"
	"strings"

	"fido-emu/ctap"
)

// JoinWay is a way in which a device becomes a member of an account.
type JoinWay string

// The ways to join.
const (
	BySponsor JoinWay = "sponsor" // a member approves
	ByEscrow  JoinWay = "escrow"  // with the escrow passcode
)

// Provider says as data how a sync provider behaves.
type Provider struct {
	Name           string      `yaml:"name" json:"name"`
	AAGUID         ctap.AAGUID `yaml:"aaguid" json:"aaguid"`                 // of its authenticators
	Join           []JoinWay   `yaml:"join" json:"join"`                     // how devices become members
	EscrowTries    uint        `yaml:"escrowTries" json:"escrowTries"`       // wrong passcodes until the record is destroyed
	BackedUpAtOnce bool        `yaml:"backedUpAtOnce" json:"backedUpAtOnce"` // BS is 1 from the start, not from the first upload
}

// Allows tells whether devices may join in this way.
func (p Provider) Allows(way JoinWay) bool { return slices.Contains(p.Join, way) }

// Providers returns the built-in providers. The reference provider does all that
// can be done and shows when a credential is really backed up. The others are
// like the providers of their names where those are public, and simpler.
func Providers() []Provider {
	both := []JoinWay{BySponsor, ByEscrow}
	return []Provider{
		{Name: "reference", Join: both, EscrowTries: 10},
		// Apple Platform Security, "Secure iCloud Keychain recovery": ten tries.
		{Name: "apple", AAGUID: aaguid(0xfbfc3007154e4ecc, 0x8c0b6e020557d7bd), Join: both, EscrowTries: 10, BackedUpAtOnce: true},
		// Google's limit on guesses is enforced and not published.
		{Name: "google", AAGUID: aaguid(0xea9b8d664d011d21, 0x3ce4b6b48cb575d4), Join: []JoinWay{ByEscrow}, EscrowTries: 10, BackedUpAtOnce: true},
		// 1Password hands the Secret Key from device to device and has no passcode.
		{Name: "1password", AAGUID: aaguid(0xbada5566a7aa401f, 0xbd9645619a55120d), Join: []JoinWay{BySponsor}, BackedUpAtOnce: true},
	}
}

// LookupProvider returns a built-in provider by its name.
func LookupProvider(name string) (Provider, error) {
	var names []string
	for _, p := range Providers() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Provider{}, fmt.Errorf("sync provider %q is not known; there are %s", name, strings.Join(names, ", "))
}

func aaguid(high, low uint64) (a ctap.AAGUID) {
	for i := range 8 {
		a[i], a[8+i] = byte(high>>(56-8*i)), byte(low>>(56-8*i))
	}
	return a
}
