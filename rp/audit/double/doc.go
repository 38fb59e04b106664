// Package double is a relying party made to be attacked: package verifier verifies
// for it, and each of its steps can be left out by name, as each of what a site has to
// look at besides (that a challenge is good once, whose session it is, whether a pass
// was used). With none left out it refuses every attack of the audit; with one left
// out it is a mutant, which the audit must find ([Score]).
package double
