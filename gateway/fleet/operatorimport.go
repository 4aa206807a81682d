package fleet

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"dmgate/storage"
)

// OperatorLine is an entry of a list of access points, or a part of one: what a list says of one network in several
// places comes together.
type OperatorLine struct {
	Number   uint64 // of the line in the file, from 1
	Operator storage.Operator
	Err      error // the entry could not be read, with the reason, which may hold no secrets
}

// ImportedOperators is what has become of a list of access points.
type ImportedOperators struct {
	Operators    int // entries of the library that were written
	AccessPoints int
	Refused      int       // lines
	Problems     []Problem // the first maxProblems of those refused
}

// ImportOperators takes a list of access points into the library, streaming. An entry takes the place of the one that
// the library had for its network; what the list says of a network in several places is joined. A line that a device
// would refuse is refused, and the rest goes on. An error of lines ends it, and so does one of the store: what came
// before is taken.
func (f *Fleet) ImportOperators(source string, lines iter.Seq2[OperatorLine, error]) (ImportedOperators, error) {
	i := &operatorImport{Fleet: f, source: source, written: map[string]bool{}}
	for line, err := range lines {
		if err == nil {
			err = i.take(&line)
		}
		if err != nil {
			return i.done, errors.Join(err, i.flush())
		}
	}
	return i.done, i.flush()
}

// operatorImport is an import that is going on. Lines of one network mostly follow each other: they are written
// together.
type operatorImport struct {
	*Fleet
	source  string
	written map[string]bool // by code
	pending *storage.Operator
	last    uint64 // line
	done    ImportedOperators
}

func (i *operatorImport) take(line *OperatorLine) error {
	o := &line.Operator
	err := line.Err
	if err == nil && !operatorCode.MatchString(o.Code) {
		err = fmt.Errorf("code: %.20q is no MCC and MNC of 5 or 6 digits", o.Code)
	}
	if err == nil {
		err = checkOperator(o)
	}
	if err != nil {
		i.refuse(line.Number, err)
		return nil
	}
	if i.pending != nil && i.pending.Code != o.Code {
		if err := i.flush(); err != nil {
			return err
		}
	}
	if i.pending == nil {
		i.pending = &storage.Operator{Code: o.Code, Name: o.Name, Country: o.Country, Source: i.source}
		i.pending.Settings.Validity = o.Settings.Validity
	}
	i.last = line.Number
	if _, fits := join(&i.pending.Settings, &o.Settings); !fits {
		i.refuse(line.Number, errTooMany)
	}
	return nil
}

var errTooMany = fmt.Errorf("more than %d access points or proxies of one network", maxNAPs)

func (i *operatorImport) refuse(line uint64, why error) {
	i.done.Refused++
	if len(i.done.Problems) < maxProblems {
		reason := why.Error()
		i.done.Problems = append(i.done.Problems, Problem{Line: line, Reason: reason[:min(len(reason), maxReason)]})
	}
}

// flush writes what is pending.
func (i *operatorImport) flush() error {
	p := i.pending
	if p == nil {
		return nil
	}
	i.pending = nil
	added, fits := 0, true
	err := i.PutOperator(p.Code, func(old *storage.Operator) (*storage.Operator, error) {
		if old == nil || !i.written[p.Code] {
			added = len(p.Settings.NAPs)
			return p, nil
		}
		added, fits = join(&old.Settings, &p.Settings)
		return old, nil
	})
	if err != nil {
		return err
	}
	if i.done.AccessPoints += added; !fits {
		i.refuse(i.last, errTooMany)
	}
	if !i.written[p.Code] {
		i.written[p.Code] = true
		i.done.Operators++
	}
	return nil
}

// join adds settings to s, of which nothing changes where it has no room for them. IDs that are taken are changed. What
// is there already is not added again.
func join(s, more *storage.AccessPoints) (added int, fits bool) {
	naps, proxies := slices.Clone(s.NAPs), slices.Clone(s.Proxies)
	for _, n := range more.NAPs {
		var own []storage.Proxy
		for _, p := range more.Proxies {
			if p.NAP == n.ID {
				own = append(own, p)
			}
		}
		if has(s, &n, own) {
			continue
		}
		taken := func(id string) bool {
			return slices.ContainsFunc(naps, func(o storage.NAP) bool { return o.ID == id })
		}
		n.ID = free(n.ID, "N", taken)
		for _, p := range own {
			was := p.ID
			p.ID = free(p.ID, "P", func(id string) bool {
				return slices.ContainsFunc(proxies, func(o storage.Proxy) bool { return o.ID == id })
			})
			if n.MMSProxy == was {
				n.MMSProxy = p.ID
			}
			p.NAP = n.ID
			proxies = append(proxies, p)
		}
		naps = append(naps, n)
		added++
	}
	if len(naps) > maxNAPs || len(proxies) > maxNAPs {
		return 0, false
	}
	s.NAPs, s.Proxies = naps, proxies
	return added, true
}

// has says whether s has an access point already, with all its proxies, under whatever ID.
func has(s *storage.AccessPoints, n *storage.NAP, proxies []storage.Proxy) bool {
	return slices.ContainsFunc(s.NAPs, func(o storage.NAP) bool {
		same := o.APN == n.APN && o.Auth == n.Auth && o.User == n.User && o.Secret == n.Secret && o.MMSC == n.MMSC &&
			o.Internet == n.Internet && slices.Equal(o.DNS, n.DNS)
		for _, p := range proxies {
			same = same && slices.ContainsFunc(s.Proxies, func(q storage.Proxy) bool {
				return q.NAP == o.ID && q.Addr == p.Addr && q.Port == p.Port
			})
		}
		return same
	})
}

// free is an ID that is not taken: the one that is wanted, or else a letter and a number.
func free(id, letter string, taken func(string) bool) string {
	for n := 1; taken(id); n++ {
		id = fmt.Sprint(letter, n)
	}
	return id
}
