package authenticator

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// configure sends a subcommand of authenticatorConfig, authorised where a PIN is set.
func (w *witness) configure(what string, sub uint, params any) {
	var token []byte
	if w.auth.device.PINHash != nil && !w.auth.device.ForcePINChange {
		token = w.newToken(ctap.PermAuthenticatorCfg, "")
	}
	w.says(what, ctap.Config, w.configRequest(sub, params, token), nil)
}

func (w *witness) configRequest(sub uint, params any, token []byte) *ctap.ConfigRequest {
	q := &ctap.ConfigRequest{SubCommand: sub, Params: w.encoded(params)}
	if token != nil {
		q.PinUvAuthProtocol, q.PinUvAuthParam = 2, pinuv.Two.Authenticate(token, configMessage(q))
	}
	return q
}

func (w *witness) encoded(v any) []byte {
	if v == nil {
		return nil
	}
	b, err := ctap.Encode(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func resetProbes() map[string]func(*witness) {
	return map[string]func(*witness){
		"reset after 11 seconds": func(w *witness) {
			w.now = w.now.Add(11 * time.Second)
			w.says("reset", ctap.Reset, nil, nil)
		},
		"users of reset": func(w *witness) { w.users("reset", func() ctap.Status { return w.ask(ctap.Reset, nil, nil) }) },
		"touches of reset": func(w *witness) {
			w.says("reset", ctap.Reset, nil, nil)
			w.note("asked %d times", len(w.asked))
		},
		"credentials after a reset": func(w *witness) {
			sealed := w.make("make")
			w.accounts("ada")
			w.says("reset", ctap.Reset, nil, nil)
			w.get("discoverable")
			w.get("sealed", member(3, descriptors(sealed.data.Attested.ID)))
		},
		"PIN after a reset": func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential, "a.example")
			w.tries("0000")
			w.says("reset", ctap.Reset, nil, nil)
			w.left("then")
			w.note("clientPin %v", w.options()["clientPin"])
			w.make("old token", authorised(token))
		},
		"settings after a reset": func(w *witness) {
			w.configure("toggle", ctap.ToggleAlwaysUV, nil)
			w.configure("toggle", ctap.ToggleAlwaysUV, nil)
			w.configure("minimum", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{NewMinPINLength: ptr(uint(5)), MinPinLengthRPIDs: []string{"a.example"}})
			w.configure("enterprise", ctap.EnableEnterpriseAttestation, nil)
			w.configure("toggle", ctap.ToggleAlwaysUV, nil)
			w.says("reset", ctap.Reset, nil, nil)
			o := w.options()
			w.note("alwaysUv %v, ep %v, minimum %s", o["alwaysUv"], o["ep"], diagnostic(w.member(0x0D)))
		},
		"forced change after a reset": func(w *witness) {
			w.withPIN(ctap.PermGetAssertion, "a.example")
			w.configure("force", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{ForceChangePin: true})
			w.says("reset", ctap.Reset, nil, nil)
			w.note("forcePINChange %s", diagnostic(w.member(0x0C)))
		},
		"identifier after a reset": func(w *witness) {
			was := bytes.Clone(w.auth.device.Identifier)
			w.says("reset", ctap.Reset, nil, nil)
			w.note("a new one %v", !bytes.Equal(was, w.auth.device.Identifier))
		},
		"fingers after a reset": func(w *witness) { w.says("reset", ctap.Reset, nil, nil); w.note("uv %v", w.options()["uv"]) },
		"blobs after a reset": func(w *witness) {
			whole := serialized([]byte{0x81, 0xA0})
			w.says("write", ctap.LargeBlobs, fragment(whole, 0, len(whole), nil), nil)
			w.says("reset", ctap.Reset, nil, nil)
			w.note("%x", w.readBlobs())
		},
		"reset with a tap": func(w *witness) {
			w.configure("long touch", ctap.EnableLongTouchForReset, nil)
			w.says("reset", ctap.Reset, nil, nil)
			w.note("held for %v", w.asked[len(w.asked)-1].Hold)
		},
	}
}

