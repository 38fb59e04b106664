package world

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"fido-emu/identity/credential"
	"fido-emu/identity/wallet"
	"fido-emu/rp"
)

// Presented is which credential a person presents, and with which face.
type Presented struct {
	Before
	Which string // one of Credentials
	From  *Person
}

// Credentials lists what a person may present: the newest that fits, as wallets do;
// the oldest; the newest with a name changed; one of the same claims that an issuer
// made whom nobody trusts; what was presented the last time; and the newest out of
// somebody else's wallet.
func Credentials() []string {
	return []string{"newest", "oldest", "altered", "of-another-issuer", "presented-before", "of-somebody-else", "without-the-key"}
}

// Present answers the presentation request of a case out of a person's wallet. It
// returns how the case stands afterwards.
func (w *World) Present(ctx context.Context, p *Person, c *Case, what Presented) (rp.RecoveryStatus, error) {
	status, err := w.Standing(ctx, c)
	if err != nil {
		return status, err
	}
	if status.Reason != "" {
		return status, &rp.Refused{Code: status.Reason, Reason: status.Detail}
	}
	if !strings.HasPrefix(status.URL, "openid-vc:") {
		return status, Refuse("relying party", "not-proved", "it asks for no presentation yet: the case is at %s (%s)", status.State, status.Detail)
	}
	have, holder, err := w.walletOf(p)
	if err != nil {
		return status, err
	}
	holder.before = what.Before
	answered := w.answer(ctx, p, have, status.URL, what)
	status, err = w.Standing(ctx, c)
	switch {
	case err != nil:
		return status, err
	case status.Reason != "":
		return status, &rp.Refused{Code: status.Reason, Reason: status.Detail}
	}
	return status, presented(answered)
}

// presented makes a refusal of what a wallet or the request service refuses.
func presented(err error) error {
	if errors.Is(err, wallet.ErrNothingToShow) {
		return &Refusal{By: "wallet", Reasons: []string{"nothing-to-show"}, Message: err.Error(), Err: err}
	}
	no, ok := errors.AsType[*wallet.ServiceError](err)
	if !ok {
		return err
	}
	var body struct {
		Error struct {
			InnerError struct{ Code, Message string }
		}
	}
	if json.Unmarshal(no.Body, &body) != nil || body.Error.InnerError.Code == "" {
		return err
	}
	e := body.Error.InnerError
	return &Refusal{By: "request service", Reasons: []string{e.Code}, Message: e.Message, Err: err}
}

// answer opens a request and answers it.
func (w *World) answer(ctx context.Context, p *Person, have *wallet.Wallet, link string, what Presented) error {
	asked, err := have.Open(ctx, link)
	if err != nil {
		return err
	}
	response, err := w.response(ctx, p, have, asked, what)
	if err != nil {
		return err
	}
	p.lastAnswer = response
	return have.Submit(ctx, asked, response)
}

func (w *World) response(ctx context.Context, p *Person, have *wallet.Wallet, asked *wallet.Asked, what Presented) (*wallet.Response, error) {
	held := have.List()
	if what.Which == "of-somebody-else" {
		if what.From == nil {
			return nil, errors.New("whose credential is to be presented? give from")
		}
		theirs, _, err := w.walletOf(what.From)
		if err != nil {
			return nil, err
		}
		held = theirs.List()
	}
	if what.Which == "" || what.Which == "newest" {
		return have.Answer(ctx, asked)
	}
	if len(held) == 0 {
		return nil, fmt.Errorf("%w", wallet.ErrNothingToShow)
	}
	newest := held[len(held)-1]
	switch what.Which {
	case "oldest":
		return have.AnswerWith(ctx, asked, held[0].JWT)
	case "altered":
		jwt, err := altered(newest.JWT)
		if err != nil {
			return nil, err
		}
		return have.AnswerWith(ctx, asked, jwt)
	case "of-another-issuer":
		issued, err := w.proof.rogue.Issue(have.DID(), newest.Claims)
		if err != nil {
			return nil, err
		}
		return have.AnswerWith(ctx, asked, issued.JWT)
	case "without-the-key":
		return keyless(ctx, have, asked, newest.JWT)
	case "presented-before":
		return replayed(ctx, have, asked, p.lastAnswer)
	}
	return have.AnswerWith(ctx, asked, newest.JWT)
}

// keyless is the answer of somebody who has a credential and all that is told of its
// holder, and not the key: the signature is another presentation's.
func keyless(ctx context.Context, have *wallet.Wallet, asked *wallet.Asked, jwt string) (*wallet.Response, error) {
	answer, err := have.AnswerWith(ctx, asked, jwt)
	if err != nil {
		return nil, err
	}
	other, err := have.AnswerWith(ctx, asked)
	if err != nil {
		return nil, err
	}
	to, from := strings.LastIndex(answer.VPToken, "."), strings.LastIndex(other.VPToken, ".")
	answer.VPToken = answer.VPToken[:to] + other.VPToken[from:]
	return answer, nil
}

// replayed is an older answer with the state of a new request, as somebody sends it
// who listened.
func replayed(ctx context.Context, have *wallet.Wallet, asked *wallet.Asked, before *wallet.Response) (*wallet.Response, error) {
	if before == nil {
		return nil, errors.New("nothing was presented before this step")
	}
	fresh, err := have.AnswerWith(ctx, asked)
	if err != nil {
		return nil, err
	}
	again := *before
	again.State, again.FaceCapture = fresh.State, fresh.FaceCapture
	return &again, nil
}

// altered puts another last name into a credential and leaves its signature as it is.
func altered(jwt string) (string, error) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("a credential has %d parts, want 3", len(parts))
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", err
	}
	var claims map[string]any
	if err := json.Unmarshal(body, &claims); err != nil {
		return "", err
	}
	vc, _ := claims["vc"].(map[string]any)
	subject, _ := vc["credentialSubject"].(map[string]any)
	if subject == nil {
		return "", errors.New("the credential has no subject to alter")
	}
	subject[credential.LastName] = "Altered"
	if body, err = json.Marshal(claims); err != nil {
		return "", err
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(body)
	return strings.Join(parts, "."), nil
}
