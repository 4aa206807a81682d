package targetlist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"

	"dmgate/gateway/fleet"
)

// CSV reads a file whose first line names its columns, in any order and case. Fields are separated by commas, or by
// semicolons where the header shows that, and may stand in quotes, in which a quote is doubled (RFC 4180). No value of
// ours has a line break, so a quote that is still open at the end of its line makes that a bad line, and not the rest.
func CSV(r io.Reader) iter.Seq2[fleet.Line, error] {
	return func(yield func(fleet.Line, error) bool) {
		l := newLines(r)
		h, err := readHeader(l)
		if err != nil {
			yield(fleet.Line{}, err)
			return
		}
		l.each(yield, h.line)
	}
}

// header is what the first line says of the others.
type header struct {
	separator byte
	columns   []int    // index in fields
	values    [][]byte // of one line, reused
}

func readHeader(l *lines) (*header, error) {
	text, bad, err := l.next()
	if err == io.EOF {
		return nil, &HeaderError{1, "the file is empty, want a header line with some of " + fieldNames}
	}
	if err != nil {
		return nil, err
	}
	h := &header{separator: ','}
	var names [][]byte
	if bad == nil {
		if i := bytes.IndexAny(text, ",;"); i >= 0 {
			h.separator = text[i]
		}
		names, bad = split(nil, text, h.separator)
	}
	if bad == nil {
		h.columns, bad = columns(names)
	}
	if bad != nil {
		return nil, &HeaderError{l.number, bad.Error()}
	}
	return h, nil
}

// name is what can be repeated in a message: a first line that is no header may hold PINs.
var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 _.-]{0,40}$`)

// columns are the fields that the columns of a header stand for.
func columns(names [][]byte) ([]int, error) {
	var found []int
	var unknown []string
	for _, n := range names {
		i := slices.Index(fields[:], strings.ToLower(string(n)))
		switch {
		case i < 0 && !name.Match(n):
			return nil, errors.New("no header line: want the names of the columns, some of " + fieldNames)
		case i < 0:
			unknown = append(unknown, fmt.Sprintf("%q", n))
		case slices.Contains(found, i):
			return nil, fmt.Errorf("column %q is there twice", fields[i])
		default:
			found = append(found, i)
		}
	}
	if unknown != nil {
		return nil, fmt.Errorf("unknown columns %s; want some of %s", strings.Join(unknown, ", "), fieldNames)
	}
	if !slices.Contains(found, 0) && !slices.Contains(found, 4) {
		return nil, errors.New(`neither a column "msisdn" nor a column "device"`)
	}
	return found, nil
}

func (h *header) line(text []byte) (line fleet.Line, err error) {
	if h.values, err = split(h.values[:0], text, h.separator); err != nil {
		return line, err
	}
	if len(h.values) != len(h.columns) {
		return line, fmt.Errorf("%d fields, want %d as in the header", len(h.values), len(h.columns))
	}
	for i, v := range h.values {
		set(&line, h.columns[i], string(v))
	}
	return line, nil
}

// split appends the fields of a line to dst, without their quotes and the blanks around them. They may be views into
// text, which changes.
func split(dst [][]byte, text []byte, separator byte) ([][]byte, error) {
	for at := 0; ; {
		for at < len(text) && blank(text[at]) {
			at++
		}
		if at < len(text) && text[at] == '"' {
			value, next, err := quoted(text, at, separator)
			if err != nil {
				return dst, err
			}
			dst, at = append(dst, value), next
		} else {
			end := len(text)
			if i := bytes.IndexByte(text[at:], separator); i >= 0 {
				end = at + i
			}
			if i := bytes.IndexByte(text[at:end], '"'); i >= 0 {
				return dst, columnError(at+i, "a quote within a field that does not begin with one")
			}
			dst, at = append(dst, bytes.TrimRight(text[at:end], " \t")), end
		}
		if at == len(text) {
			return dst, nil
		}
		at++ // the separator
	}
}

// quoted reads the field whose opening quote is at an offset of text. next is where its separator is, or the line's end.
func quoted(text []byte, at int, separator byte) (value []byte, next int, err error) {
	value = text[at+1 : at+1] // it grows slower than it is read
	for i := at + 1; i < len(text); i++ {
		if text[i] != '"' {
			value = append(value, text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			value = append(value, '"')
			i++
			continue
		}
		for i++; i < len(text) && text[i] != separator; i++ {
			if !blank(text[i]) {
				return nil, 0, columnError(i, "text behind the closing quote")
			}
		}
		return value, i, nil
	}
	return nil, 0, columnError(at, "the quote is not closed on this line")
}

func blank(c byte) bool { return c == ' ' || c == '\t' }
