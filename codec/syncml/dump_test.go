package syncml

import (
	"fmt"
	"strings"
	"testing"
)

// dump lists what m holds, a line a field, so that two messages can be compared and the difference read.
func dump(m *Message) string {
	var d dumper
	d.field("Version", m.Style.Version)
	h := &m.Header
	d.text("VerDTD", h.VerDTD)
	d.text("VerProto", h.VerProto)
	d.text("SessionID", h.SessionID)
	d.text("MsgID", h.MsgID)
	d.location("Target", &h.Target)
	d.location("Source", &h.Source)
	d.text("RespURI", h.RespURI)
	d.field("NoResp", h.NoResp)
	d.cred(&h.Cred)
	d.meta("Meta", &h.Meta)
	for i := range m.Commands {
		d.command(&m.Commands[i])
	}
	d.indent = ""
	d.field("Final", m.Final)
	return d.String()
}

type dumper struct {
	strings.Builder
	indent string
}

func (d *dumper) field(name string, v any) { fmt.Fprintf(d, "%s%s %v\n", d.indent, name, v) }

func (d *dumper) text(name string, v []byte) {
	if len(v) > 0 {
		d.field(name, fmt.Sprintf("%q", v))
	}
}

func (d *dumper) count(name string, n int) {
	if n != 0 {
		d.field(name, n)
	}
}

func (d *dumper) location(name string, l *Location) {
	d.text(name+".URI", l.URI)
	d.text(name+".Name", l.Name)
}

func (d *dumper) cred(c *Cred) {
	d.meta("Cred.Meta", &c.Meta)
	d.text("Cred.Data", c.Data)
}

func (d *dumper) meta(name string, m *Meta) {
	d.text(name+".Format", m.Format)
	d.text(name+".Type", m.Type)
	d.text(name+".Mark", m.Mark)
	d.text(name+".NextNonce", m.NextNonce)
	d.text(name+".Version", m.Version)
	d.count(name+".Size", m.Size)
	d.count(name+".MaxMsgSize", m.MaxMsgSize)
	d.count(name+".MaxObjSize", m.MaxObjSize)
}

func (d *dumper) command(c *Command) {
	d.indent = strings.Repeat("  ", int(c.Depth))
	d.field(c.Kind.String(), "")
	d.indent += "  "
	if c.NoResp {
		d.field("NoResp", true)
	}
	d.text("CmdID", c.CmdID)
	d.text("MsgRef", c.MsgRef)
	d.text("CmdRef", c.CmdRef)
	d.text("Cmd", c.Cmd)
	d.text("TargetRef", c.TargetRef)
	d.text("SourceRef", c.SourceRef)
	for _, source := range []bool{false, true} {
		for _, r := range c.MoreRefs {
			if r.Source == source {
				d.text(fmt.Sprintf("Ref source=%v", source), r.URI)
			}
		}
	}
	d.text("Correlator", c.Correlator)
	d.text("Data", c.Data)
	d.meta("Meta", &c.Meta)
	d.cred(&c.Cred)
	d.meta("Chal", &c.Chal)
	for i := range c.Items {
		it := &c.Items[i]
		d.field("Item", "")
		d.location("  Target", &it.Target)
		d.location("  Source", &it.Source)
		d.meta("  Meta", &it.Meta)
		if it.Data != nil {
			d.field("  Data", fmt.Sprintf("%q markup %v", it.Data, it.Markup))
		}
		if it.MoreData {
			d.field("  MoreData", true)
		}
	}
}

// same fails the test unless got and want hold the same.
func same(t testing.TB, got, want *Message) {
	t.Helper()
	if g, w := dump(got), dump(want); g != w {
		t.Fatalf("%s", difference(g, w))
	}
}

// difference shows where two listings part.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(g)-1 && i < len(w)-1 && g[i] == w[i] {
		i++
	}
	from := max(0, i-4)
	return fmt.Sprintf("line %d:\n%s\ngot  %s\nwant %s", i, strings.Join(g[from:i], "\n"), g[i], w[i])
}
