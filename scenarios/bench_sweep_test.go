package scenarios

import "testing"

// Passkeys for names that somebody may have are never taken for what a scenario left.
func TestReserved(t *testing.T) {
	for domain, want := range map[string]bool{
		"example.com": true, "login.example.com": true, "shop.example": true, "sso.test": true, "a.invalid": true,
		"example.co": false, "myexample.com": false, "example.com.evil.io": false, "contest": false, "localhost": false, "": false,
	} {
		if reserved(domain) != want {
			t.Errorf("%q: %v", domain, !want)
		}
	}
}
