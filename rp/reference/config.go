package reference

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
)

// Config says what a relying party is and how strict it is. RPID and Origins must
// be given; the zero value of everything else has the meaning that its comment
// tells.
type Config struct {
	RPID    string   // such as example.com
	Name    string   // shown to people; RPID when empty
	Origins []string // accepted by exact comparison, such as https://login.example.com

	Now  func() time.Time // time.Now when nil
	Rand io.Reader        // challenges, user handles, tokens and passes; crypto/rand when nil

	AttestationRoots *x509.CertPool    // authorities whose attestation is trusted; none when nil
	Metadata         []byte            // a metadata BLOB (FIDO Metadata Service 3.1), by which models are trusted; none when nil
	MetadataRoots    *x509.CertPool    // authorities that sign the BLOB, the one in Metadata and later ones; none when nil
	TopOrigins       []string          // of foreign pages that may embed ours and have ceremonies there; none when empty
	ClosedSignUp     bool              // only an administrator makes accounts
	DefaultPolicy    rp.Policy         // of people in no group that has a policy
	ResidentKey      string            // required, preferred or discouraged; preferred when empty
	ProviderNames    map[string]string // AAGUID to name, beside the built-in list

	ChallengeLifetime time.Duration // 5 minutes when 0 (WebAuthn Level 3, section 15.1)
	SessionLifetime   time.Duration // 12 hours when 0
	RecoveryLifetime  time.Duration // of a session that may only register; 15 minutes when 0
	RegisterWithin    time.Duration // after a sign-in; no limit when 0 (Microsoft Entra ID has 5 minutes)
	PassTries         int           // wrong passes a person may give in PassTryWindow; 5 when 0
	PassTryWindow     time.Duration // 15 minutes when 0
	AuditCapacity     int           // events kept; 10,000 when 0

	// State keeps what must outlive the process; nil keeps all in memory. It belongs to
	// one relying party.
	State *State

	// GraphLimit is how many requests to Microsoft Graph are answered in ten seconds,
	// before the next are told to wait; 0 sets no limit.
	GraphLimit int

	// AdminToken opens the administration over HTTP. Without one it is closed there.
	AdminToken string
}

func (c Config) withDefaults() Config {
	fallback(&c.Name, c.RPID)
	fallback(&c.ResidentKey, "preferred")
	fallback(&c.ChallengeLifetime, 5*time.Minute)
	fallback(&c.SessionLifetime, 12*time.Hour)
	fallback(&c.RecoveryLifetime, 15*time.Minute)
	fallback(&c.PassTries, 5)
	fallback(&c.PassTryWindow, 15*time.Minute)
	fallback(&c.AuditCapacity, 10_000)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.AttestationRoots == nil {
		c.AttestationRoots = x509.NewCertPool()
	}
	if c.MetadataRoots == nil {
		c.MetadataRoots = x509.NewCertPool()
	}
	c.Origins = slices.Clone(c.Origins)
	return c
}

func fallback[T comparable](value *T, to T) {
	var zero T
	if *value == zero {
		*value = to
	}
}

func (c Config) validate() error {
	if c.RPID == "" {
		return errors.New("relying party: RPID is empty: give the domain, such as example.com")
	}
	if len(c.Origins) == 0 {
		return errors.New("relying party: no origins: give at least one, such as https://" + c.RPID)
	}
	for _, o := range c.Origins {
		if err := checkOrigin(o); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"required", "preferred", "discouraged"}, c.ResidentKey) {
		return fmt.Errorf("relying party: resident key requirement %q: want required, preferred or discouraged", c.ResidentKey)
	}
	return nil
}

// checkOrigin accepts a web origin as browsers write it and the opaque origins of
// native apps.
func checkOrigin(origin string) error {
	if scheme, _, ok := strings.Cut(origin, ":"); ok && scheme != "http" && scheme != "https" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf("relying party: origin %q: want scheme, host and port alone, such as https://login.example.com", origin)
	}
	return nil
}
