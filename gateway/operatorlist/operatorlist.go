// Package operatorlist reads a library of access points from a file, entry by entry, in memory that does not grow with
// it: CSV and JSON of our own, and two XML formats that public lists come in, Android's apns-conf and the
// serviceproviders of mobile-broadband-provider-info.
//
// An entry that can not be read is one bad entry: it comes as a fleet.OperatorLine with its number and an Err, and the
// next one follows. What is wrong with the whole comes as an error, after which nothing follows: a reader that breaks
// off, or a *FileError.
package operatorlist

import (
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// Reader reads a file of one format.
type Reader func(io.Reader) iter.Seq2[fleet.OperatorLine, error]

// FileError is a file that is no list as a whole, or none from a line on.
type FileError struct {
	Line   uint64 // from 1
	Reason string
}

func (e *FileError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// IDs of what comes without one. Those of one network are told apart when they come together.
const (
	anyNAP      = "N1"
	anyProxy    = "P1"
	anyMMSProxy = "P2"
)

// row is an access point as lists write it, with all values as text.
type row struct {
	mcc, mnc, operator, country string
	name, apn                   string
	auth, user, secret          string
	internet                    bool
	dns                         []string
	proxy, port                 string
	mmsc, mmsProxy, mmsPort     string
}

// line makes an entry of r.
func (r *row) line(number uint64) fleet.OperatorLine {
	l := fleet.OperatorLine{Number: number}
	l.Operator, l.Err = r.entry()
	return l
}

func (r *row) entry() (o storage.Operator, err error) {
	if len(r.mnc) == 1 {
		r.mnc = "0" + r.mnc
	}
	n := storage.NAP{
		ID: anyNAP, Name: r.name, APN: r.apn, Auth: strings.ToUpper(r.auth), User: r.user, Secret: r.secret,
		Internet: r.internet, DNS: r.dns, MMSC: r.mmsc,
	}
	if n.Name == "" {
		n.Name = r.apn
	}
	if n.Auth == "" && n.User+n.Secret != "" {
		n.Auth = "PAP" // what phones take where it is not said
	}
	o = storage.Operator{Code: r.mcc + r.mnc, Name: r.operator, Country: strings.ToUpper(r.country)}
	if r.proxy != "" {
		p, err := proxy(anyProxy, r.proxy, r.port)
		if err != nil {
			return o, fmt.Errorf("proxy: %w", err)
		}
		o.Settings.Proxies = append(o.Settings.Proxies, p)
	}
	if r.mmsProxy != "" && r.mmsc != "" {
		p, err := proxy(anyMMSProxy, r.mmsProxy, r.mmsPort)
		if err != nil {
			return o, fmt.Errorf("proxy of MMS: %w", err)
		}
		n.MMSProxy = p.ID
		o.Settings.Proxies = append(o.Settings.Proxies, p)
	}
	o.Settings.NAPs = []storage.NAP{n}
	return o, nil
}

// proxy reads a proxy whose port may stand with its address. Lists write IPv4 addresses with leading zeros.
func proxy(id, addr, port string) (storage.Proxy, error) {
	addr = strings.TrimSuffix(strings.TrimPrefix(addr, "http://"), "/")
	if host, with, ok := strings.Cut(addr, ":"); ok {
		addr = host
		if port == "" {
			port = with
		}
	}
	if port == "" {
		port = "80"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return storage.Proxy{}, fmt.Errorf("%.20q is no port", port)
	}
	return storage.Proxy{ID: id, Addr: plainIPv4(addr), Port: int(n), NAP: anyNAP}, nil
}

// plainIPv4 is an IPv4 address without leading zeros: "010.000.000.001" is 10.0.0.1. Anything else stays as it is.
func plainIPv4(addr string) string {
	parts := strings.Split(addr, ".")
	if len(parts) != 4 {
		return addr
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || len(p) > 3 {
			return addr
		}
		parts[i] = strconv.FormatUint(n, 10)
	}
	return strings.Join(parts, ".")
}
