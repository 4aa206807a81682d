package recipe

import (
	"path"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// needs reads a list of needs.
func (r *reader) needs(n ast.Node, what string) []need {
	var all []need
	for _, item := range r.list(n, what) {
		if n, ok := r.need(item, what); ok {
			all = append(all, n)
		}
	}
	return all
}

const needKeys = "name, at, type, is, where, optional or absent"

func (r *reader) need(item ast.Node, what string) (n need, ok bool) {
	n.place = r.at(item)
	keys := r.pairs(item, what)
	for _, p := range keys {
		switch p.key {
		case "name":
			n.name = r.text(p.value, "name")
			if !isName(n.name) || strings.Contains(n.name, ".") {
				r.add(r.at(p.value), "name: %s is no name: want letters, digits and _", quoted(n.name))
			}
		case "at":
			for _, a := range r.items(p.value) {
				n.at = append(n.at, r.pattern(a, "at"))
			}
		case "type":
			for _, g := range r.texts(p.value, "type") {
				n.types = append(n.types, r.glob(g, p))
			}
		case "is":
			for _, v := range r.items(p.value) {
				n.is = append(n.is, r.template(v, "is"))
			}
		case "where":
			n.where = r.tests(p.value)
		case "optional":
			n.optional = r.bool(p.value, "optional")
		case "absent":
			n.absent = r.bool(p.value, "absent")
		default:
			r.unknownKey(p, what, needKeys)
		}
	}
	switch {
	case len(keys) == 0:
		return n, false
	case len(n.at) == 0:
		r.add(n.place, "%s: no path: want at", what)
		return n, false
	case n.absent && n.optional:
		r.add(n.place, "%s: what is optional can not have to be absent", what)
	case n.absent && n.name != "":
		r.add(n.place, "%s: what has to be absent binds no name", what)
	case n.optional && n.name == "":
		r.add(n.place, "%s: what is optional and binds no name changes nothing", what)
	}
	return n, true
}

// tests reads the leaves of a node and what they may be.
func (r *reader) tests(n ast.Node) []test {
	var all []test
	for _, p := range r.pairs(n, "where") {
		t := test{leaf: p.key}
		for _, part := range strings.Split(p.key, "/") {
			if !isSegment(part) || strings.ContainsAny(part, "*[{}") {
				r.add(p.at, "where: %s is no name of a leaf", quoted(p.key))
				break
			}
		}
		for _, v := range r.items(p.value) {
			t.is = append(t.is, r.template(v, "where"))
		}
		all = append(all, t)
	}
	return all
}

// glob is a pattern over one value, in lower case.
func (r *reader) glob(text string, p pair) string {
	if _, err := path.Match(text, ""); err != nil {
		r.add(p.at, "%s: %s is no pattern: want * for anything, ? for a character, [ab] for one of these", p.key, quoted(text))
	}
	return strings.ToLower(text)
}
