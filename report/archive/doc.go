// Package archive compares and joins runs that were kept in files: what broke since
// the last one, what was mended, what passes only sometimes, and one report out of
// several.
package archive