func (w *witness) managed(sub uint, params any, token []byte) *ctap.CredentialManagementRequest {
	q := &ctap.CredentialManagementRequest{SubCommand: sub, Params: w.encoded(params)}
	if token != nil {
		q.PinUvAuthProtocol, q.PinUvAuthParam = 2, pinuv.Two.Authenticate(token, managementMessage(q))
	}
	return q
}

func (w *witness) metadata(what string, token []byte) {
	var r members
	w.says(what, ctap.CredentialManagement, w.managed(ctap.GetCredsMetadata, nil, token), &r)
	w.note("existing %s, remaining %s", diagnostic(r[1]), diagnostic(r[2]))
}

// manager sets the stage for credential management: accounts at two sites, and a token.
func (w *witness) manager(permissions ctap.Permissions, rpID string) []byte {
	w.accounts("ada", "bob")
	w.create(rk, at("b.example", "ada"), member(6, map[string]any{ExtCredProtect: 3}))
	return w.withPIN(permissions, rpID)
}

func (w *witness) enumerate(what string, q *ctap.CredentialManagementRequest) {
	var r members
	w.says(what, ctap.CredentialManagement, q, &r)
	hashRight := bytes.Equal(r[4], w.encoded(ctap.Bytes(rpHash("a.example")))) || bytes.Equal(r[4], w.encoded(ctap.Bytes(rpHash("b.example"))))
	w.note("%v, totals %s %s, hash right %v, credProtect %s", slices.Sorted(maps.Keys(r)), diagnostic(r[5]), diagnostic(r[9]), hashRight, diagnostic(r[10]))
}

