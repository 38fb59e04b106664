package webauthn

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// effectiveDomain returns the domain that an origin's pages belong to. origin is
// the serialisation of an origin: a scheme, a host in lower case and a port that
// is not the scheme's own.
func effectiveDomain(origin string) (string, *Error) {
	scheme, rest, ok := strings.Cut(origin, "://")
	host, port, hasPort := strings.Cut(rest, ":")
	switch {
	case !ok || rest == "":
		return "", insecure("origin %q is not a serialised origin, such as https://login.example.com", origin)
	case rest[0] == '[' || isAddress(host):
		return "", insecure("origin %q has an IP address; WebAuthn needs a domain", origin)
	case !validDomain(host) || hasPort && !validPort(port):
		return "", insecure("origin %q is not a scheme, a domain in lower-case ASCII and, at most, a port", origin)
	case scheme == "https" && port == "443" || scheme == "http" && port == "80":
		return "", insecure("origin %q names its scheme's own port; a serialised origin leaves it out", origin)
	}
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if scheme != "https" && (scheme != "http" || !local) {
		return "", insecure("origin %q is not secure; https is needed, or http on localhost", origin)
	}
	return host, nil
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == s
}

func isAddress(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && strings.Trim(last, "0123456789") == "" // the URL standard reads it as IPv4
}

// validDomain tells whether s is a domain in the form that origins have it:
// letters in lower case, digits, hyphens and underscores, in labels.
func validDomain(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// determineRPID works out the RP ID of a ceremony (section 5.1.3 step 8, section
// 5.1.4.1 step 7). requested is what the options say; member is its path.
func (u *UserAgent) determineRPID(ctx context.Context, origin string, requested text, member string) (string, error) {
	domain, err := effectiveDomain(origin)
	if err != nil {
		return "", err
	}
	rpID := requested.s
	if !requested.set || rpID == domain {
		return domain, nil
	}
	if !validDomain(rpID) || isAddress(rpID) {
		return "", &Error{Name: SecurityError, Member: member, Message: quote(rpID) + " is not a valid domain in lower-case ASCII"}
	}
	if isRegistrableSuffix(rpID, domain) {
		return rpID, nil
	}
	if u.config.RelatedOrigins != nil {
		related, err := u.config.RelatedOrigins(ctx, rpID)
		if err != nil {
			return "", &Error{Name: SecurityError, Member: member, Message: "related origins of " + quote(rpID) + " cannot be had", Err: err}
		}
		if relatedOrigin(origin, related) {
			return rpID, nil
		}
	}
	return "", &Error{Name: SecurityError, Member: member, Message: quote(rpID) + " is neither the domain of " + origin + " nor a registrable suffix of it"}
}

// isRegistrableSuffix tells whether suffix is a registrable domain suffix of
// domain (HTML, "is a registrable domain suffix of or is equal to").
func isRegistrableSuffix(suffix, domain string) bool {
	if !strings.HasSuffix(domain, "."+suffix) {
		return false
	}
	public, _ := publicsuffix.PublicSuffix(domain)
	return suffix != public && !strings.HasSuffix(public, "."+suffix)
}

// maxRelatedLabels is how many registrable origin labels of a related origins
// document are looked at (section 5.11.1 asks for at least five).
const maxRelatedLabels = 5

// relatedOrigin is the related origins validation procedure (section 5.11.1) on
// the origins of the document.
func relatedOrigin(caller string, origins []string) bool {
	var seen []string
	for _, o := range origins {
		domain, err := effectiveDomain(o)
		if err != nil {
			continue
		}
		label, ok := registrableLabel(domain)
		if !ok {
			continue
		}
		if !slices.Contains(seen, label) {
			if len(seen) >= maxRelatedLabels {
				continue
			}
			seen = append(seen, label)
		}
		if o == caller {
			return true
		}
	}
	return false
}

// registrableLabel returns the first label of a domain's registrable domain.
func registrableLabel(domain string) (string, bool) {
	registrable, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return "", false
	}
	label, _, _ := strings.Cut(registrable, ".")
	return label, true
}
