package credmgmt

import (
	"crypto/sha256"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// relyingParties is about what the enumeration of relying parties tells.
func relyingParties() []conformance.Case {
	return conformance.Join(
		both("rps.once", "6.8.3", "every relying party with a discoverable credential is listed, and once, totalRPs in all", rpsOnce),
		both("rps.first-members", "6.8.3", "enumerateRPsBegin answers rp, rpIDHash and totalRPs, without a touch", func(m *manager) {
			m.at(m.site())
			p := m.do(ctap.EnumerateRPsBegin, nil).OK().Untouched().Canonical().Only(3, 4, 5)
			p.Member(3)
			p.Member(4)
			m.Require(p.Uint(5) > 0, "totalRPs is 0")
		}),
		both("rps.next-members", "6.8.3", "enumerateRPsGetNextRP answers rp and rpIDHash, and totalRPs no more", func(m *manager) {
			m.at(m.site())
			m.at(m.site())
			m.do(ctap.EnumerateRPsBegin, nil).OK()
			p := m.next(ctap.EnumerateRPsNext).OK().Untouched().Only(3, 4)
			p.Member(3)
			p.Member(4)
		}),
		both("rps.hash", "6.8.3", "rpIDHash is the SHA-256 of the relying party's id", func(m *manager) {
			m.at(m.site())
			m.at(m.site())
			for _, a := range m.sites() {
				m.Require(a.RP != nil && a.RP.ID != "", "an answer has no rp with an id")
				want := sha256.Sum256([]byte(a.RP.ID))
				m.Require(string(a.RPIDHash) == string(want[:]), "rpIDHash of %s is %x, not %x", a.RP.ID, []byte(a.RPIDHash), want)
			}
		}),
		both("rps.not-discoverable", "6.8.3", "a relying party whose only credential is not discoverable is not listed", func(m *manager) {
			m.at(m.site())
			rp := m.site()
			m.plain(rp)
			m.Require(!lists(m.sites(), rp), "%s is listed", rp)
		}),
		both("rps.deleted", "6.8.3", "a relying party whose last credential was deleted is not listed", func(m *manager) {
			m.at(m.site())
			c := m.at(m.site())
			m.do(ctap.DeleteCredential, ofCredential(c)).OK()
			m.Require(!lists(m.sites(), c.RPID), "%s is listed", c.RPID)
		}),
	)
}

func rpsOnce(m *manager) {
	one, two := m.site(), m.site()
	m.at(one)
	m.at(two)
	m.at(one)
	seen := map[string]int{}
	for _, a := range m.sites() {
		m.Require(a.RP != nil, "an answer has no rp")
		seen[a.RP.ID]++
		m.Require(seen[a.RP.ID] == 1, "%s is listed twice", a.RP.ID)
	}
	m.Require(seen[one] == 1 && seen[two] == 1, "of %s and %s, which have credentials, one is not listed", one, two)
}

// interruption is something after which an enumeration does not go on.
type interruption struct {
	name, why, section string
	gesture            conformance.Gesture
	waits              time.Duration
	do                 func(m *manager)
}

// tokenLife is longer than any token lives (section 6.5.2.1), and with it every
// enumeration that it began (section 6, on commands with state).
const tokenLife = 10*time.Minute + time.Second

func interruptions() []interruption {
	return []interruption{
		{"another-command", "after another command", "6.8.3", 0, 0, func(m *manager) { m.Send(ctap.GetInfo, nil).OK() }},
		{"another-subcommand", "after another subcommand", "6.8.3", 0, 0, func(m *manager) { m.counts() }},
		{"token", "after a token was given", "6.8.3", 0, 0, func(m *manager) { m.Token(ctap.PermCredentialMgmt, "") }},
		{"power-cycle", "after a power cycle", "6.8.3", conformance.Replug, 0, func(m *manager) { m.PowerCycle() }},
		{"expiry", "when its token has expired", "6.8.3", 0, tokenLife, func(m *manager) { m.Sleep(tokenLife) }},
	}
}

// enumerations is about when enumerations go on, and when they do not.
func enumerations() (all []conformance.Case) {
	for _, x := range []struct {
		name, section string
		begin, next   uint
		other         uint
	}{
		{"rps", "6.8.3", ctap.EnumerateRPsBegin, ctap.EnumerateRPsNext, ctap.EnumerateCredentialsNext},
		{"credentials", "6.8.4", ctap.EnumerateCredentialsBegin, ctap.EnumerateCredentialsNext, ctap.EnumerateRPsNext},
	} {
		begin := func(m *manager) *conformance.Reply { return m.beginTwo(x.begin) }
		all = conformance.Join(all,
			both(x.name+".next.without-begin", x.section, "an enumeration that nobody began does not go on: CTAP2_ERR_NOT_ALLOWED", func(m *manager) {
				m.beginTwo(0)
				m.next(x.next).Want(ctap.ErrNotAllowed)
			}),
			both(x.name+".next.after-last", x.section, "after the last there is no next: CTAP2_ERR_NOT_ALLOWED", func(m *manager) {
				p := begin(m).OK()
				total := read(p).TotalRPs + read(p).TotalCredentials
				for range total - 1 {
					m.next(x.next).OK()
				}
				m.next(x.next).Want(ctap.ErrNotAllowed)
				m.next(x.next).Want(ctap.ErrNotAllowed)
			}),
			both(x.name+".next.other-kind", x.section, "an enumeration of one kind is not gone on with by the next of the other", func(m *manager) {
				begin(m).OK()
				m.next(x.other).Want(ctap.ErrNotAllowed)
			}),
			both(x.name+".restart", x.section, "an enumeration that begins again begins at the beginning", func(m *manager) {
				first := begin(m).OK()
				m.next(x.next).OK()
				again := m.do(x.begin, m.params(x.begin)).OK()
				conformance.Equal(m.Run, "the first answer", string(again.Body), string(first.Body))
			}),
			conformance.One(onAnotherChannel(x.name, x.section, x.begin, x.next)),
		)
		for _, i := range interruptions() {
			cases := needing(i.gesture, both(x.name+".next."+i.name, x.section, "an enumeration does not go on "+i.why, func(m *manager) {
				begin(m).OK()
				i.do(m)
				m.next(x.next).Want(ctap.ErrNotAllowed)
			}))
			for k := range cases {
				cases[k].Waits = i.waits
			}
			all = append(all, cases...)
		}
	}
	return all
}

// params are those of a subcommand that begins an enumeration, about the relying party
// of the credential that was made last.
func (m *manager) params(begin uint) any {
	if begin != ctap.EnumerateCredentialsBegin {
		return nil
	}
	return ofSite(m.made[len(m.made)-1].RPID)
}

// beginTwo makes three credentials at two relying parties and begins an enumeration,
// none when begin is 0.
func (m *manager) beginTwo(begin uint) *conformance.Reply {
	m.at(m.site())
	rp := m.site()
	m.at(rp)
	m.at(rp)
	if begin == 0 {
		return nil
	}
	return m.do(begin, m.params(begin))
}

// onAnotherChannel is the case of an enumeration that another CTAPHID channel goes on
// with.
func onAnotherChannel(name, section string, begin, next uint) conformance.Case {
	return final().as(name+".next.channel", section, "an enumeration does not go on for another CTAPHID channel than the one that began it", func(m *manager) {
		m.beginTwo(0)
		request := m.Encode(m.signed(m.manage(), begin, m.params(begin)))
		w := m.Raw()
		defer w.Close()
		mine, other := w.NewChannel(), w.NewChannel()
		answer := w.Call(mine, hid.CBOR, append([]byte{byte(m.command)}, request...))
		m.Require(len(answer.Payload) > 1 && answer.Payload[0] == byte(ctap.OK), "the first subcommand answers %x", answer.Payload)
		answer = w.Call(other, hid.CBOR, append([]byte{byte(m.command)}, m.Encode(conformance.M{1: next})...))
		m.Require(len(answer.Payload) == 1 && answer.Payload[0] == byte(ctap.ErrNotAllowed), "the other channel is answered %x, not CTAP2_ERR_NOT_ALLOWED", answer.Payload)
	})
}
