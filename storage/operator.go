package storage

import "time"

//go:generate go tool msgp -file operator.go -o operator_gen.go -tests=false -io=false
//msgp:timezone utc
//msgp:limit arrays:65536 maps:65536 marshal:true

// Operator is an entry of the library of access points: how the subscribers of one network reach it. It is kept under
// the network's MCC and MNC.
type Operator struct {
	Code    string    `msg:"co"` // MCC and MNC, 5 or 6 digits: "26201"
	Name    string    `msg:"n"`
	Country string    `msg:"cy,omitempty"` // ISO 3166, two letters
	Source  string    `msg:"so,omitempty"` // where it is from: "api", "csv", "json", "apns-conf", "serviceproviders"
	Changed time.Time `msg:"ch"`

	Settings AccessPoints `msg:"s"`
}

// AccessPoints are settings that a device needs to reach a network.
type AccessPoints struct {
	NAPs    []NAP   `msg:"na,omitempty"` // the first one is the usual one
	Proxies []Proxy `msg:"px,omitempty"`
	// Validity has the phone told which network the access points are for, so that it drops them with another SIM. Not all
	// clients know it.
	Validity bool `msg:"v,omitempty"`
}

// NAP is a network access point: an APN and the login it asks for. Lengths are in characters.
type NAP struct {
	ID       string   `msg:"i"`           // 1 to 16
	Name     string   `msg:"n"`           // shown to the user
	APN      string   `msg:"a"`           // 1 to 100
	Auth     string   `msg:"t,omitempty"` // "PAP", "CHAP"; empty where the operator asks for no login
	User     string   `msg:"u,omitempty"`
	Secret   string   `msg:"p,omitempty"` // of the login. A secret
	Internet bool     `msg:"in,omitempty"`
	DNS      []string `msg:"d,omitempty"` // addresses; empty where the network tells them
	// MMSC is the URL of the operator's MMS centre, which is reached through this access point; MMSProxy is the ID of
	// the proxy on the way, if any.
	MMSC     string `msg:"mc,omitempty"`
	MMSProxy string `msg:"mp,omitempty"`
}

// Proxy is a proxy on the way from an access point.
type Proxy struct {
	ID        string   `msg:"i"` // 1 to 16 characters
	Name      string   `msg:"n,omitempty"`
	Addr      string   `msg:"a"` // host name or IPv4 address
	Port      int      `msg:"po"`
	Service   string   `msg:"s,omitempty"` // what it speaks: "CO-WSP", "CL-WSP", ...; HTTP where empty
	NAP       string   `msg:"na"`          // ID of the access point that leads to it
	StartPage string   `msg:"sp,omitempty"`
	Domains   []string `msg:"dm,omitempty"` // the hosts that it is for; empty for all
	User      string   `msg:"u,omitempty"`
	Secret    string   `msg:"p,omitempty"` // of a login by HTTP basic. A secret
}