func managementProbes() map[string]func(*witness) {
	const cm = ctap.PermCredentialMgmt
	sites := func(w *witness) *ctap.CredentialManagementRequest {
		return w.managed(ctap.EnumerateRPsNext, nil, nil)
	}
	update := func(w *witness, user ctap.User) {
		token := w.manager(cm, "")
		c := w.newest("a.example")
		w.says("update", ctap.CredentialManagement, w.managed(ctap.UpdateUserInformation, map[int]any{2: descriptors(c.ID)[0], 3: user}, token), nil)
		now := w.newest("a.example").User
		w.note("%s %q %q", now.ID, now.Name, now.DisplayName)
	}
	return map[string]func(*witness){
		"getCredsMetadata":                  func(w *witness) { w.metadata("getCredsMetadata", w.manager(cm, "")) },
		"getCredsMetadata with a wrong MAC": func(w *witness) { w.manager(cm, ""); w.metadata("getCredsMetadata", make([]byte, 32)) },
		"getCredsMetadata without a token":  func(w *witness) { w.manager(cm, ""); w.metadata("getCredsMetadata", nil) },
		"getCredsMetadata with mc":          func(w *witness) { w.metadata("getCredsMetadata", w.manager(ctap.PermMakeCredential, "a.example")) },
		"enumerateRPs with a bound token": func(w *witness) {
			w.enumerate("begin", w.managed(ctap.EnumerateRPsBegin, nil, w.manager(cm, "a.example")))
		},
		"enumerateRPs": func(w *witness) {
			w.enumerate("begin", w.managed(ctap.EnumerateRPsBegin, nil, w.manager(cm, "")))
			w.enumerate("next", sites(w))
			w.enumerate("past the end", sites(w))
		},
		"enumerateRPs of nothing": func(w *witness) { w.enumerate("begin", w.managed(ctap.EnumerateRPsBegin, nil, w.withPIN(cm, ""))) },
		"enumerateRPs after getInfo": func(w *witness) {
			w.enumerate("begin", w.managed(ctap.EnumerateRPsBegin, nil, w.manager(cm, "")))
			w.ask(ctap.GetInfo, nil, nil)
			w.enumerate("next", sites(w))
		},
		"enumerateRPs on another channel": func(w *witness) {
			w.enumerate("begin", w.managed(ctap.EnumerateRPsBegin, nil, w.manager(cm, "")))
			w.status("next", w.askOn(ctap.WithChannel(w.t.Context(), 7), ctap.CredentialManagement, sites(w), nil))
		},
		"enumerateCredentials": func(w *witness) {
			token := w.manager(cm, "")
			w.enumerate("a", w.managed(ctap.EnumerateCredentialsBegin, map[int]any{1: rpHash("a.example")}, token))
			w.enumerate("b", w.managed(ctap.EnumerateCredentialsBegin, map[int]any{1: rpHash("b.example")}, token))
		},
		"deleteCredential": func(w *witness) {
			token := w.manager(cm, "")
			w.says("delete", ctap.CredentialManagement, w.managed(ctap.DeleteCredential, map[int]any{2: descriptors(w.newest("a.example").ID)[0]}, token), nil)
			found, err := w.store.ByRP([32]byte(rpHash("a.example")))
			w.note("%d are left, %v", len(found), err)
		},
		"deleteCredential of nothing": func(w *witness) {
			token := w.manager(cm, "")
			w.says("delete", ctap.CredentialManagement, w.managed(ctap.DeleteCredential, map[int]any{2: descriptors(make([]byte, 16))[0]}, token), nil)
		},
		"updateUserInformation":                 func(w *witness) { update(w, ctap.User{ID: []byte("bob"), Name: "robert"}) },
		"updateUserInformation of another user": func(w *witness) { update(w, ctap.User{ID: []byte("eve"), Name: "eve"}) },
		"config with a wrong MAC": func(w *witness) {
			w.withPIN(ctap.PermAuthenticatorCfg, "")
			w.says("toggle", ctap.Config, w.configRequest(2, nil, make([]byte, 32)), nil)
		},
		"config without a token": func(w *witness) {
			w.withPIN(ctap.PermAuthenticatorCfg, "")
			w.says("toggle", ctap.Config, w.configRequest(2, nil, nil), nil)
		},
		"config with cm": func(w *witness) {
			w.says("toggle", ctap.Config, w.configRequest(2, nil, w.withPIN(ctap.PermMakeCredential, "a.example")), nil)
		},
		"config with subcommand 99": func(w *witness) { w.says("99", ctap.Config, w.configRequest(99, nil, nil), nil) },
		"toggleAlwaysUv": func(w *witness) {
			w.configure("toggle", ctap.ToggleAlwaysUV, nil)
			w.note("%v", w.options()["alwaysUv"])
		},
		"enableEnterpriseAttestation": func(w *witness) { w.configure("enable", 1, nil); w.note("%v", w.options()["ep"]) },
		"setMinPINLength": func(w *witness) {
			w.withPIN(ctap.PermAuthenticatorCfg, "")
			w.configure("6", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{NewMinPINLength: ptr(uint(6))})
			w.note("minimum %s, forcePINChange %s", diagnostic(w.member(0x0D)), diagnostic(w.member(0x0C)))
		},
		"setMinPINLength lower": func(w *witness) {
			w.configure("6", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{NewMinPINLength: ptr(uint(6))})
			w.configure("5", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{NewMinPINLength: ptr(uint(5))})
		},
		"setMinPINLength with nine sites": func(w *witness) {
			var sites []string
			for i := range 9 {
				sites = append(sites, fmt.Sprintf("%d.example", i))
			}
			w.configure("sites", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{MinPinLengthRPIDs: sites})
		},
		"forceChangePin without a PIN": func(w *witness) {
			w.configure("force", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{ForceChangePin: true})
		},
	}
}

// finger sends a subcommand of authenticatorBioEnrollment.
func (w *witness) finger(what string, sub uint, params any, token []byte) (r members) {
	q := &ctap.BioEnrollmentRequest{Modality: 1, SubCommand: sub, Params: w.encoded(params)}
	if token != nil {
		q.PinUvAuthProtocol, q.PinUvAuthParam = 2, pinuv.Two.Authenticate(token, bioMessage(q))
	}
	w.says(what, ctap.BioEnrollment, q, &r)
	return r
}

