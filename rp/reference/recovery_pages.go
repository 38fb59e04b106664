package reference

import "net/http"

func (s *server) routeRecoveryPages(mux *http.ServeMux) {
	mux.Handle("GET /recover", s.show("recover.html", "Get back into your account", s.home))
	mux.Handle("GET /recover/go/{link}", s.show("recover-phone.html", "Prove who you are", s.anybody))
	mux.Handle("GET /admin/recovery", s.show("recover-admin.html", "Account recovery", s.recoveryAdmin))
	mux.Handle("GET /recover.js", file("recover.js", "text/javascript; charset=utf-8"))
}

// anybody lets everybody see a page.
func (s *server) anybody(_ *http.Request, p *page) string {
	p.Recovery = s.core.HasRecovery()
	return ""
}

// recoveryAdmin shows administrators the policy and the log.
func (s *server) recoveryAdmin(r *http.Request, p *page) string {
	if p.Admin = s.isAdminCookie(s.cookie(r, adminCookie)); !p.Admin {
		return "/admin"
	}
	p.Recovery = s.core.HasRecovery()
	p.RecoveryPolicy = s.core.RecoveryPolicy()
	events := s.core.RecoveryLog("")
	for i := len(events) - 1; i >= max(0, len(events)-shownEvents); i-- { // newest first
		p.RecoveryLog = append(p.RecoveryLog, events[i])
	}
	return ""
}
