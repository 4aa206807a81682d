// Package targetlist reads the targets of a campaign from a file, line by line, in memory that does not grow with it.
//
// A file is CSV or NDJSON in UTF-8, with or without a byte order mark; lines end with LF or CRLF, empty ones are passed
// over. What a target has: "msisdn", "imsi", "dev_id", "pin", and "device", the ID of one that is known. Whether the
// values make sense is not asked here.
//
// A line that can not be read is one bad line: it comes as a Line with its number and an Err, and the next one follows.
// What is wrong with the whole comes as an error, after which nothing follows: a reader that breaks off, whose last line
// may be half of one and is left out, or a *HeaderError.
package targetlist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// MaxLine is how many bytes a line may have, its end aside.
const MaxLine = 4 << 10

// HeaderError is a file that is no list of targets as a whole.
type HeaderError struct {
	Line   uint64 // from 1
	Reason string
}

func (e *HeaderError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// fields are what a target may have, by the name that columns and keys have.
var fields = [...]string{"msisdn", "imsi", "dev_id", "pin", "device"}

// set puts a value into the field with the given index in fields.
func set(line *fleet.Line, field int, value string) {
	switch field {
	case 0:
		line.MSISDN = value
	case 1:
		line.IMSI = value
	case 2:
		line.DevID = value
	case 3:
		line.PIN = value
	case 4:
		line.Device = storage.DeviceID(value)
	}
}

// lines cuts a text into lines.
type lines struct {
	r      *bufio.Reader
	number uint64 // of the last line
}

func newLines(r io.Reader) *lines {
	return &lines{r: bufio.NewReaderSize(r, MaxLine+len("\r\n"))}
}

var (
	errLong  = fmt.Errorf("longer than %d bytes", MaxLine)
	errUTF16 = errors.New("the file is UTF-16, want UTF-8")
)

// next is the next line that is not empty, without its end. The slice is good until the next call. bad says what is wrong
// with this line, err that there is none.
func (l *lines) next() (line []byte, bad, err error) {
	for {
		line, bad, err = l.read()
		if err != nil || bad != nil {
			return nil, bad, err
		}
		if l.number == 1 {
			if bytes.HasPrefix(line, []byte("\xFF\xFE")) || bytes.HasPrefix(line, []byte("\xFE\xFF")) {
				return nil, nil, &HeaderError{l.number, errUTF16.Error()}
			}
			line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
		}
		if len(bytes.Trim(line, " \t")) > 0 {
			return line, notUTF8(line), nil
		}
	}
}

// read is the next line, whatever is in it.
func (l *lines) read() (line []byte, bad, err error) {
	line, err = l.r.ReadSlice('\n')
	if err == nil || err == io.EOF && len(line) > 0 {
		l.number++
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
		if len(line) > MaxLine {
			return nil, errLong, nil
		}
		return line, nil, nil
	}
	if err != bufio.ErrBufferFull {
		return nil, nil, err // what there is of a line is not known to be all of it
	}
	l.number++
	for err == bufio.ErrBufferFull {
		_, err = l.r.ReadSlice('\n')
	}
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	return nil, errLong, nil
}

// notUTF8 says where line is no UTF-8; nil where it is.
func notUTF8(line []byte) error {
	if utf8.Valid(line) {
		return nil
	}
	at := 0
	for at < len(line) {
		r, size := utf8.DecodeRune(line[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return columnError(at, "no UTF-8")
}

// columnError is what is wrong at an offset of a line.
func columnError(at int, what string) error { return fmt.Errorf("column %d: %s", at+1, what) }

// each reads line by line with parse, which must keep nothing of what it is given.
func (l *lines) each(yield func(fleet.Line, error) bool, parse func([]byte) (fleet.Line, error)) {
	for {
		text, bad, err := l.next()
		if err == io.EOF {
			return
		}
		if err != nil {
			yield(fleet.Line{}, err)
			return
		}
		var line fleet.Line
		if bad == nil {
			line, bad = parse(text)
		}
		if bad != nil {
			line = fleet.Line{Err: bad}
		}
		line.Number = l.number
		if !yield(line, nil) {
			return
		}
	}
}

// fieldNames are the names of all fields, for a message.
var fieldNames = strings.Join(fields[:], ", ")
