// Package audit draws what an audit of a relying party found: for people on a console
// and as a page to forward, for machines as JUnit XML and SARIF 2.1.0.
package audit
