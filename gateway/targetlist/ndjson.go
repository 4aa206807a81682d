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

// object reads one line. Once it is known to be sound its parts are where they have to be.
func object(doc []byte) (line fleet.Line, err error) {
	if err := sound(doc); err != nil {
		return line, err
	}
	rest := skip(doc)
	if rest[0] != '{' {
		return line, fmt.Errorf("%s in place of an object", kind(rest[0]))
	}
	var seen [len(fields)]bool
	for rest = skip(rest[1:]); rest[0] != '}'; rest = skip(rest) {
		if rest[0] == ',' {
			rest = skip(rest[1:])
		}
		var key, value string
		key, rest = text(rest)
		field := slices.Index(fields[:], key)
		if field < 0 {
			return line, fmt.Errorf("unknown field %.40q", key)
		}
		if seen[field] {
			return line, fmt.Errorf("field %q is there twice", key)
		}
		seen[field] = true
		rest = skip(skip(rest)[1:]) // over the colon
		switch rest[0] {
		case '"':
			value, rest = text(rest)
			set(&line, field, value)
		case 'n':
			rest = rest[len("null"):]
		default:
			return line, fmt.Errorf("%s: %s in place of a string", key, kind(rest[0]))
		}
	}
	return line, nil
}

// skip is text without the blanks in front.
func skip(text []byte) []byte { return bytes.TrimLeft(text, " \t\r") }

// text takes the string that rest begins with.
func text(rest []byte) (string, []byte) {
	escaped, end := false, 1
	for ; rest[end] != '"'; end++ {
		if rest[end] == '\\' {
			escaped = true
			end++
		}
	}
	if !escaped {
		return string(rest[1:end]), rest[end+1:]
	}
	var s string
	json.Unmarshal(rest[:end+1], &s) // is sound
	return s, rest[end+1:]
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

// kind is what a value is that begins with c.
func kind(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}
