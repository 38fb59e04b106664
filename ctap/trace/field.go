package trace

// Field is one member of a message, by its specified name. A member that has
// members of its own lists them in Fields; Value then sums them up or is empty.
type Field struct {
	Name   string  `json:"name"`
	Value  string  `json:"value,omitempty"`
	Fields []Field `json:"fields,omitempty"`
}
