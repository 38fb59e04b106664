// Package reference is a relying party to test against.
package reference
