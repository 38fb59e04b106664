package report

import (
	"path"
	"regexp"
	"strings"
)

// fileForm is what files beside the reports are called. Nothing that a browser would
// run is among them.
var fileForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._=~-]*(/[A-Za-z0-9_-][A-Za-z0-9._=~-]*)*\.(pcapng|txt|json)$`)

var pictureForm = regexp.MustCompile(`^[A-Za-z0-9._-][A-Za-z0-9._/-]*\.png$`)

// picture returns the name of a screenshot's file as the page may link it: one beside
// the reports. Anything else is "".
func picture(name string) string {
	if !pictureForm.MatchString(name) || strings.HasPrefix(path.Clean(name), "..") {
		return ""
	}
	return name
}

// attached is [picture] for other files.
func attached(name string) string {
	if !fileForm.MatchString(name) {
		return ""
	}
	return name
}
