package recipe

import "fmt"

// ValueError is a value that a template needs and that is not there, or that can not stand where it is to go.
type ValueError struct {
	Recipe string
	File   string
	Line   int    // of the template
	Value  string // its name
	Msg    string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("%s:%d: recipe %s: value %s %s", e.File, e.Line, e.Recipe, e.Value, e.Msg)
}

// givers says which values an order of a kind gives, by what stands before the dot.
var givers = map[string][]string{
	Install:     {"package"},
	Update:      {"package"},
	Firmware:    {"package"},
	Remove:      {"software"},
	Activate:    {"software"},
	Deactivate:  {"software"},
	AccessPoint: {"apn"},
	Account:     {"account"},
	Certificate: {"certificate"},
	Alert:       {"alert"},
}

// given is a value that an order gives: its name and what it is.
type given struct {
	name, what string
}

// givens are the names that templates may use, by what they belong to. Besides these each "extra.NAME" may be used: the
// order gives it.
var givens = map[string][]given{
	"package": { // install, update, firmware
		{"package.id", "the identifier the device knows it by: SCOMO's ID, the UID of a SIS file, the ProductCode of an MSI"},
		{"package.name", "for people"},
		{"package.version", "what the device will report"},
		{"package.url", "where the device fetches it"},
		{"package.descriptor", "where its OMA DL descriptor is; known of a package that the gateway serves"},
		{"package.type", "media type"},
		{"package.size", "bytes, decimal"},
		{"package.sha256", "digest in hex"},
		{"package.description", "for people"},
		{"package.params", "what the installer is told: SCOMO's InstallParams, the command line of an MSI"},
	},
	"software": { // remove, activate, deactivate
		{"software.id", "the identifier the device knows it by"},
		{"software.version", "the one that is meant, where there are several"},
	},
	"apn": { // access-point
		{"apn.id", "name of the node, a few characters"},
		{"apn.name", "for people"},
		{"apn.address", "the APN"},
		{"apn.user", "login"},
		{"apn.password", "login"},
		{"apn.auth", "PAP or CHAP"},
		{"apn.proxy", "address of the proxy"},
		{"apn.port", "port of the proxy"},
		{"apn.homepage", "start page"},
		{"apn.dns", "address of the name server"},
	},
	"account": { // account: the changed DM account
		{"account.serverid", "our name"},
		{"account.name", "for people"},
		{"account.url", "where we are reached"},
		{"account.port", "port of the address, decimal"},
		{"account.user", "login of the device"},
		{"account.password", "secret of the device"},
	},
	"certificate": {
		{"certificate.base64", "the certificate in DER, base64"},
		{"certificate.sha1", "its thumbprint, hex in capitals"},
		{"certificate.name", "for people"},
	},
	"alert": {
		{"alert.code", "1100 to 1104"},
		{"alert.options", "MINDT=10&MAXDT=60, ..."},
		{"alert.text", "what the user reads"},
		{"alert.choices", "one a line, of 1103 and 1104"},
	},
}
