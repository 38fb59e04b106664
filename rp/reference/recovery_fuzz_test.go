package reference

import "testing"

func FuzzParseCallback(f *testing.F) {
	f.Add([]byte(`{"requestId":"r","requestStatus":"presentation_verified","state":"s","verifiedCredentialsData":[{"faceCheck":{"matchConfidenceScore":86.2,"sourcePhotoQuality":"HIGH"}}]}`))
	f.Add([]byte(`{"requestId":"r","requestStatus":"presentation_error","state":"s","error":{"code":"claimValidationError","message":"expired: refused at credential.expiry"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := parseCallback(body)
		if err != nil && (c.Face != nil || c.State != "") {
			t.Errorf("%q is refused and read all the same: %+v", body, c)
		}
	})
}

func TestPresentationCode(t *testing.T) {
	for _, test := range []struct{ code, message, want string }{
		{"claimValidationError", "expired: it expired", "credential-expired"},
		{"tokenError", "holder-not-bound: credential 1 is about another", "presentation-holder-not-bound"},
		{"claimValidationError", "The liveness check failed.", "face-check-failed"},
		{"transientError", "The Face Check could not be performed", "transientError"},
	} {
		if got := presentationCode(test.code, test.message); got != test.want {
			t.Errorf("%s %q is %s, want %s", test.code, test.message, got, test.want)
		}
	}
}
