package operatorlist

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// Operator is an entry of the library as JSON has it.
type Operator struct {
	Code     string     `json:"code"` // MCC and MNC
	Name     string     `json:"name"`
	Country  string     `json:"country,omitempty"`
	NAPs     []NAP      `json:"naps"`
	Proxies  []Proxy    `json:"proxies,omitempty"`
	Validity bool       `json:"validity,omitempty"`
	Source   string     `json:"source,omitempty"`  // told only
	Changed  *time.Time `json:"changed,omitempty"` // told only
}

// NAP is a network access point.
type NAP struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	APN       string   `json:"apn"`
	Auth      string   `json:"auth,omitempty"` // PAP, CHAP
	User      string   `json:"user,omitempty"`
	Secret    *string  `json:"secret,omitempty"`     // never told; where it is not given the one that is kept stays
	HasSecret bool     `json:"has_secret,omitempty"` // told only
	Internet  bool     `json:"internet,omitempty"`
	DNS       []string `json:"dns,omitempty"`
	MMSC      string   `json:"mmsc,omitempty"`
	MMSProxy  string   `json:"mms_proxy,omitempty"`
}

// Proxy is a proxy behind an access point.
type Proxy struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	Addr      string   `json:"addr"`
	Port      int      `json:"port"`
	Service   string   `json:"service,omitempty"`
	NAP       string   `json:"nap"`
	StartPage string   `json:"start_page,omitempty"`
	Domains   []string `json:"domains,omitempty"`
	User      string   `json:"user,omitempty"`
	Secret    *string  `json:"secret,omitempty"`
	HasSecret bool     `json:"has_secret,omitempty"`
}

// Record is o as it is kept. A secret that is not given is the one that old has for the same login; old may be nil.
func (o *Operator) Record(old *storage.AccessPoints) *storage.Operator {
	r := &storage.Operator{Code: o.Code, Name: o.Name, Country: o.Country}
	r.Settings = *Settings(o.NAPs, o.Proxies, o.Validity, old)
	return r
}

// Settings are access points as they are kept. old is as in Record.
func Settings(naps []NAP, proxies []Proxy, validity bool, old *storage.AccessPoints) *storage.AccessPoints {
	if old == nil {
		old = &storage.AccessPoints{}
	}
	s := &storage.AccessPoints{Validity: validity}
	for i := range naps {
		n := &naps[i]
		kept := storage.NAP{
			ID: n.ID, Name: n.Name, APN: n.APN, Auth: n.Auth, User: n.User, Internet: n.Internet, DNS: n.DNS, MMSC: n.MMSC,
			MMSProxy: n.MMSProxy,
		}
		for _, was := range old.NAPs {
			if was.ID == n.ID && was.User == n.User && n.Auth != "" {
				kept.Secret = was.Secret
			}
		}
		if n.Secret != nil {
			kept.Secret = *n.Secret
		}
		s.NAPs = append(s.NAPs, kept)
	}
	for i := range proxies {
		p := &proxies[i]
		kept := storage.Proxy{
			ID: p.ID, Name: p.Name, Addr: p.Addr, Port: p.Port, Service: p.Service, NAP: p.NAP, StartPage: p.StartPage,
			Domains: p.Domains, User: p.User,
		}
		for _, was := range old.Proxies {
			if was.ID == p.ID && was.User == p.User && p.User != "" {
				kept.Secret = was.Secret
			}
		}
		if p.Secret != nil {
			kept.Secret = *p.Secret
		}
		s.Proxies = append(s.Proxies, kept)
	}
	return s
}

// Show is an entry without its secrets.
func Show(o *storage.Operator) Operator {
	changed := o.Changed
	out := Operator{
		Code: o.Code, Name: o.Name, Country: o.Country, NAPs: []NAP{}, Validity: o.Settings.Validity, Source: o.Source,
		Changed: &changed,
	}
	for i := range o.Settings.NAPs {
		n := &o.Settings.NAPs[i]
		out.NAPs = append(out.NAPs, NAP{
			ID: n.ID, Name: n.Name, APN: n.APN, Auth: n.Auth, User: n.User, HasSecret: n.Secret != "", Internet: n.Internet,
			DNS: n.DNS, MMSC: n.MMSC, MMSProxy: n.MMSProxy,
		})
	}
	for i := range o.Settings.Proxies {
		p := &o.Settings.Proxies[i]
		out.Proxies = append(out.Proxies, Proxy{
			ID: p.ID, Name: p.Name, Addr: p.Addr, Port: p.Port, Service: p.Service, NAP: p.NAP, StartPage: p.StartPage,
			Domains: p.Domains, User: p.User, HasSecret: p.Secret != "",
		})
	}
	return out
}

