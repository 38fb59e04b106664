package reference

import (
	"net/http"
	"slices"

	"fido-emu/rp"
)

func (s *server) routeRecoveryPages(mux *http.ServeMux) {
	mux.Handle("GET /recover", s.show("recover.html", "Get back into your account", s.home))
	mux.Handle("GET /recover/go/{link}", s.show("recover-phone.html", "Prove who you are", s.onPhone))
	mux.HandleFunc("GET /.well-known/did-configuration.json", s.linkage)
	mux.Handle("GET /recover.js", file("recover.js", "text/javascript; charset=utf-8"))
}

// linkage says which DID asks for presentations in our name (Well Known DID
// Configuration, section 4), so that wallets see who asks.
func (s *server) linkage(w http.ResponseWriter, r *http.Request) {
	if len(s.core.office.linkage) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.core.office.linkage) // whoever asked may have left
}

// onPhone leads the page on the phone to the test wallet, where there is one.
func (s *server) onPhone(_ *http.Request, p *page) string {
	p.Wallet = s.core.office.wallet
	return ""
}

// recoveryView is what an administrator sees of account recovery.
type recoveryView struct {
	On     bool // there are services that prove identity
	Policy rp.RecoveryPolicy
	Groups []string
	Log    []rp.RecoveryEvent // the newest first
	Pager  pager
}

func (s *server) recoveryAdmin(r *http.Request) (any, error) {
	log := s.core.RecoveryLog("")
	slices.Reverse(log)
	v := recoveryView{On: s.core.HasRecovery(), Policy: s.core.RecoveryPolicy(), Groups: s.core.GroupNames()}
	v.Log, v.Pager = cut(r, log, shownEvents)
	return v, nil
}
