package credential

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// bodyLimit is how many bytes of a request are read.
const bodyLimit = 1 << 18

// ServeHTTP serves the issuer under the path of its base URL:
//
//	GET  /.well-known/did.json                   its DID document (did.json itself below a path)
//	GET  /.well-known/did-configuration.json     that its origin is its own
//	GET  /.well-known/openid-credential-issuer   how to fetch credentials, at the root with the path after it
//	GET  /offers/{id}                            an offer
//	POST /token, /nonce, /credential             OpenID4VCI 1.0, sections 6, 7 and 8
//	GET  /status/1                               the status list
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.routes().ServeHTTP(w, r)
}

func (i *Issuer) routes() *http.ServeMux {
	mux, path := http.NewServeMux(), basePath(i.base)
	document := path + "/did.json"
	if path == "" {
		document = "/.well-known/did.json"
	} else { // drafts had it below the path
		mux.HandleFunc("GET "+path+"/.well-known/openid-credential-issuer", i.serveMetadata)
	}
	mux.HandleFunc("GET "+document, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, i.doc) })
	mux.HandleFunc("GET /.well-known/did-configuration.json", i.serveLinkage)
	mux.HandleFunc("GET /.well-known/openid-credential-issuer"+path, i.serveMetadata)
	mux.HandleFunc("GET "+path+"/offers/{id}", i.serveOffer)
	mux.HandleFunc("GET "+path+"/status/1", i.serveStatus)
	mux.HandleFunc("POST "+path+"/token", endpoint(i.token))
	mux.HandleFunc("POST "+path+"/nonce", endpoint(i.nonce))
	mux.HandleFunc("POST "+path+"/credential", endpoint(i.credential))
	return mux
}

// basePath returns the path of a base URL, "" for none.
func basePath(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

// Linkage returns what the issuer's origin has to serve as did-configuration.json: where
// several issuers share an origin, the DIDs of all belong into one.
func (i *Issuer) Linkage() (Configuration, error) {
	return Linkage(i.key, i.did, i.kid, origin(i.base), i.config.Now())
}

func (i *Issuer) serveLinkage(w http.ResponseWriter, _ *http.Request) {
	config, err := i.Linkage()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, config)
}

func (i *Issuer) serveStatus(w http.ResponseWriter, _ *http.Request) {
	list, err := i.StatusList()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("Cache-Control", "max-age="+strconv.Itoa(int(i.config.StatusTTL.Seconds())))
	io.WriteString(w, list) //nolint:errcheck // the client is gone, then
}

func (i *Issuer) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, IssuerMetadata{
		CredentialIssuer: i.base, CredentialEndpoint: i.base + "/credential",
		NonceEndpoint: i.base + "/nonce", TokenEndpoint: i.base + "/token",
		Display: []Display{{i.config.Name}},
		Configurations: map[string]CredentialConfiguration{i.config.Type: {
			Format:               "jwt_vc_json",
			CredentialDefinition: CredentialDefinition{[]string{typeVerifiable, i.config.Type}},
			BindingMethods:       []string{"did:jwk"},
			SigningAlgorithms:    []string{"ES256"},
			ProofTypes:           map[string]ProofType{"jwt": {[]string{"ES256"}}},
		}},
	})
}

func (i *Issuer) serveOffer(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	o, ok := i.offers[r.PathValue("id")]
	open := ok && i.open(o)
	i.mu.Unlock()
	if !open {
		http.Error(w, "this offer does not stand, or stands no longer: ask for another", http.StatusNotFound)
		return
	}
	grant := &PreGrant{Code: o.Code}
	if o.TxCode != "" {
		grant.TxCode = &TxCode{InputMode: "numeric", Length: txCodeDigits, Description: "the code that " + i.config.Name + " showed"}
	}
	writeJSON(w, http.StatusOK, CredentialOffer{
		CredentialIssuer: i.base, CredentialConfigurationIDs: []string{i.config.Type},
		Grants: map[string]*PreGrant{grantPreAuthorized: grant},
	})
}

// open tells whether an offer can still be taken up.
func (i *Issuer) open(o *offer) bool {
	return i.config.Now().Before(o.Expires) && o.WrongCodes < txCodeTries && o.Credential == ""
}

// token exchanges the pre-authorised code for an access token (section 6.1).
func (i *Issuer) token(r *http.Request) (any, error) {
	if err := r.ParseForm(); err != nil {
		return nil, &IssuanceError{"invalid_request", err.Error()}
	}
	if grant := r.PostForm.Get("grant_type"); grant != grantPreAuthorized {
		return nil, &IssuanceError{"unsupported_grant_type", fmt.Sprintf("%q is not %s", grant, grantPreAuthorized)}
	}
	access, err := newCode(i.config.Rand)
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	o := i.find(func(o *offer) bool { return equal(o.Code, r.PostForm.Get("pre-authorized_code")) })
	switch {
	case o == nil || !i.open(o) || o.Token != "":
		return nil, &IssuanceError{"invalid_grant", "the pre-authorised code is unknown, used or expired: ask for another offer"}
	case o.TxCode != "" && r.PostForm.Get("tx_code") == "":
		return nil, &IssuanceError{"invalid_request", "this offer needs its transaction code (tx_code)"}
	case o.TxCode == "" && r.PostForm.Get("tx_code") != "":
		return nil, &IssuanceError{"invalid_request", "this offer has no transaction code (tx_code)"}
	case !equal(o.TxCode, r.PostForm.Get("tx_code")):
		o.WrongCodes++
		return nil, &IssuanceError{"invalid_grant", "the transaction code is wrong"}
	}
	o.Token = access
	return TokenResponse{access, "Bearer", int(o.Expires.Sub(i.config.Now()).Seconds())}, nil
}

