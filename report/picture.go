package report

import (
	"path"
	"regexp"
	"strings"
)

var pictureForm = regexp.MustCompile(`^[A-Za-z0-9._-][A-Za-z0-9._/-]*\.png$`)

// picture returns the name of a screenshot's file as the page may link it: one beside
// the reports. Anything else is "".
func picture(name string) string {
	if !pictureForm.MatchString(name) || strings.HasPrefix(path.Clean(name), "..") {
		return ""
	}
	return name
}