func bioProbes() map[string]func(*witness) {
	const be = ctap.PermBioEnrollment
	return map[string]func(*witness){
		"enrolments with a wrong MAC": func(w *witness) {
			w.withPIN(be, "")
			w.finger("list", ctap.EnumerateEnrollments, nil, make([]byte, 32))
		},
		"enrolments without a token": func(w *witness) { w.withPIN(be, ""); w.finger("list", ctap.EnumerateEnrollments, nil, nil) },
		"enrolments with mc": func(w *witness) {
			w.finger("list", ctap.EnumerateEnrollments, nil, w.withPIN(ctap.PermMakeCredential, "a.example"))
		},
		"modality": func(w *witness) {
			var r members
			w.says("getModality", ctap.BioEnrollment, ctap.BioEnrollmentRequest{GetModality: true}, &r)
			w.note("%s", diagnostic(r[1]))
		},
		"sensor": func(w *witness) {
			r := w.finger("sensor", ctap.GetFingerprintSensorInfo, nil, nil)
			w.note("kind %s, samples %s", diagnostic(r[2]), diagnostic(r[3]))
		},
		"enrolment": func(w *witness) {
			token := w.withPIN(be, "")
			r := w.finger("begin", ctap.EnrollBegin, nil, token)
			var id ctap.Bytes
			_ = ctap.DecodeLoose(r[4], &id)
			then := w.finger("next", ctap.EnrollCaptureNextSample, ctap.BioEnrollmentParams{TemplateID: id}, token)
			w.note("remaining %s then %s", diagnostic(r[6]), diagnostic(then[6]))
		},
		"fingers": func(w *witness) {
			token := w.withPIN(be, "")
			id := w.auth.device.Templates[0].ID
			w.finger("rename", ctap.SetFriendlyName, ctap.BioEnrollmentParams{TemplateID: id, FriendlyName: ptr("thumb")}, token)
			w.note("%s", diagnostic(w.finger("list", ctap.EnumerateEnrollments, nil, token)[7]))
			w.finger("remove", ctap.RemoveEnrollment, ctap.BioEnrollmentParams{TemplateID: id}, token)
			w.finger("again", ctap.RemoveEnrollment, ctap.BioEnrollmentParams{TemplateID: id}, token)
			w.finger("list", ctap.EnumerateEnrollments, nil, token)
		},
		"blobs at first": func(w *witness) { w.note("%x", w.readBlobs()) },
		"blobs written": func(w *witness) {
			whole := serialized([]byte{0x81, 0xA0})
			w.says("write", ctap.LargeBlobs, fragment(whole, 0, len(whole), w.withPIN(ctap.PermLargeBlobWrite, "")), nil)
			w.note("%x", w.readBlobs())
			var r ctap.LargeBlobsResponse
			w.says("read from 2", ctap.LargeBlobs, ctap.LargeBlobsRequest{Get: ptr(uint(4)), Offset: ptr(uint(2))}, &r)
			w.note("%x", r.Config)
		},
		"blobs with a wrong MAC": func(w *witness) {
			w.withPIN(ctap.PermLargeBlobWrite, "")
			w.says("write", ctap.LargeBlobs, fragment(serialized([]byte{0x80}), 0, 17, make([]byte, 32)), nil)
		},
		"blobs without a token": func(w *witness) {
			w.withPIN(ctap.PermLargeBlobWrite, "")
			w.says("write", ctap.LargeBlobs, fragment(serialized([]byte{0x80}), 0, 17, nil), nil)
		},
		"blobs with mc": func(w *witness) {
			w.says("write", ctap.LargeBlobs, fragment(serialized([]byte{0x80}), 0, 17, w.withPIN(ctap.PermMakeCredential, "a.example")), nil)
		},
		"blobs with a wrong hash": func(w *witness) { w.says("write", ctap.LargeBlobs, fragment(make([]byte, 20), 0, 20, nil), nil) },
		"blobs out of order":      func(w *witness) { w.says("write", ctap.LargeBlobs, fragment(make([]byte, 20), 5, 0, nil), nil) },
		"blobs too large":         func(w *witness) { w.says("write", ctap.LargeBlobs, fragment(make([]byte, 20), 0, 5000, nil), nil) },
		"blobs in long fragments": func(w *witness) {
			w.says("read", ctap.LargeBlobs, ctap.LargeBlobsRequest{Get: ptr(uint(1150)), Offset: ptr(uint(0))}, nil)
		},
		"blobs read and written": func(w *witness) {
			w.says("both", ctap.LargeBlobs, ctap.LargeBlobsRequest{Get: ptr(uint(1)), Set: []byte{1}, Offset: ptr(uint(0))}, nil)
		},
	}
}