// nonce gives out a challenge for the proof of possession (section 7). Here it belongs
// to an access token, so that it is of no use to another.
func (i *Issuer) nonce(r *http.Request) (any, error) {
	nonce, err := newCode(i.config.Rand)
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	o, err := i.authorized(r)
	if err != nil {
		return nil, err
	}
	o.Nonce = nonce
	return NonceResponse{nonce}, nil
}

// credential issues what was offered to the key of the proof (section 8), once: whoever
// lost the answer asks for another offer.
func (i *Issuer) credential(r *http.Request) (any, error) {
	var req CredentialRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, &IssuanceError{"invalid_credential_request", err.Error()}
	}
	if req.ConfigurationID != i.config.Type {
		return nil, &IssuanceError{"unknown_credential_configuration", fmt.Sprintf("%q is not offered", req.ConfigurationID)}
	}
	if len(req.Proofs["jwt"]) != 1 {
		return nil, &IssuanceError{"invalid_proof", "there must be one proof of possession, of type jwt"}
	}
	i.mu.Lock()
	o, err := i.authorized(r)
	if err != nil {
		i.mu.Unlock()
		return nil, err
	}
	nonce := o.Nonce
	o.Nonce = "" // good for one try
	i.mu.Unlock()
	holder, err := i.provenHolder(r.Context(), req.Proofs["jwt"][0], nonce)
	if err != nil {
		return nil, err
	}
	return i.take(o, holder)
}

// take issues an offer's credential, once.
func (i *Issuer) take(o *offer, holder string) (any, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.open(o) {
		return nil, &IssuanceError{"invalid_token", "the credential was fetched already"}
	}
	issued, err := i.issue(holder, o.Claims)
	if err != nil {
		return nil, err
	}
	o.Credential = issued.ID
	return CredentialResponse{[]CredentialEnvelope{{issued.JWT}}}, nil
}

// provenHolder verifies a proof of possession and returns the DID of its key.
func (i *Issuer) provenHolder(ctx context.Context, proof, nonce string) (string, error) {
	refuse := func(err error) (string, error) { return "", &IssuanceError{"invalid_proof", err.Error()} }
	t, err := parseToken(proof)
	if err != nil {
		return refuse(err)
	}
	if t.typ != typeProof {
		return refuse(fmt.Errorf("its type is %q, not %s", t.typ, typeProof))
	}
	holder := controller(t.kid)
	if !strings.HasPrefix(holder, didJWK) {
		return refuse(errors.New("its key is no did:jwk"))
	}
	if _, err := t.claims(ctx, Resolver{}, holder); err != nil {
		return refuse(err)
	}
	var c proofToken
	if err := object(t.body, &c); err != nil {
		return refuse(err)
	}
	age := i.config.Now().Sub(c.IssuedAt.time())
	switch {
	case c.Audience != i.base:
		return refuse(fmt.Errorf("it is meant for %q", c.Audience))
	case nonce == "" || !equal(c.Nonce, nonce):
		return "", &IssuanceError{"invalid_nonce", "the proof has no nonce that stands: ask for one"}
	case age > defaultMaxAge || age < -skew:
		return refuse(fmt.Errorf("it was signed %s ago", age))
	}
	return holder, nil
}

// authorized returns the offer whose access token the request has; i.mu is held.
func (i *Issuer) authorized(r *http.Request) (*offer, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	o := i.find(func(o *offer) bool { return ok && token != "" && equal(o.Token, token) })
	if o == nil || !i.open(o) {
		return nil, &IssuanceError{"invalid_token", "the access token is missing, unknown, used or expired"}
	}
	return o, nil
}

// find returns an offer, nil if there is none; i.mu is held.
func (i *Issuer) find(match func(*offer) bool) *offer {
	for _, o := range i.offers { // at most one matches, so order is of no account
		if match(o) {
			return o
		}
	}
	return nil
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// endpoint answers with JSON: what the handler returns, or its error.
func endpoint(handle func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		w.Header().Set("Cache-Control", "no-store")
		answer, err := handle(r)
		var refused *IssuanceError
		switch {
		case errors.As(err, &refused):
			writeJSON(w, statusOf(refused.Code), refused)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			writeJSON(w, http.StatusOK, answer)
		}
	}
}

func statusOf(code string) int {
	if code == "invalid_token" {
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client is gone, then
}
