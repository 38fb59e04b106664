package graph

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// maxBody is the most that a request may hold, in bytes: a registration with a chain of
// certificates and post-quantum keys fits.
const maxBody = 128 << 10

func write(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked may have left
}

// read reads a body strictly into v. Annotations of OData stand beside the members of
// an object; type is that of the body as a whole, empty when it has none.
func read(r *http.Request, v any) (odataType string, err error) {
	b, err := io.ReadAll(r.Body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return "", failure{http.StatusRequestEntityTooLarge, "BadRequest", "The request is larger than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes."}
	}
	var body any
	if err == nil {
		err = json.Unmarshal(b, &body)
	}
	whole, isObject := body.(map[string]any)
	if err != nil || !isObject {
		return "", failure{http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."}
	}
	odataType, _ = whole["@odata.type"].(string)
	strip(body)
	plain, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	d := json.NewDecoder(strings.NewReader(string(plain)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return "", bad("Invalid property: " + strings.TrimPrefix(err.Error(), "json: ") + ".")
	}
	return odataType, nil
}

// strip takes annotations of OData off objects, but for references.
func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if strings.Contains(name, "@odata.") && name != "@odata.id" {
				delete(v, name)
			} else {
				strip(member)
			}
		}
	case []any:
		for _, item := range v {
			strip(item)
		}
	}
}

// collection is a list as OData has it, cut to what $top asks for.
func collection[T any](r *http.Request, context string, items []T) (int, any, error) {
	if items == nil {
		items = []T{}
	}
	if text := r.URL.Query().Get("$top"); text != "" {
		top, err := strconv.Atoi(text)
		if err != nil || top < 1 || top > 999 {
			return 0, nil, failure{http.StatusBadRequest, "Request_UnsupportedQuery", "Invalid page size specified: '" + text + "'. Must be between 1 and 999 inclusive."}
		}
		items = items[:min(top, len(items))]
	}
	return http.StatusOK, map[string]any{"@odata.context": "$metadata#" + context, "value": items}, nil
}

var equality = regexp.MustCompile(`^\s*([A-Za-z]+)\s+eq\s+'((?:[^']|'')*)'\s*$`)

// filter reads $filter=property eq 'value'; there is no other kind here. Without one,
// all is wanted.
func filter(r *http.Request, properties ...string) (property, value string, err error) {
	text := r.URL.Query().Get("$filter")
	if text == "" {
		return "", "", nil
	}
	m := equality.FindStringSubmatch(text)
	for _, p := range properties {
		if m != nil && m[1] == p {
			return p, strings.ReplaceAll(m[2], "''", "'"), nil
		}
	}
	return "", "", failure{http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified: " + text + " (here: " + strings.Join(properties, " or ") + " eq 'value')."}
}
