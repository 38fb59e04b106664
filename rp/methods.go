package rp

import (
	"context"
	"time"
)

// The ways of signing in, by the names that Microsoft Graph gives authentication
// methods, or, where it has none, its portal. Passkeys are told apart by where they
// live, as in signIn.authenticationDetails.
const (
	Password          = "password"
	SMS               = "sms"
	Voice             = "voice"
	Email             = "email"
	SecurityQuestions = "securityQuestions"
	Push              = "microsoftAuthenticatorPush"
	AccessPass        = "temporaryAccessPass"

	PasskeySynced        = "passKeySynced"
	PasskeyDeviceBound   = "passKeyDeviceBound"
	PasskeyAuthenticator = "passKeyDeviceBoundAuthenticator"
	PasskeyWindowsHello  = "passKeyDeviceBoundWindowsHello"
)

// Method is one way to sign in that a person has.
type Method struct {
	Kind       string    `json:"kind"`              // such as Password or PasskeySynced
	Address    string    `json:"address,omitempty"` // number, mailbox or name of the app; masked where anybody may ask
	Phishable  bool      `json:"phishable"`         // a page of somebody else can have it, or what it answers
	Strength   int       `json:"strength"`          // more is stronger; only the order counts
	Default    bool      `json:"default,omitempty"` // offered first
	Uses       []string  `json:"uses"`              // Primary, Secondary, Reset
	AddedAt    time.Time `json:"addedAt,omitzero"`
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
}

// What a method is good for.
const (
	Primary   = "primary"   // begins a sign-in
	Secondary = "secondary" // completes one
	Reset     = "reset"     // proves who asks for a new password
)

// Enrolment adds a method to a person's account, or changes it.
type Enrolment struct {
	Kind    string            `json:"kind"`
	Address string            `json:"address,omitempty"` // of SMS, Voice, Email and Push
	Secret  string            `json:"secret,omitempty"`  // of Password
	Answers map[string]string `json:"answers,omitempty"` // of SecurityQuestions: question to answer
}

// Prompt is what a sign-in page shows while somebody proves who they are.
type Prompt struct {
	Attempt   string    `json:"attempt"` // names the sign-in or reset that it belongs to
	Kind      string    `json:"kind"`
	SentTo    string    `json:"sentTo,omitempty"`    // masked address
	Number    string    `json:"number,omitempty"`    // to be typed into the app
	Questions []string  `json:"questions,omitempty"` // to be answered, in this order
	Expires   time.Time `json:"expires,omitzero"`    // of the code or the request
}

// Progress is how far somebody came with one method.
type Progress struct {
	Attempt string   `json:"attempt"`
	Session *Session `json:"session,omitempty"` // when that was enough to sign in
	Ready   bool     `json:"ready,omitempty"`   // when that was enough to set a new password
	Next    []string `json:"next,omitempty"`    // methods of which one is still missing
}

// The purposes of an attempt.
const (
	ToSignIn = "sign-in"
	ToReset  = "reset"
)

// Fallbacks is a relying party where people can sign in with other things than
// passkeys, and reset their password.
type Fallbacks interface {
	// SignInMethods lists the ways in that are offered to somebody, the first to be
	// tried first. It can be asked by anybody who knows a user name.
	SignInMethods(ctx context.Context, p Person) ([]Method, error)
	// BeginMethod begins to prove who somebody is; attempt is empty for the first
	// method, purpose ToSignIn or ToReset.
	BeginMethod(ctx context.Context, p Person, purpose, attempt, kind string) (Prompt, error)
	// FinishMethod takes what was typed: a password, a code, or answers, one a line;
	// nothing for a push, which is answered in the app.
	FinishMethod(ctx context.Context, p Person, attempt, answer string) (Progress, error)
	// ResetPassword sets a new password once an attempt is Ready.
	ResetPassword(ctx context.Context, p Person, attempt, password string) error
	// AddMethod adds a method to the account of somebody who is signed in.
	AddMethod(ctx context.Context, p Person, e Enrolment) error
}

// Message is something that was sent to a person: a text, a call, a mail or a
// request in an app.
type Message struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"` // SMS, Voice, Email, Push, or Notice for what only tells
	Person  string    `json:"person"`
	Address string    `json:"address"`
	Holder  string    `json:"holder"`         // who reads it: Owner, or Thief
	Text    string    `json:"text"`           // as the person sees or hears it
	Code    string    `json:"code,omitempty"` // the code in it
	Sent    time.Time `json:"sent"`
	Expires time.Time `json:"expires,omitzero"`
}

// Notice is the kind of a message that tells the owner what happened to the
// account.
const Notice = "notice"

// Who holds the phone, the app or the mailbox behind an address.
const (
	Owner = "owner"
	Thief = "thief"
)

// How a request in the app can be answered.
const (
	Approve = "approve"
	Deny    = "deny"
	Report  = "report" // it was not me: the account is at risk
)

// MethodPolicy says which methods a relying party takes, and how.
type MethodPolicy struct {
	Disabled          []string         `json:"disabled"`                // kinds that nobody may use
	SingleFactor      bool             `json:"singleFactor"`            // a password alone signs in
	NoNumberMatching  bool             `json:"noNumberMatching"`        // a push is approved without the number on the page
	QuestionsUntil    time.Time        `json:"questionsUntil,omitzero"` // security questions are refused from then on; never when zero
	ResetMethods      int              `json:"resetMethods"`            // how many a reset needs: 1, or 2; 0 is 1
	SystemPreferences SystemPreference `json:"systemCredentialPreferences"`
}

// SystemPreference is systemCredentialPreferences of Microsoft Graph: whether
// people are asked for the strongest method that they have. The zero value asks
// everybody.
type SystemPreference struct {
	State   string   `json:"state"`   // default, enabled or disabled; empty is default, which is enabled
	Include []string `json:"include"` // groups; empty for everybody
	Exclude []string `json:"exclude"` // groups; they win
}

// Dormant is a method that nobody needs and that an attacker could use.
type Dormant struct {
	Person     string    `json:"person"`
	Groups     []string  `json:"groups"`
	Kind       string    `json:"kind"`
	Address    string    `json:"address,omitempty"` // masked
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
	AddedAt    time.Time `json:"addedAt"`
}

// MethodAdministration is what administrators do about methods, and the double of
// the phone network, the mailboxes and the app that delivers what is sent.
type MethodAdministration interface {
	SetMethodPolicy(ctx context.Context, policy MethodPolicy) error
	// EnrolMethod adds a method to an account, or changes it.
	EnrolMethod(ctx context.Context, p Person, e Enrolment) error
	// PersonMethods lists all methods of a person, passkeys included.
	PersonMethods(ctx context.Context, p Person) ([]Method, error)
	// RemoveMethods removes methods that are no passkeys.
	RemoveMethods(ctx context.Context, p Person, kinds ...string) error
	// DormantMethods lists phishable methods that were not used since, of people who
	// have a passkey; of one group, or of all when it is empty.
	DormantMethods(ctx context.Context, since time.Duration, group string) ([]Dormant, error)
	// Outbox lists what was sent to a person, oldest first.
	Outbox(ctx context.Context, p Person) ([]Message, error)
	// AnswerPush answers a request in the app: Approve, Deny or Report, with the
	// number that was typed.
	AnswerPush(ctx context.Context, id, answer, number string) error
	// HandOver says who holds a phone, an app or a mailbox from now on.
	HandOver(ctx context.Context, address, holder string) error
}
