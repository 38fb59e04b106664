package rp

import (
	"context"
	"time"
)

// Signals are what a relying party learns of a sign-in beside its methods: from
// the network, from the management of devices, and of whose browser it is.
type Signals struct {
	Location  string // country, such as DE; empty when unknown
	Compliant bool   // the device is managed and in order
	Stranger  bool   // it is not the person's own browser; its session is kept apart
}

// AccessRule is one rule of Conditional Access: to whom it applies, when, and what
// it asks for. Rules that apply must all be met.
type AccessRule struct {
	Name            string        `json:"name"`
	State           string        `json:"state"` // enabled, reportOnly or disabled; empty is enabled
	Groups          []string      `json:"groups"`
	ExcludeGroups   []string      `json:"excludeGroups"`
	Risk            []string      `json:"risk"`            // applies at these levels of user risk; empty: at all
	Locations       []string      `json:"locations"`       // applies there; empty: everywhere
	ExceptLocations []string      `json:"exceptLocations"` // does not apply there
	Block           bool          `json:"block"`
	Compliant       bool          `json:"compliant"`       // asks for a compliant device
	Strength        string        `json:"strength"`        // multifactor, passwordless or phishingResistant; empty asks for none
	SessionLifetime time.Duration `json:"sessionLifetime"` // nanoseconds; 0 for the relying party's own
}

// The authentication strengths, weakest first.
const (
	Multifactor       = "multifactor"
	Passwordless      = "passwordless"
	PhishingResistant = "phishingResistant"
)

// The levels of user risk.
const (
	RiskNone   = "none"
	RiskLow    = "low"
	RiskMedium = "medium"
	RiskHigh   = "high"
)

// SignInEntry is one sign-in, done or refused, in the shape of signIn in Microsoft
// Graph.
type SignInEntry struct {
	ID                string          `json:"id"`
	Created           time.Time       `json:"createdDateTime"`
	UserPrincipalName string          `json:"userPrincipalName"`
	Status            SignInStatus    `json:"status"`
	Location          SignInLocation  `json:"location"`
	DeviceDetail      SignInDevice    `json:"deviceDetail"`
	RiskLevel         string          `json:"riskLevelDuringSignIn"`
	Access            string          `json:"conditionalAccessStatus"` // success, failure or notApplied
	AppliedPolicies   []AppliedPolicy `json:"appliedConditionalAccessPolicies"`
	Details           []SignInDetail  `json:"authenticationDetails"`
}

// SignInStatus is signInStatus: the reason is empty when it succeeded.
type SignInStatus struct {
	FailureReason     string `json:"failureReason"`     // code of the refusal, such as code-wrong
	AdditionalDetails string `json:"additionalDetails"` // for people
}

// SignInLocation is signInLocation.
type SignInLocation struct {
	CountryOrRegion string `json:"countryOrRegion"`
}

// SignInDevice is deviceDetail.
type SignInDevice struct {
	IsCompliant bool `json:"isCompliant"`
}

// AppliedPolicy is appliedConditionalAccessPolicy.
type AppliedPolicy struct {
	DisplayName string `json:"displayName"`
	Result      string `json:"result"` // success, failure, notApplied, notEnabled, reportOnlySuccess, reportOnlyFailure, reportOnlyNotApplied
}

// SignInDetail is authenticationDetail: one step of a sign-in.
type SignInDetail struct {
	Method    string    `json:"authenticationMethod"`       // such as password or passKeySynced
	Detail    string    `json:"authenticationMethodDetail"` // such as the name of the passkey, or a masked number
	StepTime  time.Time `json:"authenticationStepDateTime"`
	Result    string    `json:"authenticationStepResultDetail"` // for people
	Succeeded bool      `json:"succeeded"`
}

// ConditionalAccess decides on sign-ins by more than their methods, and goes on
// deciding while sessions stand.
type ConditionalAccess interface {
	// SetAccessRules sets all rules; they take the place of the old ones.
	SetAccessRules(ctx context.Context, rules []AccessRule) error
	// SetRisk sets the user risk of a person: at RiskHigh all sessions end, and only
	// a passkey signs in, which brings the risk back to none.
	SetRisk(ctx context.Context, p Person, level string) error
	// SignIns lists the sign-ins of a person, oldest first.
	SignIns(ctx context.Context, p Person) ([]SignInEntry, error)
}

type signalsKey struct{}

// WithSignals returns a context in which sign-ins have these signals.
func WithSignals(ctx context.Context, s Signals) context.Context {
	return context.WithValue(ctx, signalsKey{}, s)
}

// SignalsOf returns the signals of a sign-in in ctx: a person's own browser on a
// device that nobody manages, somewhere, when nothing was said.
func SignalsOf(ctx context.Context) Signals {
	s, _ := ctx.Value(signalsKey{}).(Signals)
	return s
}