// JSON reads entries of the library, as Operator has them: in an array, or one after the other.
func JSON(file io.Reader) iter.Seq2[fleet.OperatorLine, error] {
	return func(yield func(fleet.OperatorLine, error) bool) {
		j := &jsonFile{r: file}
		j.dec = json.NewDecoder(j)
		err := j.all(func(l fleet.OperatorLine) bool { return yield(l, nil) })
		var syntax *json.SyntaxError
		switch {
		case err == nil || err == errStop:
			return
		case j.broken != nil:
			err = j.broken
		case errors.As(err, &syntax):
			err = &FileError{j.damage(), syntax.Error()}
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			err = &FileError{j.lineAt(j.read), "the JSON text ends too early"}
		default: // the decoder's own, of a bracket that is none
			err = &FileError{j.lineAt(j.dec.InputOffset()), strings.TrimPrefix(err.Error(), "json: ")}
		}
		yield(fleet.OperatorLine{}, err)
	}
}

// jsonFile is a text that knows where its lines end.
type jsonFile struct {
	dec    *json.Decoder
	r      io.Reader
	read   int64
	breaks []int64 // offsets of line breaks behind the last that was asked for
	before uint64  // line breaks in front of that
	broken error   // why the reader below broke off
}

// Read implements io.Reader.
func (j *jsonFile) Read(p []byte) (int, error) {
	n, err := j.r.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			j.breaks = append(j.breaks, j.read+int64(i))
		}
	}
	j.read += int64(n)
	if err != nil && err != io.EOF {
		j.broken = err
	}
	return n, err
}

// lineAt is the line of an offset; offsets have to ascend.
func (j *jsonFile) lineAt(offset int64) uint64 {
	n := 0
	for n < len(j.breaks) && j.breaks[n] < offset {
		n++
	}
	j.before += uint64(n)
	j.breaks = append(j.breaks[:0], j.breaks[n:]...)
	return j.before + 1
}

// damage is the line in which the value is damaged that the decoder did not get over.
func (j *jsonFile) damage() uint64 {
	line := j.lineAt(j.dec.InputOffset())
	rest, _ := io.ReadAll(j.dec.Buffered()) // is in memory
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal(rest, new(json.RawMessage)), &syntax) {
		line += uint64(bytes.Count(rest[:syntax.Offset-1], []byte{'\n'}))
	}
	return line
}

// all reads to the end of the text.
func (j *jsonFile) all(yield func(fleet.OperatorLine) bool) error {
	array, err := j.begins('[')
	if err != nil {
		return err
	}
	if array {
		j.dec.Token() // the bracket
	}
	for n := 0; !array || j.dec.More(); n++ {
		var text json.RawMessage
		err := j.dec.Decode(&text)
		if err == io.EOF && n > 0 && !array {
			return nil
		}
		if err != nil {
			return err
		}
		number := j.lineAt(j.dec.InputOffset()) - uint64(bytes.Count(text, []byte{'\n'}))
		if !yield(entry(text, number)) {
			return errStop
		}
	}
	if _, err := j.dec.Token(); err != nil { // the closing bracket
		return err
	}
	if _, err := j.dec.Token(); err != io.EOF {
		return errors.New("text behind the array")
	}
	return nil
}

// begins says whether the text begins with c, blanks aside.
func (j *jsonFile) begins(c byte) (bool, error) {
	r := bufio.NewReader(j.r)
	j.r = r
	for n := 1; ; n++ {
		text, err := r.Peek(n)
		if len(text) < n {
			return false, err
		}
		if last := text[n-1]; last != ' ' && last != '\t' && last != '\r' && last != '\n' {
			return last == c, nil
		}
	}
}

// entry reads one entry, whose text is sound.
func entry(text []byte, number uint64) fleet.OperatorLine {
	var o Operator
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			err = fmt.Errorf("%s: %s in place of %s", kind.Field, kind.Value, kind.Type)
		} else {
			err = errors.New(strings.TrimPrefix(err.Error(), "json: "))
		}
		return fleet.OperatorLine{Number: number, Err: err}
	}
	return fleet.OperatorLine{Number: number, Operator: *o.Record(nil)}
}
