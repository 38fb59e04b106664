package web

import (
	"fmt"
	"net/http"
	"strings"

	"fido-emu/rp/web/inbox"
)

// conformance is the FIDO conformance server API.
func conformance(d *double) {
	failed := func(w http.ResponseWriter, err any) {
		answerJSON(w, 400, map[string]any{"status": "failed", "errorMessage": fmt.Sprint(err)})
	}
	begin := func(of func(string) map[string]any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			name, _ := in(r)["username"].(string)
			o := of(name)
			if o == nil {
				failed(w, "no such user")
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "ceremony", Value: o["x"].(string), Path: "/"})
			delete(o, "x")
			o["status"], o["errorMessage"] = "ok", ""
			answerJSON(w, 200, o)
		}
	}
	d.on("POST /attestation/options", begin(func(name string) map[string]any {
		b, o := d.registration(name)
		if o != nil {
			o["x"] = d.ticket(b.Ceremony)
		}
		return o
	}))
	d.on("POST /assertion/options", begin(func(name string) map[string]any {
		b, o := d.signIn(name)
		if o != nil {
			o["x"] = d.ticket(b.Ceremony)
		}
		return o
	}))
	finish := func(of func(ceremony string, response []byte) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			v := in(r)
			if v["getClientExtensionResults"] == nil {
				failed(w, "no getClientExtensionResults")
				return
			}
			v["clientExtensionResults"] = v["getClientExtensionResults"]
			if err := of(d.redeem(cookieOf(r, "ceremony")), raw(v)); err != nil {
				failed(w, err)
				return
			}
			answerJSON(w, 200, map[string]any{"status": "ok", "errorMessage": ""})
		}
	}
	d.on("POST /attestation/result", finish(d.register))
	d.on("POST /assertion/result", finish(d.assert))
}

func (d *double) register(ceremony string, response []byte) error {
	_, err := d.core.FinishRegistration("", ceremony, response)
	return err
}

func (d *double) assert(ceremony string, response []byte) error {
	_, err := d.core.FinishSignIn(ceremony, response)
	return err
}

// bare is the SimpleWebAuthn example: bare options, one account.
func bare(d *double) {
	token := "" // of the one account
	d.on("GET /generate-registration-options", func(w http.ResponseWriter, r *http.Request) {
		b, o := d.registration("user@localhost")
		if token != "" {
			begun, err := d.core.BeginRegistration(token, personOf(""))
			b, o = begun, d.object(begun.Options, err)
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: d.ticket(b.Ceremony), Path: "/", HttpOnly: true})
		answerJSON(w, 200, o)
	})
	d.on("GET /generate-authentication-options", func(w http.ResponseWriter, r *http.Request) {
		b, o := d.signIn("user@localhost")
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: d.ticket(b.Ceremony), Path: "/", HttpOnly: true})
		answerJSON(w, 200, o)
	})
	d.on("POST /verify-registration", func(w http.ResponseWriter, r *http.Request) {
		done, err := d.core.FinishRegistration("", d.redeem(cookieOf(r, "sid")), raw(in(r)))
		if err != nil {
			answerJSON(w, 400, map[string]any{"error": err.Error()})
			return
		}
		token = done.Grant.Token
		answerJSON(w, 200, map[string]any{"verified": true})
	})
	d.on("POST /verify-authentication", func(w http.ResponseWriter, r *http.Request) {
		err := d.assert(d.redeem(cookieOf(r, "sid")), raw(in(r)))
		answerJSON(w, 200, map[string]any{"verified": err == nil}) // a no with status 200
	})
}

// wrapped is a go-webauthn server: options in publicKey, Secure cookies over plain HTTP.
func wrapped(d *double) {
	begin := func(sign bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			name, _ := in(r)["username"].(string)
			of := d.registration
			if sign {
				of = d.signIn
			}
			b, o := of(name)
			if o == nil {
				answerJSON(w, 404, "no such user")
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "ceremony", Value: d.ticket(b.Ceremony), Path: "/", Secure: true})
			answerJSON(w, 200, map[string]any{"publicKey": o})
		}
	}
	d.on("POST /registerBegin", begin(false))
	d.on("POST /loginBegin", begin(true))
	d.on("POST /registerFinish", func(w http.ResponseWriter, r *http.Request) {
		if err := d.register(d.redeem(cookieOf(r, "ceremony")), raw(in(r))); err != nil {
			answerJSON(w, 400, err.Error())
			return
		}
		answerJSON(w, 200, "Registration Success")
	})
	d.on("POST /loginFinish", func(w http.ResponseWriter, r *http.Request) {
		g, err := d.core.FinishSignIn(d.redeem(cookieOf(r, "ceremony")), raw(in(r)))
		if err != nil {
			answerJSON(w, 400, err.Error())
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: d.open(g.Session.Person), Path: "/", Secure: true})
		answerJSON(w, 200, "Login Success")
	})
	d.on("GET /private", func(w http.ResponseWriter, r *http.Request) {
		if d.who(cookieOf(r, "session")) == "" {
			http.Redirect(w, r, "/", http.StatusSeeOther)
		}
	})
}

