package operatorlist

import (
	"encoding/xml"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"dmgate/gateway/fleet"
)

// XML reads Android's apns-conf (root apns) or a serviceproviders file of mobile-broadband-provider-info, and tells
// them apart by their root.
func XML(file io.Reader) iter.Seq2[fleet.OperatorLine, error] {
	return func(yield func(fleet.OperatorLine, error) bool) {
		x := &xmlFile{Decoder: xml.NewDecoder(file)}
		x.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // what is no UTF-8 is refused
		root, err := x.start(0)
		switch {
		case err == io.EOF:
			err = &FileError{1, "no XML element"}
		case err != nil:
		case root.Name.Local == "apns":
			err = x.apns(yield)
		case root.Name.Local == "serviceproviders":
			err = x.countries(yield)
		default:
			err = &FileError{x.line(), "root " + quoted(root.Name.Local) + ", want apns or serviceproviders"}
		}
		if err == nil {
			err = x.rest()
		}
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			err = &FileError{uint64(syntax.Line), syntax.Msg}
		}
		if err != nil && err != errStop {
			yield(fleet.OperatorLine{}, err)
		}
	}
}

func quoted(name string) string { return `"` + name[:min(len(name), 40)] + `"` }

// errStop is a reader that wants no more.
var errStop = errors.New("operatorlist: no more is wanted")

type xmlFile struct {
	*xml.Decoder
	depth int // of the element that was opened last
}

func (x *xmlFile) line() uint64 {
	line, _ := x.InputPos()
	return uint64(line)
}

// start goes on to the next element that begins below a depth; io.EOF where that depth ends before.
func (x *xmlFile) start(depth int) (xml.StartElement, error) {
	for {
		token, err := x.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			x.depth++
			return t.Copy(), nil
		case xml.EndElement:
			if x.depth--; x.depth < depth {
				return xml.StartElement{}, io.EOF
			}
		}
	}
}

// rest reads to the end of the file, which has to be whole.
func (x *xmlFile) rest() error {
	for {
		if _, err := x.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// text is what stands in the element that was opened last, which ends with it.
func (x *xmlFile) text() (string, error) {
	var text strings.Builder
	for depth := x.depth; ; {
		token, err := x.Token()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.CharData:
			if x.depth == depth {
				text.Write(t)
			}
		case xml.StartElement:
			x.depth++
		case xml.EndElement:
			if x.depth--; x.depth < depth {
				return strings.TrimSpace(text.String()), nil
			}
		}
	}
}

func attr(e *xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// apns reads apns-conf: an empty element for each access point, with all of it in attributes.
func (x *xmlFile) apns(yield func(fleet.OperatorLine, error) bool) error {
	for {
		e, err := x.start(1)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e.Name.Local != "apn" {
			continue
		}
		r := apn(&e)
		if !yield(r.line(x.line()), nil) {
			return errStop
		}
	}
}

// authTypes are Android's, by number: none, PAP, CHAP, either.
var authTypes = map[string]string{"1": "PAP", "2": "CHAP", "3": "PAP"}

func apn(e *xml.StartElement) *row {
	r := &row{
		mcc: attr(e, "mcc"), mnc: attr(e, "mnc"), operator: attr(e, "carrier"), name: attr(e, "carrier"), apn: attr(e, "apn"),
		auth: authTypes[attr(e, "authtype")], user: attr(e, "user"), secret: attr(e, "password"), proxy: attr(e, "proxy"),
		port: attr(e, "port"), mmsc: attr(e, "mmsc"), mmsProxy: attr(e, "mmsproxy"), mmsPort: attr(e, "mmsport"),
	}
	types := strings.FieldsFunc(attr(e, "type"), func(c rune) bool { return c == ',' || c == ' ' })
	r.internet = len(types) == 0 || slices.Contains(types, "default") || slices.Contains(types, "*")
	if len(types) > 0 && !slices.Contains(types, "mms") && !slices.Contains(types, "*") {
		r.mmsc = ""
	}
	return r
}

// countries reads serviceproviders: country/provider/gsm with its networks, then its access points, each for all of
// them.
func (x *xmlFile) countries(yield func(fleet.OperatorLine, error) bool) error {
	var country, provider string
	var networks [][2]string
	for {
		e, err := x.start(1)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case e.Name.Local == "country" && x.depth == 2:
			country = attr(&e, "code")
		case e.Name.Local == "provider" && x.depth == 3:
			provider, networks = "", nil
		case e.Name.Local == "name" && x.depth == 4 && provider == "": // others follow in other languages
			if provider, err = x.text(); err != nil {
				return err
			}
		case e.Name.Local == "network-id" && x.depth == 5:
			networks = append(networks, [2]string{attr(&e, "mcc"), attr(&e, "mnc")})
		case e.Name.Local == "apn" && x.depth == 5:
			at := x.line()
			r, err := x.accessPoint(attr(&e, "value"))
			if err != nil {
				return err
			}
			r.operator, r.country = provider, country
			for _, network := range networks {
				of := *r
				of.mcc, of.mnc = network[0], network[1]
				if !yield(of.line(at), nil) {
					return errStop
				}
			}
		}
	}
}

// accessPoint reads what stands in an element apn.
func (x *xmlFile) accessPoint(address string) (*row, error) {
	r := &row{apn: address, internet: true}
	for depth := x.depth; ; {
		e, err := x.start(depth)
		if err == io.EOF {
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		switch e.Name.Local {
		case "usage":
			usage := attr(&e, "type")
			r.internet = usage == "" || strings.Contains(usage, "internet")
			continue
		case "authentication":
			if r.auth = attr(&e, "method"); r.auth != "pap" && r.auth != "chap" {
				r.auth = ""
			}
			continue
		}
		field := map[string]*string{
			"name": &r.name, "username": &r.user, "password": &r.secret, "gateway": &r.proxy, "mmsc": &r.mmsc,
			"mmsproxy": &r.mmsProxy,
		}[e.Name.Local]
		if field == nil && e.Name.Local != "dns" {
			continue
		}
		text, err := x.text()
		switch {
		case err != nil:
			return nil, err
		case field == nil:
			r.dns = append(r.dns, plainIPv4(text))
		case *field == "":
			*field = text
		}
	}
}
