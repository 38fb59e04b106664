package interop

import (
	"os/exec"
	"path/filepath"
	"time"

	"fido-emu/rp/browser"
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

	Patience    time.Duration     // how long it may take to say where it listens; 30 s when 0
	Description string            // shipped description of the server, where the host has none of its own
	Settings    map[string]string // settings of that description, by what they are here
	Pages       bool              // it is driven through its pages, in Chromium

	// Profiles are those that are run, and Others why the others are not; all when empty.
	Profiles []string
	Others   string

	// Asks are the attestation conveyances that it can be told to ask for, in order, and
	// Audited is the one with which it is audited.
	Asks    []string
	Audited string `json:"-"` // which changes nothing of what is fetched
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
			Name: "gowebauthn", Library: "github.com/go-webauthn/webauthn", Version: "v0.18.2", Registry: "Go modules", Asks: both, Audited: Direct,
			Needs: []string{"go"}, Build: [][]string{{"go", "build", "-o", "$FOLDER/", "./interop/targets/gowebauthn"}}, Command: []string{"./gowebauthn"},
		},
		{
			Name: "simplewebauthn", Library: "@simplewebauthn/server", Version: "14.0.3", Registry: "npm", Asks: both, Audited: Direct,
			Needs: []string{"node", "npm"}, Lock: packages, Sources: []string{"server.mjs"}, Recipe: npm, Command: node,
		},
		{
			Name: "betterauth", Library: "better-auth with @better-auth/passkey", Version: "1.7.6", Registry: "npm", Asks: []string{None}, Audited: None,
			Needs: []string{"node", "npm"}, Lock: packages, Sources: []string{"server.mjs"}, Recipe: npm, Command: node,
		},
		{
			Name: "fido2lib", Library: "fido2-lib", Version: "3.5.9", Registry: "npm", Asks: both, Audited: Direct,
			Needs: []string{"node", "npm"}, Lock: packages, Sources: []string{"server.mjs"}, Recipe: npm, Command: node,
		},
		{
			Name: "pywebauthn", Library: "webauthn (py_webauthn)", Version: "3.0.1", Registry: "PyPI", Asks: both, Audited: Direct,
			Needs: []string{"python3"}, Lock: []string{"requirements.txt"}, Sources: []string{"server.py"},
			Recipe: [][]string{{"python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore",
				"--no-deps", "--only-binary=:all:", "--require-hashes", "--target", "packages", "-r", "requirements.txt"}},
			Command: []string{"python3", "server.py"},
		},
		{
			Name: "yubico", Library: "com.yubico:webauthn-server-core", Version: "2.9.0", Registry: "Maven Central", Asks: both, Audited: Direct,
			Needs: []string{"java", "javac", "mvn"}, Lock: []string{"pom.xml", "artifacts.sha256"}, Sources: []string{"Server.java"}, Hashes: "artifacts.sha256",
			Recipe: [][]string{
				{"mvn", "--quiet", "--batch-mode", "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies", "-DoutputDirectory=lib"},
			},
			Build: [][]string{
				{"javac", "-cp", "lib/*", "-d", "classes", "Server.java"},
			},
			Command: []string{"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", "classes:lib/*", "Server"},
		},
		keycloak(),
	}
}

// keycloak is a server whose ceremonies live in page script.
func keycloak() Target {
	return Target{
		Name: "keycloak", Library: "org.keycloak:keycloak-quarkus-dist", Version: "26.7.3", Registry: "Maven Central", Asks: []string{None, Direct}, Audited: None,
		Needs: []string{"java", "jar", "mvn", "bash"}, Pages: true, Lock: []string{"artifacts.sha256"}, Hashes: "artifacts.sha256",
		Sources: []string{"realm.json", "main.go", "realms.go", "server.go"},
		Recipe: [][]string{
			{"mvn", "--quiet", "--batch-mode", "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy", "-Dartifact=org.keycloak:keycloak-quarkus-dist:26.7.3:zip", "-DoutputDirectory=lib"},
		},
		Build: [][]string{
			{"jar", "--extract", "--file", "lib/keycloak-quarkus-dist-26.7.3.zip"},
			{"go", "build", "-o", "$FOLDER/", "./interop/targets/keycloak"},
			{"./keycloak", "prepare"},
		},
		Command: []string{"./keycloak"}, Patience: 3 * time.Minute, Description: "rp/web/descriptions/keycloak-browser.yaml",
		Settings: map[string]string{"KEYCLOAK_ADDRESS": "INTEROP_ADDRESS", "KEYCLOAK_REALM": "INTEROP_ATTESTATION", "KEYCLOAK_MAIL": "INTEROP_MAIL"},
		Profiles: []string{"security-key", "post-quantum-key", "windows-hello", "apple-passwords"},
		Others:   "its pages take seconds where an API takes milliseconds: one profile of each kind is run",
	}
}

// Site returns the file that describes the server to packages web and browser. root is
// the folder of the module.
func (t Target) Site(root string) string {
	if t.Description != "" {
		return filepath.Join(root, filepath.FromSlash(t.Description))
	}
	return filepath.Join(t.source(root), "site.yaml")
}

func (t Target) source(root string) string { return filepath.Join(root, "interop", "targets", t.Name) }

func (t Target) folder(cache string) string { return filepath.Join(cache, t.Name) }

// missing returns what it takes that is not here, empty for nothing.
func (t Target) missing() string {
	for _, program := range t.Needs {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	if t.Pages {
		if _, err := browser.Find(); err != nil {
			return "Chromium"
		}
	}
	return ""
}