// bearer is an API without cookies: a challenge_id names the ceremony, a token in the
// answer the session.
func bearer(d *double) {
	begin := func(of func(name string) (string, map[string]any)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			name, _ := in(r)["user"].(string)
			ceremony, o := of(name)
			if o == nil {
				answerJSON(w, 422, map[string]any{"detail": "no such user"})
				return
			}
			answerJSON(w, 200, map[string]any{"challenge_id": d.ticket(ceremony), "options": map[string]any{"publicKey": o}})
		}
	}
	d.on("POST /v1/register/start", begin(func(name string) (string, map[string]any) { b, o := d.registration(name); return b.Ceremony, o }))
	d.on("POST /v1/login/start", begin(func(name string) (string, map[string]any) { b, o := d.signIn(name); return b.Ceremony, o }))
	finish := func(register bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			v := in(r)
			id, _ := v["challenge_id"].(string)
			name := ""
			var err error
			if register {
				done, e := d.core.FinishRegistration("", d.redeem(id), raw(v["credential"]))
				if err = e; err == nil {
					name = done.Grant.Session.Person
				}
			} else {
				g, e := d.core.FinishSignIn(d.redeem(id), raw(v["credential"]))
				name, err = g.Session.Person, e
			}
			if err != nil {
				answerJSON(w, 500, map[string]any{"detail": err.Error()}) // this is how several refuse
				return
			}
			answerJSON(w, 200, map[string]any{"token": d.open(name)})
		}
	}
	d.on("POST /v1/register/end", finish(true))
	d.on("POST /v1/login/end", finish(false))
	d.on("GET /v1/me", func(w http.ResponseWriter, r *http.Request) {
		name := d.who(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if name == "" {
			answerJSON(w, 401, map[string]any{"detail": "no token"})
			return
		}
		answerJSON(w, 200, map[string]any{"name": name})
	})
}

// machine is a server-driven flow: each answer says what may follow and where, with a
// csrf token that counts once; recovery is by a code in the mail.
func machine(mail *inbox.Inbox) func(d *double) {
	return func(d *double) {
		m := &flow{double: d, mail: mail, codes: map[string]string{}, csrf: map[string]bool{}}
		d.on("POST /flow/{state}", m.serve)
		d.on("GET /me", func(w http.ResponseWriter, r *http.Request) {
			if name := d.who(cookieOf(r, "session")); name != "" {
				answerJSON(w, 200, map[string]any{"user": name})
				return
			}
			answerJSON(w, 401, map[string]any{"name": "unauthorized"})
		})
	}
}

type flow struct {
	*double
	mail  *inbox.Inbox
	codes map[string]string // by user name
	csrf  map[string]bool
}

// state answers with a state, what may follow, and a new csrf token.
func (m *flow) state(w http.ResponseWriter, name string, payload any, actions ...string) {
	token := m.ticket("")
	m.csrf[token] = true
	next := map[string]any{}
	for _, a := range actions {
		next[a] = map[string]any{"href": "/flow/" + a + "?step=" + token[len(token)-4:]}
	}
	answerJSON(w, 200, map[string]any{"name": name, "payload": payload, "csrf_token": token, "actions": next})
}

func (m *flow) serve(w http.ResponseWriter, r *http.Request) {
	v := in(r)
	state := r.PathValue("state")
	if token, _ := v["csrf_token"].(string); state != "init" && !m.csrf[token] {
		answerJSON(w, 403, map[string]any{"name": "forbidden", "error": map[string]any{"code": "csrf"}})
		return
	} else if state != "init" {
		delete(m.csrf, token)
	}
	input, _ := v["input"].(map[string]any)
	user, _ := input["user"].(string)
	switch state {
	case "init":
		m.state(w, "init", nil, "register", "login", "recover")
	case "register":
		b, o := m.registration(user)
		m.state(w, "onboarding", map[string]any{"creation_options": map[string]any{"publicKey": o}, "ticket": m.ticket(b.Ceremony)}, "finish")
	case "login":
		b, o := m.signIn(user)
		m.state(w, "passkey", map[string]any{"request_options": map[string]any{"publicKey": o}, "ticket": m.ticket(b.Ceremony)}, "verify")
	case "recover":
		m.codes[user] = "271828"
		m.mail.Put(inbox.Message{To: []string{user}, Subject: "Sign in", Text: "Your code is 271828."})
		m.state(w, "code", nil, "code")
	case "code":
		if code, _ := input["code"].(string); code != m.codes[user] || code == "" {
			answerJSON(w, 200, map[string]any{"name": "success", "error": map[string]any{"code": "wrong_code", "message": "wrong code"}})
			return
		}
		delete(m.codes, user)
		m.success(w, user)
	case "finish", "verify":
		m.finish(w, state, input)
	}
}

