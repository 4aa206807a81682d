package certcheck

import (
	"context"
	"crypto/x509"
	"os"
	"time"
)

// Options say what is to be checked.
type Options struct {
	Address string            // https URL that devices are told
	File    string            // the chain that the server gives, in PEM; where it is empty the server is asked
	Root    *x509.Certificate // the one that devices are given; nil for none
	Within  time.Duration     // for asking; 10 s
}

// Report is what a check has come to.
type Report struct {
	Address  string    `json:"address"`
	Source   string    `json:"source"` // "file", "server"
	Checked  time.Time `json:"checked"`
	Problem  string    `json:"problem,omitempty"` // why nothing could be checked
	Chain    []string  `json:"chain"`             // the certificates, by subject
	Warnings []Warning `json:"warnings"`
}

// Run checks. It never takes longer than it may, and never fails: what kept it from looking is the report's Problem.
func Run(ctx context.Context, o Options, now time.Time) Report {
	r := Report{Address: o.Address, Source: "server", Checked: now, Chain: []string{}, Warnings: []Warning{}}
	if o.Within == 0 {
		o.Within = 10 * time.Second
	}
	served, err := o.served(ctx, &r)
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	for _, c := range served.Chain {
		r.Chain = append(r.Chain, subject(c))
	}
	r.Warnings = append(r.Warnings, Check(o.Address, served, o.Root, now)...)
	return r
}

func (o *Options) served(ctx context.Context, r *Report) (*Served, error) {
	if o.File == "" {
		ctx, cancel := context.WithTimeout(ctx, o.Within)
		defer cancel()
		return Fetch(ctx, o.Address)
	}
	r.Source = "file"
	if _, _, err := hostPort(o.Address); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(o.File)
	if err != nil {
		return nil, err
	}
	chain, err := Read(text)
	return &Served{Chain: chain}, err
}
