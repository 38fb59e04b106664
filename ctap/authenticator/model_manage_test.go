package authenticator_test

import (
	"bytes"
	"fmt"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// manage is a subcommand of authenticatorCredentialManagement that needs a token.
func (w *world) manage() {
	command := ctap.CredentialManagement
	if w.p.CredentialManagementPreview {
		command = ctap.CredentialManagementPreview
	} else if !w.p.CredentialManagement {
		w.Skip("no credential management")
	}
	sub := pick(w, []uint{ctap.GetCredsMetadata, ctap.EnumerateRPsBegin, ctap.EnumerateCredentialsBegin, ctap.DeleteCredential, ctap.UpdateUserInformation}, "subcommand")
	rp, one, params := w.manageParams(sub)
	encoded := w.encode(params)
	permission, bound := cm, ""
	if w.p.CredentialManagementPreview {
		permission = mc | ga
	} else if rp != "" && w.chance(3, "bound to a relying party") {
		bound = rp
	}
	x := w.prove(permission, bound, append([]byte{byte(sub)}, encoded...))
	worth := w.worthToManage(x, permission, sub, rp)
	q := ctap.CredentialManagementRequest{SubCommand: sub, Params: encoded, PinUvAuthProtocol: x.protocol, PinUvAuthParam: x.mac}
	found := w.there(rp)
	status, body := w.exchange(command, q, func(c *credential) disclosure {
		if worth != no && sub == ctap.EnumerateCredentialsBegin && slices.Index(found, c) == 0 {
			return all
		}
		return nothing
	})
	w.judge(x, worth, status, fmt.Sprintf("credential management %d for %q", sub, rp))
	w.managed(sub, worth, status)
	if status == ctap.OK {
		w.didManage(sub, rp, one, body)
	}
}

func (w *world) encode(params any) []byte {
	if params == nil {
		return nil
	}
	b, err := ctap.Encode(params)
	w.must(err)
	return b
}

// manageParams chooses what a subcommand is about.
func (w *world) manageParams(sub uint) (rp string, one *credential, params any) {
	switch sub {
	case ctap.EnumerateCredentialsBegin:
		rp = pick(w, rps, "rp")
		hash := hashOf(rp)
		return rp, nil, ctap.CredentialManagementParams{RPIDHash: hash[:]}
	case ctap.DeleteCredential, ctap.UpdateUserInformation:
		if len(w.there("")) == 0 {
			w.Skip("nothing to manage")
		}
		one = pick(w, w.there(""), "credential")
		p := ctap.CredentialManagementParams{CredentialID: &ctap.Descriptor{ID: one.id, Type: ctap.PublicKeyCredential}}
		if sub == ctap.UpdateUserInformation {
			p.User = &ctap.User{ID: []byte(one.handle), Name: one.name + ", renamed"}
		}
		return one.rp, one, p
	}
	return "", nil, nil
}

// worthToManage tells whether a token serves: the persistent one to read alone, one
// bound to a relying party for it alone.
func (w *world) worthToManage(x proof, permission ctap.Permissions, sub uint, rp string) verdict {
	if x.k == nil {
		return no
	}
	if x.k.persistent {
		if sub == ctap.DeleteCredential || sub == ctap.UpdateUserInformation || permission != cm {
			return no
		}
		return x.k.alive(w.clock)
	}
	return w.worth(x, permission, rp)
}

// managed says when a subcommand may and must fail.
func (w *world) managed(sub uint, worth verdict, status ctap.Status) {
	reads := sub == ctap.GetCredsMetadata || sub == ctap.EnumerateRPsBegin || sub == ctap.EnumerateCredentialsBegin
	switch {
	case worth == no && status == ctap.OK:
		w.object("credential management %d without a token", sub)
	case worth == no && status == ctap.ErrNoCredentials && reads:
		w.object("credential management tells without a token that there is nothing")
	case worth == yes && status != ctap.OK && !(reads && status == ctap.ErrNoCredentials):
		w.object("credential management %d: %v, with nothing wrong", sub, status)
	}
}

func (w *world) didManage(sub uint, rp string, one *credential, body []byte) {
	var r ctap.CredentialManagementResponse
	if len(body) > 0 {
		w.decode(body, &r)
	}
	found := w.there(rp)
	switch sub {
	case ctap.GetCredsMetadata:
		if r.ExistingCredentials == nil || int(*r.ExistingCredentials) != len(found) || int(*r.RemainingCredentials) != w.p.CredentialLimit()-len(found) {
			w.object("metadata says %v, there are %d", r.ExistingCredentials, len(found))
		}
	case ctap.EnumerateRPsBegin:
		first := w.firstOfEach()
		w.listing = listing{next: ctap.EnumerateRPsNext, rest: first, channel: w.channel, lastAnswer: w.clock}
		if int(r.TotalRPs) != len(first) {
			w.object("%d relying parties, want %d", r.TotalRPs, len(first))
		}
		w.listedRP(&r)
	case ctap.EnumerateCredentialsBegin:
		w.listing = listing{next: ctap.EnumerateCredentialsNext, rest: found, channel: w.channel, lastAnswer: w.clock}
		if int(r.TotalCredentials) != len(found) {
			w.object("%d credentials of %s, want %d", r.TotalCredentials, rp, len(found))
		}
		w.listedCredential(&r)
	case ctap.DeleteCredential:
		one.gone = true
		w.happened("deleted")
	case ctap.UpdateUserInformation:
		one.name += ", renamed"
		w.happened("renamed")
	}
}

// firstOfEach is one credential of each relying party that has any.
func (w *world) firstOfEach() (first []*credential) {
	for _, rp := range rps {
		if found := w.there(rp); len(found) > 0 {
			first = append(first, found[0])
		}
	}
	return first
}

// listedRP takes a relying party of an enumeration, which comes in any order.
func (w *world) listedRP(r *ctap.CredentialManagementResponse) {
	i := slices.IndexFunc(w.listing.rest, func(c *credential) bool {
		hash := hashOf(c.rp)
		return r.RP != nil && c.rp == r.RP.ID && bytes.Equal(hash[:], r.RPIDHash)
	})
	if i < 0 {
		w.object("relying party %+v is enumerated", r.RP)
	}
	w.happened("relying party enumerated")
	w.listing.rest = slices.Delete(slices.Clone(w.listing.rest), i, i+1)
	w.listing.lastAnswer = w.clock
}

// listedCredential takes a credential of an enumeration, the newest first.
func (w *world) listedCredential(r *ctap.CredentialManagementResponse) {
	if len(w.listing.rest) == 0 {
		w.object("credentials are enumerated of which there are none")
	}
	c := w.listing.rest[0]
	level := c.level
	if !slices.Contains(w.p.Extensions, authenticator.ExtCredProtect) {
		level = 0
	}
	if r.CredentialID == nil || !bytes.Equal(r.CredentialID.ID, c.id) || r.User == nil || string(r.User.ID) != c.handle || r.User.Name != c.name ||
		!bytes.Equal(r.PublicKey, c.key) || r.CredProtect != level || !bytes.Equal(r.LargeBlobKey, c.blobKey) {
		w.object("credential %+v is enumerated, want %+v", r, c)
	}
	w.happened("credential enumerated")
	w.listing.rest, w.listing.lastAnswer = w.listing.rest[1:], w.clock
}

// manageAll goes on with an enumeration to the end and a little longer, if nothing
// comes between.
func (w *world) manageAll() {
	w.manage()
	if w.listing.next == 0 {
		return
	}
	for range len(w.listing.rest) + 1 {
		w.interrupt()
		w.manageNext()
	}
}

// manageNext goes on with an enumeration of credential management, or with nothing.
func (w *world) manageNext() {
	if !w.p.CredentialManagement {
		w.Skip("no credential management")
	}
	sub := pick(w, []uint{ctap.EnumerateRPsNext, ctap.EnumerateCredentialsNext}, "subcommand")
	l := w.listing
	if l.next != 0 && !w.chance(6, "the other list") {
		sub = l.next
	}
	if l.next != 0 && w.chance(8, "other channel") {
		w.channel++
	}
	right := l.next == sub && len(l.rest) > 0 && l.channel == w.channel && w.clock.Sub(l.lastAnswer) <= firstUse
	w.goesOn = true
	status, body := w.exchange(ctap.CredentialManagement, ctap.CredentialManagementRequest{SubCommand: sub}, func(c *credential) disclosure {
		if right && sub == ctap.EnumerateCredentialsNext && c == l.rest[0] {
			return all
		}
		return nothing
	})
	if right != (status == ctap.OK) || !right && status != ctap.ErrNotAllowed {
		w.object("subcommand %d with %d to come: %v", sub, len(l.rest), status)
	}
	if !right {
		w.listing = listing{}
		return
	}
	var r ctap.CredentialManagementResponse
	w.decode(body, &r)
	if sub == ctap.EnumerateRPsNext {
		w.listedRP(&r)
	} else {
		w.listedCredential(&r)
	}
}
