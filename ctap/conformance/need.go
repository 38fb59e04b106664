package conformance

import (
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/hid"
)

// Facts is what the authenticator said of itself before the first case.
type Facts struct {
	Info         *ctap.Info              // nil where it does not speak CTAP2; as much as could be read
	Unread       string                  // why Info is empty although it speaks CTAP2
	Members      map[int]cbor.RawMessage // the same, by the keys of section 6.4
	Capabilities hid.Capabilities        // of CTAPHID_INIT
	Statement    *Statement              // of its model; nil where nobody gave one
}

// Need is something that a case needs of the authenticator. It returns why it is
// not there, empty when it is.
type Need func(f *Facts) (lacking string)

// unless returns the text when the condition does not hold.
func unless(ok bool, format string, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// ofInfo is a Need that asks getInfo.
func ofInfo(lacking func(i *ctap.Info) string) Need {
	return func(f *Facts) string {
		switch {
		case f.Info == nil:
			return notCTAP2
		case f.Unread != "":
			return f.Unread
		}
		return lacking(f.Info)
	}
}

// Speaks2 needs CTAP2. Cases with a rule of CTAP need it anyway.
func Speaks2() Need {
	return func(f *Facts) string { return unless(f.Info != nil, notCTAP2) }
}

const notCTAP2 = "it does not speak CTAP2"

// SpeaksU2F needs U2F messages. Cases with a rule of U2F need it anyway.
func SpeaksU2F() Need {
	return func(f *Facts) string {
		return unless(!f.Capabilities.Has(hid.CapNMsg), "it does not speak U2F (CTAPHID_INIT says NMSG)")
	}
}

// Capability needs a capability flag of CTAPHID_INIT.
func Capability(c hid.Capabilities) Need {
	return func(f *Facts) string {
		return unless(f.Capabilities.Has(c), "CTAPHID_INIT does not say %s", c)
	}
}

// Version needs a string in versions.
func Version(v string) Need {
	return ofInfo(func(i *ctap.Info) string { return unless(slices.Contains(i.Versions, v), "versions lacks %s", v) })
}

// version21 is every version string from CTAP 2.1 on.
var version21 = []string{"FIDO_2_1", "FIDO_2_2", "FIDO_2_3"}

// Is21 tells whether an authenticator is of CTAP 2.1 or later.
func Is21(i *ctap.Info) bool {
	return slices.ContainsFunc(i.Versions, func(v string) bool { return slices.Contains(version21, v) })
}

// AtLeast21 needs FIDO_2_1 or later.
func AtLeast21() Need {
	return ofInfo(func(i *ctap.Info) string { return unless(Is21(i), "versions has nothing after FIDO_2_0") })
}

// Only20 needs an authenticator of CTAP 2.0 that is not of a later edition.
func Only20() Need {
	return ofInfo(func(i *ctap.Info) string { return unless(!Is21(i), "it is of CTAP 2.1 or later") })
}

// Option needs an option id to be true.
func Option(id string) Need {
	return ofInfo(func(i *ctap.Info) string { return unless(i.Options[id], "option %s is not true", id) })
}

// HasOption needs an option id to be there, true or false.
func HasOption(id string) Need {
	return ofInfo(func(i *ctap.Info) string {
		_, has := i.Options[id]
		return unless(has, "option %s is absent", id)
	})
}

// NoOption needs an option id to be absent or false.
func NoOption(id string) Need {
	return ofInfo(func(i *ctap.Info) string { return unless(!i.Options[id], "option %s is true", id) })
}

// AbsentOption needs an option id not to be there.
func AbsentOption(id string) Need {
	return ofInfo(func(i *ctap.Info) string {
		_, has := i.Options[id]
		return unless(!has, "option %s is there", id)
	})
}

// Extension needs an extension.
func Extension(id string) Need {
	return ofInfo(func(i *ctap.Info) string {
		return unless(slices.Contains(i.Extensions, id), "extension %s is not listed", id)
	})
}

// NoExtension needs an extension not to be there.
func NoExtension(id string) Need {
	return ofInfo(func(i *ctap.Info) string {
		return unless(!slices.Contains(i.Extensions, id), "extension %s is listed", id)
	})
}

// Member needs a member of getInfo, by its key in section 6.4.
func Member(key int) Need {
	return func(f *Facts) string {
		return unless(f.Members[key] != nil, "getInfo has no member 0x%02X", key)
	}
}

// NoMember needs a member of getInfo not to be there.
func NoMember(key int) Need {
	return func(f *Facts) string { return unless(f.Members[key] == nil, "getInfo has the member 0x%02X", key) }
}

// Protocol needs a PIN/UV auth protocol.
func Protocol(n uint) Need {
	return ofInfo(func(i *ctap.Info) string {
		return unless(slices.Contains(protocols(i), n), "it has not PIN/UV auth protocol %d", n)
	})
}

// SomeProtocol needs any PIN/UV auth protocol.
func SomeProtocol() Need {
	return ofInfo(func(i *ctap.Info) string { return unless(len(protocols(i)) > 0, "it has no PIN/UV auth protocol") })
}

// Algorithm needs an algorithm for credentials.
func Algorithm(a cose.Algorithm) Need {
	return ofInfo(func(i *ctap.Info) string { return unless(slices.Contains(algorithms(i), a), "it does not list %s", a) })
}

// CanPIN needs the ability to have a client PIN.
func CanPIN() Need { return HasOption("clientPin") }

// CanVerify needs user verification that can be used now or after setting a PIN.
func CanVerify() Need { return AnyOf(CanPIN(), Option("uv")) }

// CanToken needs pinUvAuthTokens with permissions.
func CanToken() Need { return Option("pinUvAuthToken") }

// CanManage needs credential management, final or preview.
func CanManage() Need { return AnyOf(Option("credMgmt"), Option("credentialMgmtPreview")) }

// AnyOf needs one of several.
func AnyOf(needs ...Need) Need {
	return func(f *Facts) (lacking string) {
		for i, n := range needs {
			why := n(f)
			if why == "" {
				return ""
			}
			if i > 0 {
				lacking += ", and "
			}
			lacking += why
		}
		return lacking
	}
}

// Unless needs something not to be so; lacking says what that means.
func Unless(n Need, lacking string) Need {
	return func(f *Facts) string { return unless(n(f) != "", "%s", lacking) }
}

// When is a Need of one's own.
func When(ok func(i *ctap.Info) bool, lacking string) Need {
	return ofInfo(func(i *ctap.Info) string { return unless(ok(i), "%s", lacking) })
}

// protocols lists the protocols of an authenticator. One of CTAP 2.0 that lists none
// speaks protocol one.
func protocols(i *ctap.Info) []uint {
	if _, pin := i.Options["clientPin"]; pin && len(i.PinUvAuthProtocols) == 0 {
		return []uint{1}
	}
	return i.PinUvAuthProtocols
}

// algorithms lists the algorithms of an authenticator, ES256 where it says nothing.
func algorithms(i *ctap.Info) (all []cose.Algorithm) {
	for _, p := range i.Algorithms {
		all = append(all, cose.Algorithm(p.Algorithm))
	}
	if len(all) == 0 {
		all = append(all, cose.ES256)
	}
	return all
}

// lacking returns why a case is not applicable, empty when it is.
func (c *Case) lacking(f *Facts) string {
	for _, n := range slices.Concat(c.Rule.needs(), c.Start.needs(), c.Needs) {
		if why := n(f); why != "" {
			return why
		}
	}
	return ""
}

// needs is what a state needs.
func (s Start) needs() []Need {
	if s == WithPIN {
		return []Need{CanPIN()}
	}
	return nil
}

// needs is what a rule needs by where it stands.
func (r Rule) needs() []Need {
	switch {
	case r.wire || r.Document == Metadata:
		return nil
	case r.Document == U2F:
		return []Need{SpeaksU2F()}
	case r.Document == CTAP && r.Editions[0] != CTAP20:
		return []Need{AtLeast21()}
	case r.Editions[len(r.Editions)-1] == CTAP20:
		return []Need{Only20()}
	}
	return []Need{Speaks2()}
}
