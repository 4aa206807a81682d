package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"slices"
	"time"

	"dmgate/codec/syncml"
	"dmgate/codec/syncml/baseline"
)

// codecCmd measures codec/syncml.
type codecCmd struct {
	JSON  string        `name:"json" placeholder:"FILE" help:"Write the figures to FILE."`
	Time  time.Duration `default:"1s" help:"How long each measurement takes in a run."`
	Count int           `default:"5" help:"How many runs the medians are of."`
}

func (c *codecCmd) Validate() error {
	if c.Time <= 0 || c.Count < 1 {
		return fmt.Errorf("--time and --count must be more than nothing")
	}
	return nil
}

func (c *codecCmd) Run() error {
	groups, err := contests()
	if err != nil {
		return err
	}
	p := &progress{total: c.Count * len(groups)}
	for run := range c.Count {
		for _, g := range groups {
			p.step(fmt.Sprintf("run %d of %d: %s", run+1, c.Count, g[0].name))
			var subjects []*subject
			for _, k := range g {
				subjects = append(subjects, k.subjects...)
			}
			measure(subjects, c.Time)
		}
	}
	p.end()
	all := slices.Concat(groups...)
	r := &report{Machine: thisMachine(), Options: map[string]any{"time": c.Time.String(), "count": c.Count}}
	codecFigures(r, all)
	m := &r.Machine
	fmt.Printf("%s, %d cores, %s/%s, %s: medians of %d runs of %v\n\n",
		m.CPU, m.Cores, m.OS, m.Arch, m.Go, c.Count, c.Time)
	if err := codecTables(os.Stdout, all); err != nil {
		return err
	}
	return r.write(c.JSON)
}

// contest is one message, and the ways to read and write it that are measured in turns.
type contest struct {
	*message
	subjects []*subject
	fresh    map[string]float64 // bytes that reading and writing allocate where nothing is reused, by subject
}

// Names of subjects. Ours are named "wbxml.read".
const (
	floorSubject = "wbxml.floor" // a walk over the bytes that builds nothing
	stdlibRead   = "encoding_xml.read"
	stdlibWrite  = "encoding_xml.write"
)

var encodings = []syncml.Encoding{syncml.WBXML, syncml.XML}

// contests are all that is measured: the corpus next to floor and encoding/xml, and what tells how cost grows. Those of
// a group take turns.
func contests() (groups [][]*contest, err error) {
	ms, err := corpus()
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		k := &contest{message: m}
		k.enter(floorSubject, func() { baseline.WalkWBXML(m.wbxml) })
		k.enter("xml.floor", func() { baseline.WalkXML(m.xml) })
		if err := k.enterOurs(nil); err != nil {
			return nil, err
		}
		if err := k.enterStdlib(); err != nil {
			return nil, err
		}
		groups = append(groups, []*contest{k})
	}
	for _, ms := range [][]*message{scale(), {large()}} {
		var group []*contest
		for _, m := range ms {
			k := &contest{message: m}
			if err := k.enterOurs(limits); err != nil {
				return nil, err
			}
			group = append(group, k)
		}
		groups = append(groups, group)
	}
	return groups, nil
}

func (k *contest) enter(name string, op func()) {
	s := &subject{name: name, op: op}
	s.warm()
	s.weigh()
	k.subjects = append(k.subjects, s)
}

// enterOurs enters reading and writing by codec/syncml, with a reused message and a reused buffer as in the gateway.
func (k *contest) enterOurs(lim *syncml.Limits) error {
	k.fresh = make(map[string]float64)
	for _, enc := range encodings {
		doc := k.doc(enc)
		m, err := checked(doc, enc, lim)
		if err != nil {
			return fmt.Errorf("%s in %v: %w", k.name, enc, err)
		}
		var in syncml.Message
		var out []byte
		for _, o := range []struct {
			name        string
			warm, fresh func()
		}{
			{"read", func() { must(in.Read(doc, enc, lim)) }, func() { must(new(syncml.Message).Read(doc, enc, lim)) }},
			{"write", func() { out = m.Append(out[:0], enc) }, func() { m.Append(nil, enc) }},
		} {
			name := enc.String() + "." + o.name
			k.enter(name, o.warm)
			fresh := subject{op: o.fresh}
			fresh.warm()
			fresh.weigh()
			k.fresh[name] = fresh.bytes
		}
	}
	return nil
}

// checked reads doc and makes sure that nothing of it is lost when it is written and read again.
func checked(doc []byte, enc syncml.Encoding, lim *syncml.Limits) (*syncml.Message, error) {
	var m, again syncml.Message
	if err := m.Read(doc, enc, lim); err != nil {
		return nil, err
	}
	if err := again.Read(m.Append(nil, enc), enc, lim); err != nil {
		return nil, err
	}
	if !bytes.Equal(m.Append(nil, syncml.XML), again.Append(nil, syncml.XML)) {
		return nil, fmt.Errorf("written and read again it is another message")
	}
	return &m, nil
}

// enterStdlib enters encoding/xml, which knows XML only.
func (k *contest) enterStdlib() error {
	var m baseline.SyncML
	if err := m.Read(k.xml); err != nil {
		return err
	}
	var out bytes.Buffer
	k.enter(stdlibRead, func() {
		var in baseline.SyncML
		must(xml.Unmarshal(k.xml, &in))
	})
	k.enter(stdlibWrite, func() {
		out.Reset()
		must(xml.NewEncoder(&out).Encode(&m))
	})
	return nil
}

// subject is the one called name; nil where the contest has none.
func (k *contest) subject(name string) *subject {
	for _, s := range k.subjects {
		if s.name == name {
			return s
		}
	}
	return nil
}

// must stops the program: what was read a moment ago can be read.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
