package modempool

import (
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"
)

// Options says which modems there are and how they are to be used. Zero values stand for the defaults.
type Options struct {
	Ports  []Port
	Limits Limits // until others are set, see Pool.SetLimits

	CommandTimeout time.Duration // for the answer to a command; 5 s
	PromptTimeout  time.Duration // for the prompt before a PDU; 10 s
	SendTimeout    time.Duration // for the network to take an SMS; 60 s. Then it is in doubt
	RegisterPoll   time.Duration // between questions for the network; 2 s
	HealthPoll     time.Duration // between questions to an idle modem; 30 s

	ReportWindow time.Duration // for delivery reports; 50 h, over the SMS's validity. Without them a push stays sent
	DoubtWindow  time.Duration // for the delivery report of a push in doubt, before it is sent once more; 5 min
	Resends      int           // times a push is sent once more, each for a new doubt; 3. Negative: never

	Attempts   int           // times a push is handed to a modem until it fails; 5
	RetrySoon  time.Duration // before the second attempt, doubled with each, after a passing error; 15 s
	RetryLater time.Duration // the same where the device or the network is away; 10 min
	RetryMax   time.Duration // bound of both; 6 h

	ReopenMin  time.Duration // a modem at fault is tried again after this, doubled each time; 1 s
	ReopenMax  time.Duration // bound of it; 2 min. A port that is not there is looked for every 500 ms at the latest
	FaultAfter int           // pushes in a row that fail on one modem until it is taken for faulty; 5

	Poll  time.Duration // between looks at the queue without Wake, for pushes whose time has come; 1 s
	Drain time.Duration // for a push under way when Run is to end; 30 s

	// Open opens a port; OpenPort. Closing what it returns must end a Read under way.
	Open func(path string) (io.ReadWriteCloser, error)

	Log *zap.Logger // none. Never sees a PIN, a PDU or a number
}

// Times a push is handed on after modem faults without one of its attempts being counted.
const freeFaults = 3

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// complete checks o and puts the defaults in.
func (o *Options) complete() error {
	seen := make(map[string]bool, len(o.Ports))
	for _, port := range o.Ports {
		if err := port.Check(); err != nil {
			return fmt.Errorf("modempool: port %q: %w", port.Path, err)
		}
		if seen[port.Path] {
			return fmt.Errorf("modempool: port %s is named twice", port.Path)
		}
		seen[port.Path] = true
	}
	def(&o.CommandTimeout, 5*time.Second)
	def(&o.PromptTimeout, 10*time.Second)
	def(&o.SendTimeout, time.Minute)
	def(&o.RegisterPoll, 2*time.Second)
	def(&o.HealthPoll, 30*time.Second)
	def(&o.ReportWindow, 50*time.Hour)
	def(&o.DoubtWindow, 5*time.Minute)
	def(&o.Resends, 3)
	def(&o.Attempts, 5)
	def(&o.RetrySoon, 15*time.Second)
	def(&o.RetryLater, 10*time.Minute)
	def(&o.RetryMax, 6*time.Hour)
	def(&o.ReopenMin, time.Second)
	def(&o.ReopenMax, 2*time.Minute)
	def(&o.FaultAfter, 5)
	def(&o.Poll, time.Second)
	def(&o.Drain, 30*time.Second)
	if o.Open == nil {
		o.Open = OpenPort
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return nil
}

// validPIN keeps what is no PIN off the wire: a quote in it would be a command of its own.
func validPIN(pin string) bool {
	for _, c := range []byte(pin) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return pin == "" || len(pin) >= 4 && len(pin) <= 8
}

// backoff is the wait before attempt+1.
func (o *Options) backoff(class Class, attempt int) time.Duration {
	d := o.RetrySoon
	if class == RetryLater {
		d = o.RetryLater
	}
	for i := 1; i < attempt && d < o.RetryMax; i++ {
		d *= 2
	}
	return min(d, o.RetryMax)
}
