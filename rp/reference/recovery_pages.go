package reference

import (
	"net/http"
	"slices"

	"fido-emu/rp"
)

func (s *server) routeRecoveryPages(mux *http.ServeMux) {
	mux.Handle("GET /recover", s.show("recover.html", "Get back into your account", s.home))
	mux.Handle("GET /recover/go/{link}", s.show("recover-phone.html", "Prove who you are", s.everybody))
	mux.Handle("GET /recover.js", file("recover.js", "text/javascript; charset=utf-8"))
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