func (m *flow) finish(w http.ResponseWriter, state string, input map[string]any) {
	ticket, _ := input["ticket"].(string)
	ceremony, name := m.redeem(ticket), ""
	var err error
	if state == "finish" {
		done, e := m.core.FinishRegistration("", ceremony, raw(input["credential"]))
		if err = e; err == nil {
			name = done.Grant.Session.Person
		}
	} else {
		g, e := m.core.FinishSignIn(ceremony, raw(input["credential"]))
		name, err = g.Session.Person, e
	}
	if err != nil { // a refused passkey comes with state success, and an error beside it
		answerJSON(w, 200, map[string]any{"name": "success", "error": map[string]any{"code": "invalid_passkey", "message": err.Error()}})
		return
	}
	m.success(w, name)
}

func (m *flow) success(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: "session", Value: m.open(name), Path: "/"})
	answerJSON(w, 200, map[string]any{"name": "success"})
}

// nodes is a self-service flow: the options are a JSON string within a node of the
// user interface, 400 means that another step follows, and the response goes into a
// form of the API, on another port than the page.
func nodes(d *double) {
	ui := func(w http.ResponseWriter, status int, action string, o any) {
		text := string(raw(map[string]any{"publicKey": o}))
		answerJSON(w, status, map[string]any{"ui": map[string]any{"action": d.address + action, "nodes": []any{
			map[string]any{"type": "input", "attributes": map[string]any{"name": "csrf_token", "value": "c-s-r-f-1"}},
			map[string]any{"type": "input", "attributes": map[string]any{"name": "passkey_options", "value": text}},
		}}})
	}
	begin := func(sign bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			of, kind, status := d.registration, "registration", 200
			if sign {
				of, kind, status = d.signIn, "login", 400
			}
			b, o := of(r.URL.Query().Get("identifier"))
			if o == nil {
				answerJSON(w, 422, map[string]any{"error": map[string]any{"reason": "unknown identifier"}})
				return
			}
			ui(w, status, "/self-service/"+kind+"?flow="+d.ticket(b.Ceremony), o)
		}
	}
	d.on("GET /self-service/registration/browser", begin(false))
	d.on("GET /self-service/login/browser", begin(true))
	finish := func(of func(string, []byte) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			response := r.FormValue("passkey_response")
			err := of(d.redeem(r.URL.Query().Get("flow")), []byte(response))
			if err != nil || r.FormValue("csrf_token") != "c-s-r-f-1" {
				answerJSON(w, 400, map[string]any{"ui": map[string]any{"messages": []any{map[string]any{"id": 4000015, "text": fmt.Sprint(err)}}}})
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Value: d.open("somebody"), Path: "/"})
			answerJSON(w, 200, map[string]any{"session": map[string]any{"active": true}})
		}
	}
	d.on("POST /self-service/registration", finish(d.register))
	d.on("POST /self-service/login", finish(d.assert))
	d.on("GET /sessions/whoami", func(w http.ResponseWriter, r *http.Request) {
		if d.who(cookieOf(r, "session")) == "" {
			answerJSON(w, 401, map[string]any{"error": map[string]any{"code": 401}})
			return
		}
		answerJSON(w, 200, map[string]any{"active": true})
	})
}

// forms is a site of forms: it sends a user and a challenge, and its page script adds
// the rest; one endpoint finishes both ceremonies.
func forms(d *double) {
	d.on("GET /login", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, `<html><body><form method=post action="/finish"><input type="hidden" name="authenticity" value="tok&amp;en-1"><p id=rp data-id="localhost">Sign in</p></form></body></html>`)
	})
	d.on("POST /challenge", func(w http.ResponseWriter, r *http.Request) {
		name := r.FormValue("login")
		b, o := d.registration(name)
		user, _ := o["user"].(map[string]any)
		if o == nil { // there is an account of that name
			b, o = d.signIn(name)
		}
		http.SetCookie(w, &http.Cookie{Name: "ceremony", Value: d.ticket(b.Ceremony), Path: "/"})
		// standard base64, padded, as some do
		challenge := strings.NewReplacer("-", "+", "_", "/").Replace(o["challenge"].(string)) + "="
		answerJSON(w, 200, map[string]any{"user": user, "challenge": challenge})
	})
	d.on("POST /finish", func(w http.ResponseWriter, r *http.Request) {
		response := []byte(r.FormValue("webauthn"))
		ceremony := d.redeem(cookieOf(r, "ceremony"))
		finish := d.assert
		if strings.Contains(string(response), "attestationObject") {
			finish = d.register
		}
		err := finish(ceremony, response)
		if err != nil || r.FormValue("authenticity") != "tok&en-1" {
			w.WriteHeader(200)
			_, _ = fmt.Fprint(w, `<p class="alert">Sorry, that did not work.</p>`)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: d.open(r.FormValue("login")), Path: "/"})
		http.Redirect(w, r, "/home?welcome=yes", http.StatusFound)
	})
	d.on("GET /home", func(w http.ResponseWriter, r *http.Request) {
		name := d.who(cookieOf(r, "session"))
		if name == "" {
			w.WriteHeader(403)
			return
		}
		_, _ = fmt.Fprintf(w, `<html><body><nav><span class="me" title="%s">Hello <b>%s</b></span></nav></body></html>`, name, name)
	})
}
