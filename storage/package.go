package storage

import "time"

//go:generate go tool msgp -file package.go -o package_gen.go -tests=false -io=false
//msgp:timezone utc
//msgp:limit arrays:65536 maps:65536 marshal:true

// Names of documents begin with what they are.
const (
	PackageDocument = "package/" // and the package's ID
	TicketDocument  = "ticket/"  // and the ticket's
)

// Package is one version of some software, as one kind of device can take it: the document PackageDocument + ID.
// Versions of the same software, and its builds for different devices, share a Name.
type Package struct {
	ID      string    `msg:"id"`
	Name    string    `msg:"n"` // what a job asks for: "client"
	Version string    `msg:"v"` // "2.1.0"; as the device's inventory tells it, so that it can be verified
	Title   string    `msg:"t,omitempty"`
	Client  bool      `msg:"c,omitempty"` // it is upstream's own client: what "install client" installs
	Enabled bool      `msg:"e"`           // only an enabled package is chosen
	Created time.Time `msg:"cr"`
	// Removed is when upstream has deleted it, where jobs still use it: it is chosen no more, and goes when they have
	// come to their end. Zero for none.
	Removed time.Time `msg:"rm"`

	Rules []PackageRule `msg:"r,omitempty"` // all must hold for a device that it is chosen for
	// Capability is what the device has to be able to do; empty for what the job does. Recipes, by glob, are those that
	// can carry it; empty for any. Neither matters to a link.
	Capability string   `msg:"ca,omitempty"`
	Recipes    []string `msg:"re,omitempty"`

	File File   `msg:"f"`           // its bytes, kept here or at URL
	URL  string `msg:"u,omitempty"` // where the device fetches it; empty where it is served by the gateway

	Software string            `msg:"s,omitempty"`  // what the device's inventory calls it: ID, UID, ProductID, bundle
	Params   string            `msg:"p,omitempty"`  // install parameters
	Values   map[string]string `msg:"va,omitempty"` // what the templates of a recipe may use besides
}

// File is what is served: the bytes and how they are called.
type File struct {
	SHA256   string    `msg:"h,omitempty"` // in hex, lower case; empty where unknown
	Size     int64     `msg:"s,omitempty"` // bytes; 0 where unknown
	Type     string    `msg:"t,omitempty"` // content type: "application/vnd.symbian.install"
	Name     string    `msg:"n,omitempty"` // what the device may save it as
	Uploaded time.Time `msg:"u"`           // when the gateway got it; zero where it has not
}

// PackageRule says of which devices a fact has to be what. With neither Is nor a bound the fact only has to be known.
type PackageRule struct {
	Fact   string   `msg:"f"`           // a node below DevInfo or DevDetail: "Man", "Mod", "FwV", "DevTyp"
	Is     []string `msg:"i,omitempty"` // globs, in any case; one has to match
	Not    []string `msg:"n,omitempty"` // globs; none may match
	From   string   `msg:"a,omitempty"` // a version: not below it
	Before string   `msg:"b,omitempty"` // a version: below it
}

// Available says whether a device can fetch p.
func (p *Package) Available() bool { return p.URL != "" || !p.File.Uploaded.IsZero() }

// Ticket is a link to one file for one device: the document TicketDocument + ID. The token in the link is kept nowhere.
type Ticket struct {
	ID       string    `msg:"id"` // the hash of the token
	Device   DeviceID  `msg:"d"`
	Job      string    `msg:"j,omitempty"` // empty where it belongs to none
	Package  string    `msg:"p,omitempty"` // the package's ID
	Purpose  string    `msg:"pu"`          // "dm", "link", "certificate"
	Created  time.Time `msg:"c"`
	Expires  time.Time `msg:"e"`
	Uses     int       `msg:"u"`            // whole downloads that are allowed
	Requests int       `msg:"rq"`           // requests that are allowed
	Closed   string    `msg:"cl,omitempty"` // why it serves no more, where it was ended before

	// What is served, as it was when the ticket was made: a package that is changed later changes no ticket.
	File     File   `msg:"f"`
	Body     []byte `msg:"b,omitempty"` // the bytes, where they are few and in no file
	Title    string `msg:"t,omitempty"`
	Software string `msg:"so,omitempty"` // what the device's inventory is to call it
	Version  string `msg:"v,omitempty"`
	Params   string `msg:"pa,omitempty"` // install parameters, for a descriptor

	Opened  time.Time `msg:"op"`           // first opened
	Fetched time.Time `msg:"fe"`           // first downloaded whole
	Used    int       `msg:"us,omitempty"` // whole downloads
	Asked   int       `msg:"as,omitempty"` // requests, as far as they were counted when this was last written
	Sent    int64     `msg:"st,omitempty"` // bytes, the same
	Status  string    `msg:"ss,omitempty"` // what the device has said of the installation, "900 Success" (OMA DL)
	Reports int       `msg:"rp,omitempty"` // how often it has
}
