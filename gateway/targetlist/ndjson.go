package targetlist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"dmgate/gateway/fleet"
)

// NDJSON reads a file with a JSON object on each line: {"msisdn": "+491701234567", "pin": "1234"}. All values are
// strings; null stands for none.
func NDJSON(r io.Reader) iter.Seq2[fleet.Line, error] {
	return func(yield func(fleet.Line, error) bool) { newLines(r).each(yield, object) }
}

func object(text []byte) (line fleet.Line, err error) {
	if err := sound(text); err != nil {
		return line, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return line, fmt.Errorf("%s in place of an object", kind(t))
	}
	seen := make([]bool, len(fields))
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return line, err
		}
		i := slices.Index(fields, key.(string))
		if i < 0 {
			return line, fmt.Errorf("unknown field %.40q", key)
		}
		if seen[i] {
			return line, fmt.Errorf("field %q is there twice", fields[i])
		}
		seen[i] = true
		value, err := d.Token()
		if err != nil {
			return line, err
		}
		switch value := value.(type) {
		case string:
			set(&line, i, value)
		case nil:
		default:
			return line, fmt.Errorf("%s: %s in place of a string", fields[i], kind(value))
		}
	}
	return line, nil
}

// sound says where text is no JSON.
func sound(text []byte) error {
	if json.Valid(text) {
		return nil
	}
	var syntax *json.SyntaxError
	err := json.Unmarshal(text, new(json.RawMessage))
	if !errors.As(err, &syntax) {
		return err
	}
	return columnError(int(syntax.Offset)-1, syntax.Error()) // its offset is that behind the offending byte
}

// kind is what a token begins.
func kind(t json.Token) string {
	switch t {
	case json.Delim('{'):
		return "an object"
	case json.Delim('['):
		return "an array"
	case nil:
		return "null"
	}
	switch t.(type) {
	case bool:
		return "a boolean"
	case float64:
		return "a number"
	}
	return "a string"
}
