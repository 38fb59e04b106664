package interop

import (
	"os/exec"
	"path/filepath"
)

// Target is a server that nobody here wrote, with the host that it runs in.
type Target struct {
	Name     string     // folder below targets
	Library  string     // what is under test, as its registry calls it
	Version  string     // of the library
	Registry string     // where it comes from
	Needs    []string   // programs that fetch and run it
	Lock     []string   // files that pin versions and hashes
	Sources  []string   // files of the host
	Recipe   [][]string // commands that fetch it, in order
	Hashes   string     // file of SHA-256 hashes to hold against what was fetched, where its client compares none
	Build    [][]string // commands that build the host
	Command  []string   // starts it

	// Asks are the attestation conveyances that it can be told to ask for, in order.
	Asks []string
}

// The conveyances that servers are asked to use (WebAuthn Level 3, section 5.4.7).
const (
	None   = "none"
	Direct = "direct"
)

// ready is how a host says where it listens, on a line of its standard output.
const ready = "listening on "

// Targets returns all servers. Commands run in the folder that Bring makes, but for go,
// which runs in the module; $FOLDER is that folder.
func Targets() []Target {
	both := []string{None, Direct}
	npm := [][]string{{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"}}
	node := []string{"node", "server.mjs"}
	packages := []string{"package.json", "package-lock.json"}
	return []Target{
		{
			Name: "gowebauthn", Library: "github.com/go-webauthn/webauthn", Version: "v0.18.2", Registry: "Go modules", Asks: both,
			Needs: []string{"go"}, Build: [][]string{{"go", "build", "-o", "$FOLDER/", "./interop/targets/gowebauthn"}}, Command: []string{"./gowebauthn"},
		},
		{
			Name: "simplewebauthn", Library: "@simplewebauthn/server", Version: "14.0.3", Registry: "npm", Asks: both,
			Needs: []string{"node", "npm"}, Lock: packages, Sources: []string{"server.mjs"}, Recipe: npm, Command: node,
		},
		{
			Name: "betterauth", Library: "better-auth with @better-auth/passkey", Version: "1.7.6", Registry: "npm", Asks: []string{None},
			Needs: []string{"node", "npm"}, Lock: packages, Sources: []string{"server.mjs"}, Recipe: npm, Command: node,
		},
		{
			Name: "fido2lib", Library: "fido2-lib", Version: "3.5.9", Registry: "npm", Asks: both,
			Needs: []string{"node", "npm"}, Lock: packages, Sources: []string{"server.mjs"}, Recipe: npm, Command: node,
		},
		{
			Name: "pywebauthn", Library: "webauthn (py_webauthn)", Version: "3.0.1", Registry: "PyPI", Asks: both,
			Needs: []string{"python3"}, Lock: []string{"requirements.txt"}, Sources: []string{"server.py"},
			Recipe: [][]string{{"python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore",
				"--no-deps", "--only-binary=:all:", "--require-hashes", "--target", "packages", "-r", "requirements.txt"}},
			Command: []string{"python3", "server.py"},
		},
		{
			Name: "yubico", Library: "com.yubico:webauthn-server-core", Version: "2.9.0", Registry: "Maven Central", Asks: both,
			Needs: []string{"java", "javac", "mvn"}, Lock: []string{"pom.xml", "artifacts.sha256"}, Sources: []string{"Server.java"}, Hashes: "artifacts.sha256",
			Recipe: [][]string{
				{"mvn", "--quiet", "--batch-mode", "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies", "-DoutputDirectory=lib"},
			},
			Build: [][]string{
				{"javac", "-cp", "lib/*", "-d", "classes", "Server.java"},
			},
			Command: []string{"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", "classes:lib/*", "Server"},
		},
	}
}

// Site returns the file that describes the server to package web. root is the folder of
// the module.
func (t Target) Site(root string) string { return filepath.Join(t.source(root), "site.yaml") }

func (t Target) source(root string) string { return filepath.Join(root, "interop", "targets", t.Name) }

func (t Target) folder(cache string) string { return filepath.Join(cache, t.Name) }

// missing returns a program that it takes and that is not here, empty for none.
func (t Target) missing() string {
	for _, program := range t.Needs {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	return ""
}
