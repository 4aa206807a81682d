package recipe

import (
	"slices"
	"strings"
)

// checker looks at a recipe as a whole: what can not work on any device.
type checker struct {
	*faults
	r     *Recipe
	bound map[string]bool  // names that needs have bound; true for those of a certain one
	late  map[string]bool  // of these, those that depend on the order
	used  map[string]bool  // names that somebody uses
	opt   map[string]place // optional needs
}

// check says what is wrong with r, and finds where its needs begin to depend on the order.
func (r *Recipe) check(f *faults) {
	c := checker{
		faults: f, r: r, bound: make(map[string]bool), late: make(map[string]bool), used: make(map[string]bool),
		opt: make(map[string]place),
	}
	c.needs()
	for i := range r.stages {
		c.stage(&r.stages[i])
	}
	for i := range r.verify {
		c.uses(&r.verify[i])
		if n := &r.verify[i]; n.name != "" {
			c.bind(n)
		}
	}
	for name, at := range c.opt {
		if !c.used[name] {
			c.add(at, "nobody uses {%s}: what is optional changes nothing then", name)
		}
	}
	if r.takes.Payload == "inline" && r.Sends() && !r.sendsPayload() {
		c.add(r.place, "recipe %s takes its payload inline and sends none: want payload: true in send", r.Name)
	}
	if r.takes.Payload != "inline" && r.sendsPayload() {
		c.add(r.place, "recipe %s sends a payload: want takes with payload: inline", r.Name)
	}
}

func (r *Recipe) sendsPayload() bool {
	return slices.ContainsFunc(r.stages, func(st stage) bool {
		return slices.ContainsFunc(st.send, func(s sending) bool { return s.payload })
	})
}

// needs checks the needs in their order.
func (c *checker) needs() {
	r := c.r
	r.late = len(r.needs)
	for i := range r.needs {
		n := &r.needs[i]
		depends := n.needsValues() || c.onLate(n)
		if depends && r.late == len(r.needs) {
			r.late = i
		}
		if !depends && i > r.late {
			c.add(n.place, "needs: it is not looked at before there is an order, and does not depend on one: "+
				"move it up, before line %d", r.needs[r.late].line)
		}
		c.uses(n)
		for a := range n.at {
			for b := range n.at[:a] {
				if n.at[a].text == n.at[b].text {
					c.add(n.at[a].place, "at: %s is never reached: it is there already", n.at[a].text)
				}
			}
		}
		if n.name != "" {
			c.late[n.name] = depends
			c.bind(n)
		}
	}
}

// bind notes that a need binds its name.
func (c *checker) bind(n *need) {
	if _, has := c.bound[n.name]; has {
		c.add(n.place, "name: %s is bound already", n.name)
	}
	c.bound[n.name] = !n.optional
	if n.optional {
		c.opt[n.name] = n.place
	}
}

// onLate says whether a need begins at a node that depends on the order.
func (c *checker) onLate(n *need) bool {
	for i := range n.at {
		if c.late[n.at[i].base] {
			return true
		}
	}
	return false
}

// uses checks the names and values that a need uses.
func (c *checker) uses(n *need) {
	for i := range n.at {
		p := &n.at[i]
		if p.base != "" {
			c.name(p.base, p.place)
		}
		for k := range p.segs {
			if p.segs[k].fill != nil {
				c.template(p.segs[k].fill)
			}
		}
	}
	for i := range n.is {
		c.template(&n.is[i])
	}
	for i := range n.where {
		for k := range n.where[i].is {
			c.template(&n.where[i].is[k])
		}
	}
}

func (c *checker) stage(st *stage) {
	doing := 0
	for i := range st.send {
		s := &st.send[i]
		for _, t := range []*template{&s.uri, &s.source, &s.data, &s.typ, &s.probe, &s.code} {
			c.template(t)
		}
		for k := range s.items {
			c.template(&s.items[k])
		}
		if s.when != "" {
			c.value(s.when, s.whenAt)
		}
		if s.kind == "Exec" {
			doing++
		}
		if doing == 2 && s.kind == "Exec" {
			c.add(s.place, "send: a second exec in one part: its turn may come before the first has ended; want it under then")
		}
	}
	if st.poll != nil {
		c.template(&st.poll.get)
	}
	if len(st.send) == 0 {
		switch {
		case st.poll != nil || len(st.result) > 0:
			c.add(st.place, "recipe %s sends nothing, so there is no answer to it", c.r.Name)
		case len(c.r.verify) > 0:
			c.add(st.place, "recipe %s sends nothing, so there is nothing to verify", c.r.Name)
		}
	}
	if doing > 0 && len(st.result) == 0 {
		c.add(st.place, "recipe %s has an exec: want answers with result, as it may come late", c.r.Name)
	}
}

// template checks the names and values in t.
func (c *checker) template(t *template) {
	for i := range t.parts {
		switch p := &t.parts[i]; p.kind {
		case node:
			c.name(p.text, t.place)
			if p.optional || p.defaults {
				c.add(t.place, "{%s}: what is optional of a node is said where it is bound", p.text)
			}
		case value:
			c.value(p.text, t.place)
		}
	}
}

func (c *checker) name(name string, at place) {
	if _, has := c.bound[name]; !has {
		c.add(at, "nothing binds {%s}%s", name, c.near(name))
	}
	c.used[name] = true
}

// near helps where a name is written with other capitals, or is that of a value without its dot.
func (c *checker) near(name string) string {
	for have := range c.bound {
		if strings.EqualFold(have, name) {
			return ": there is {" + have + "}"
		}
	}
	return ""
}

// value checks that a job that the recipe is for gives a value.
func (c *checker) value(name string, at place) {
	head, _, _ := strings.Cut(name, ".")
	if head == "extra" {
		return
	}
	list, ok := givens[head]
	switch {
	case !ok:
		c.add(at, "nobody gives {%s}: want one of package, software, apn, account, certificate, alert or extra before "+
			"the dot", name)
	case !slices.ContainsFunc(list, func(g given) bool { return g.name == name }):
		names := make([]string, len(list))
		for i := range list {
			names[i] = list[i].name
		}
		c.add(at, "nobody gives {%s}: there is %s", name, oneOf(names))
	default:
		for _, does := range c.r.Does {
			if !slices.Contains(givers[does], head) {
				c.add(at, "nobody gives {%s} to what a recipe does that is for %s", name, does)
				return
			}
		}
	}
}
