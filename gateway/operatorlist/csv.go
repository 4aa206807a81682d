package operatorlist

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"dmgate/gateway/fleet"
)

// columns are what a line may have, one access point each. "code" stands for "mcc" and "mnc".
var columns = map[string]func(*row, string) error{
	"code":      func(r *row, v string) error { return r.code(v) },
	"mcc":       func(r *row, v string) error { r.mcc = v; return nil },
	"mnc":       func(r *row, v string) error { r.mnc = v; return nil },
	"operator":  func(r *row, v string) error { r.operator = v; return nil },
	"country":   func(r *row, v string) error { r.country = v; return nil },
	"name":      func(r *row, v string) error { r.name = v; return nil },
	"apn":       func(r *row, v string) error { r.apn = v; return nil },
	"auth":      func(r *row, v string) error { r.auth = v; return nil },
	"user":      func(r *row, v string) error { r.user = v; return nil },
	"secret":    func(r *row, v string) error { r.secret = v; return nil },
	"internet":  func(r *row, v string) error { return r.yes(v) },
	"dns":       func(r *row, v string) error { r.dns = strings.Fields(v); return nil },
	"proxy":     func(r *row, v string) error { r.proxy = v; return nil },
	"port":      func(r *row, v string) error { r.port = v; return nil },
	"mmsc":      func(r *row, v string) error { r.mmsc = v; return nil },
	"mms_proxy": func(r *row, v string) error { r.mmsProxy = v; return nil },
	"mms_port":  func(r *row, v string) error { r.mmsPort = v; return nil },
}

const columnNames = "code (or mcc and mnc), operator, country, name, apn, auth, user, secret, internet, dns, proxy, " +
	"port, mmsc, mms_proxy, mms_port"

func (r *row) code(v string) error {
	const lenMCC = 3
	if v != "" && len(v) <= lenMCC {
		return fmt.Errorf("code: %.20q is no MCC and MNC of 5 or 6 digits", v)
	}
	if v != "" {
		r.mcc, r.mnc = v[:lenMCC], v[lenMCC:]
	}
	return nil
}

func (r *row) yes(v string) error {
	switch strings.ToLower(v) {
	case "", "no", "false", "0":
		r.internet = false
	case "yes", "true", "1":
		r.internet = true
	default:
		return fmt.Errorf("internet: %.20q is not yes or no", v)
	}
	return nil
}

// CSV reads a file whose first line names its columns, in any order and case, with an access point on each other line.
// Fields are separated by commas, or by semicolons where the header shows that (RFC 4180). Without a column "internet"
// an access point is one for the Internet, unless it has an MMS centre.
func CSV(file io.Reader) iter.Seq2[fleet.OperatorLine, error] {
	return func(yield func(fleet.OperatorLine, error) bool) {
		r, names, err := header(file)
		if err != nil {
			yield(fleet.OperatorLine{}, err)
			return
		}
		for {
			values, err := r.Read()
			if err == io.EOF {
				return
			}
			var bad *csv.ParseError
			if err != nil && !errors.As(err, &bad) {
				yield(fleet.OperatorLine{}, err)
				return
			}
			l := fleet.OperatorLine{}
			if bad != nil {
				l.Number, l.Err = uint64(bad.Line), badLine(bad, len(values), len(names))
			} else {
				number, _ := r.FieldPos(0)
				l = line(names, values, uint64(number))
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}

// badLine says what is wrong with a line, without what stands in it.
func badLine(bad *csv.ParseError, has, want int) error {
	if errors.Is(bad, csv.ErrFieldCount) {
		return fmt.Errorf("%d fields, want %d as in the header", has, want)
	}
	return fmt.Errorf("column %d: %w", bad.Column, bad.Err)
}

// header reads the names of the columns.
func header(file io.Reader) (*csv.Reader, []string, error) {
	b := bufio.NewReader(file)
	if mark, _ := b.Peek(3); string(mark) == "\xEF\xBB\xBF" {
		b.Discard(len(mark))
	}
	r := csv.NewReader(b)
	r.ReuseRecord, r.TrimLeadingSpace = true, true
	first, _ := b.Peek(b.Size())
	text, _, _ := strings.Cut(string(first), "\n")
	if i := strings.IndexAny(text, ",;"); i >= 0 && text[i] == ';' {
		r.Comma = ';'
	}
	values, err := r.Read()
	var bad *csv.ParseError
	switch {
	case err == io.EOF:
		return nil, nil, &FileError{1, "the file is empty, want a header line with some of " + columnNames}
	case errors.As(err, &bad):
		return nil, nil, &FileError{uint64(bad.Line), badLine(bad, 0, 0).Error()}
	case err != nil:
		return nil, nil, err
	}
	number, _ := r.FieldPos(0)
	names := make([]string, len(values))
	has := map[string]bool{}
	for i, v := range values {
		names[i] = strings.ToLower(strings.TrimSpace(v))
		if columns[names[i]] == nil {
			reason := fmt.Sprintf("unknown column %.40q; want some of %s", names[i], columnNames)
			return nil, nil, &FileError{uint64(number), reason}
		}
		if has[names[i]] {
			return nil, nil, &FileError{uint64(number), fmt.Sprintf("column %q is there twice", names[i])}
		}
		has[names[i]] = true
	}
	if !has["apn"] || !has["code"] && !(has["mcc"] && has["mnc"]) {
		return nil, nil, &FileError{uint64(number), `want the columns "apn" and "code", or "mcc" and "mnc" in its place`}
	}
	return r, names, nil
}

func line(names, values []string, number uint64) fleet.OperatorLine {
	var r row
	said := false
	for i, v := range values {
		if !utf8.ValidString(v) {
			return fleet.OperatorLine{Number: number, Err: fmt.Errorf("%s: no UTF-8", names[i])}
		}
		if err := columns[names[i]](&r, strings.TrimSpace(v)); err != nil {
			return fleet.OperatorLine{Number: number, Err: err}
		}
		said = said || names[i] == "internet"
	}
	if !said {
		r.internet = r.mmsc == ""
	}
	return r.line(number)
}
