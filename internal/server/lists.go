package server

import (
	"encoding/json"
	"fmt"

	"github.com/varlink/go/varlink/idl"

	"sallyport/internal/vault"
)

// array reads a list. How long it may be, checkList says.
func array(raw json.RawMessage, t *idl.Type, named map[string]*idl.Type) (v any, ok bool) {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return nil, false
	}
	all := make([]any, len(elements))
	for i, e := range elements {
		if all[i], ok = value(e, t, named); !ok {
			return nil, false
		}
	}
	return all, true
}

// maxUsed is the most steps that a device may come with; what other programs keep is less.
const maxUsed = 100

// checkList wants a list to be as long as its name allows, and each element to be right under the same name.
func checkList(name string, v []any) string {
	least, most := 0, 0
	switch name {
	case "devices":
		least, most = 1, vault.MaxTokens
	case "recovery":
		most = vault.MaxRecovery
	case "used":
		most = maxUsed
	default:
		return "is not known"
	}
	if len(v) < least || len(v) > most {
		return fmt.Sprintf("must have %d to %d entries", least, most)
	}
	for _, element := range v {
		if reason := check(name, element); reason != "" {
			return reason
		}
	}
	return ""
}

// checkFields checks the fields of a struct as if each were a parameter.
func checkFields(v parameters) string {
	for field, value := range v {
		if reason := check(field, value); reason != "" {
			return fmt.Sprintf("must have another %q: it %s", field, reason)
		}
	}
	return ""
}
