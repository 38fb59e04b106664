// Package pages is what the pages of the doubles have in common: the look, the headers
// and checks that keep foreign pages out, the choice of what stands before a camera, and
// whose phone it is that looks at them.
//
// The pages are made by the server and need no script, so none may run on them
// (Content-Security-Policy). Their style is part of each page.
package pages
