// Package fleet holds the rules: what an order means, what a device is asked, what follows from an answer, from a
// delivery report or from a deadline. It knows no HTTP, no SyncML and no AT.
//
// Fleet is what the other parts of the gateway ask: the API places orders with it, the modem pool takes its pushes from
// it (modempool.Queue), the sessions take their tasks from it (sessions.Planner).
//
// A campaign (campaign*.go) is an order for many devices. Its engine places one order for each of them as its pace allows,
// and learns from the feed what has become of it.
package fleet

import (
	"crypto/rand"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// Options are the fleet's settings. The zero value of a field stands for its default.
type Options struct {
	Address     string        // absolute URL of the device endpoint, written into bootstrap documents; required
	ServerID    string        // our name at the devices, at most 23 ASCII characters (trap 9); "dmgate"
	AccountName string        // what the phone shows for the account; "Device management"
	SendWithin  time.Duration // an order that no modem has taken by then has failed; 7 days
	AnswerIn    time.Duration // a bootstrap that no session followed by then counts as unanswered; 72 h
	// Destination tells what is known of where a number is; of no number where it is nil.
	Destination func(msisdn string) Destination
	// Throughput is how many modems there are, and how many segments a minute they send all together, as observed or
	// else as configured; 0 where there is no telling, as where it is nil. Plans reckon with it.
	Throughput  func() (modems int, segments float64)
	Tickets     Tickets
	Certificate CertificateOptions
	// File opens a file that was uploaded, by its SHA-256; nil where there are none.
	File      func(sha256 string) (io.ReadCloser, error)
	Bar       Bar         // when a recipe is not tried any more on a model; see its fields
	Models    int         // of which something is learnt; 50 000
	Rules     *recipe.Set // what can be done on devices, and how; those of the product
	TreeNodes int         // nodes of a device's tree that discovery asks for, at most; 512
	// CheckEvery is how long a device is trusted to have the firmware it had. After it a session that has something to do
	// asks for that as well; 24 h.
	CheckEvery time.Duration
	Clock      func() time.Time
	Log        *zap.Logger
}

// productRules are the rules that are embedded. That they can be read is seen to by their own tests.
var productRules = sync.OnceValue(func() *recipe.Set {
	set, err := recipe.Load("")
	if err != nil {
		panic(err)
	}
	return set
})

// WithDefaults fills the zero fields of o.
func (o Options) WithDefaults() Options {
	if o.ServerID == "" {
		o.ServerID = "dmgate"
	}
	if o.AccountName == "" {
		o.AccountName = "Device management"
	}
	if o.SendWithin == 0 {
		o.SendWithin = 7 * 24 * time.Hour
	}
	if o.AnswerIn == 0 {
		o.AnswerIn = 72 * time.Hour
	}
	if o.Destination == nil {
		o.Destination = func(string) Destination { return Destination{} }
	}
	if o.Throughput == nil {
		o.Throughput = func() (int, float64) { return 0, 0 }
	}
	o.Tickets = o.Tickets.withDefaults()
	o.Certificate = o.Certificate.withDefaults()
	if o.Bar.Failures == 0 {
		o.Bar.Failures = 3
	}
	if o.Bar.Share == 0 {
		o.Bar.Share = 0.7
	}
	if o.Models == 0 {
		o.Models = 50_000
	}
	if o.Rules == nil {
		o.Rules = productRules()
	}
	if o.TreeNodes == 0 {
		o.TreeNodes = 512
	}
	if o.CheckEvery == 0 {
		o.CheckEvery = 24 * time.Hour
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o
}

// Destination is what is known of where a number is, by what it begins with. Empty fields are not known.
type Destination struct {
	Prefix   string // the longest one that is configured
	Operator string
	Zone     string // IANA name
}

// Fleet carries out orders on devices. It is safe for concurrent use and keeps nothing that is not in the store, except
// the overview and what speeds campaigns up.
type Fleet struct {
	opt       Options
	store     storage.Store
	lastID    atomic.Uint64
	overview  overview
	campaigns campaigns
	models    models
	placing   [64]sync.Mutex // of the jobs of a device: so that of two orders for the same the second sees the first
	pushed    func()         // told of new pushes
}

// New returns a fleet over store. pushed is called when there is new work for the modem pool; it must not block.
func New(o Options, store storage.Store, pushed func()) *Fleet {
	f := &Fleet{opt: o.WithDefaults(), store: store, pushed: pushed}
	f.campaigns.init()
	f.models.rules = ruleVersions(f.opt.Rules)
	return f
}

// newID is a number for a task or a push: ascending, unique in this process, and above those of earlier ones, also
// where the clock stands behind theirs (see Load).
func (f *Fleet) newID(now time.Time) uint64 {
	for {
		last := f.lastID.Load()
		id := max(last+1, uint64(now.UnixMicro()))
		if f.lastID.CompareAndSwap(last, id) {
			return id
		}
	}
}

// NewName is 16 characters with 80 random bits.
func NewName() string { return strings.ToLower(rand.Text()[:16]) }

// Random fills b from the CSPRNG.
func Random(b []byte) { rand.Read(b) } // crypto/rand does not fail
