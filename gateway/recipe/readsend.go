package recipe

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// kinds are the commands by the key that makes them, whose value is the URI; that of alert is its code.
var kinds = map[string]string{
	"put": "Put", "add": "Add", "replace": "Replace", "delete": "Delete", "exec": "Exec", "get": "Get", "copy": "Copy",
	"alert": "Alert",
}

const (
	sendWords = "put, add, replace, delete, exec, get, copy or alert"
	sendKeys  = sendWords + ", and data, xml, payload, format, type, from, probe, idle, items, if or optional"
)

func (r *reader) sending(n ast.Node) (s sending, ok bool) {
	s.place = r.at(n)
	format := ""
	keys := r.pairs(n, "send")
	for _, p := range keys {
		if kind, is := kinds[p.key]; is {
			if s.kind != "" {
				r.add(p.at, "send: one entry is one command: %s and %s are two", strings.ToLower(s.kind), p.key)
				continue
			}
			s.kind = kind
			if kind == "Alert" {
				s.code = r.template(p.value, "alert")
			} else {
				s.uri = r.uri(p.value, p.key)
			}
			continue
		}
		switch p.key {
		case "data":
			s.data, s.hasData = r.template(p.value, "data"), true
		case "xml":
			s.data, s.hasData, s.xml = r.template(p.value, "xml"), true, true
		case "payload":
			s.payload = r.bool(p.value, "payload")
		case "format":
			format = r.word(p.value, "format", "b64", "bin", "bool", "chr", "int", "node", "null", "xml", "date", "float", "time", "none")
		case "type":
			s.typ = r.template(p.value, "type")
		case "from":
			s.source = r.uri(p.value, "from")
		case "probe":
			s.probe = r.uri(p.value, "probe")
		case "idle":
			s.idle = r.texts(p.value, "idle")
		case "items":
			for _, item := range r.items(p.value) {
				s.items = append(s.items, r.template(item, "items"))
			}
		case "if":
			s.whenAt = r.at(p.value)
			if s.when = r.text(p.value, "if"); !isName(s.when) || !strings.Contains(s.when, ".") {
				r.add(s.whenAt, "if: want the name of a value such as apn.user, not %s", quoted(s.when))
				s.when = ""
			}
		case "optional":
			s.optional = r.bool(p.value, "optional")
		default:
			r.unknownKey(p, "send", sendKeys)
		}
	}
	switch {
	case len(keys) == 0:
		return s, false
	case s.kind == "":
		r.add(s.place, "send: no command: want %s", sendWords)
		return s, false
	}
	s.format = s.formatOr(format)
	r.checkSending(&s)
	return s, true
}

// formatOr is the Format of a command: what the rule says, or what its data are. An Add without data makes an interior
// node (trap 14).
func (s *sending) formatOr(format string) string {
	switch {
	case format == "none":
		return ""
	case format != "":
		return format
	case s.payload:
		return "bin"
	case s.xml:
		return "xml"
	case s.hasData && s.kind != "Exec":
		return "chr"
	case s.kind == "Add":
		return "node"
	}
	return ""
}

// checkSending says what parts of a command do not go together.
func (r *reader) checkSending(s *sending) {
	bad := func(text string) { r.add(s.place, "send: %s %s", strings.ToLower(s.kind), text) }
	writes := s.kind == "Put" || s.kind == "Add" || s.kind == "Replace"
	switch {
	case s.payload && s.hasData:
		bad("has a payload and data: want one of them")
	case s.kind == "Put" && !s.payload && !s.hasData:
		bad("writes a leaf: want data, xml or payload; for an interior node, add")
	case s.kind == "Replace" && !s.payload && !s.hasData:
		bad("changes a leaf: want data, xml or payload")
	case s.payload && !writes, s.hasData && !writes && s.kind != "Exec":
		bad("carries no data")
	case s.kind == "Copy" && len(s.source.parts) == 0:
		bad("copies nothing: want from")
	case s.kind != "Copy" && len(s.source.parts) > 0:
		bad("has no from: that is of copy")
	case s.kind != "Exec" && (len(s.probe.parts) > 0 || len(s.idle) > 0):
		bad("has no probe and no idle: these are of exec")
	case (len(s.probe.parts) > 0) != (len(s.idle) > 0):
		bad("has one of probe and idle: want both, or none")
	case s.kind != "Alert" && len(s.items) > 0:
		bad("has no items: these are of alert")
	case s.kind == "Alert" && len(s.items) < 2:
		bad("has too few items: want options (which may be \"\") and a text")
	}
}

// uri reads a template of a URI: it begins as a pattern does.
func (r *reader) uri(n ast.Node, what string) template {
	t := r.template(n, what)
	if len(t.parts) == 0 {
		r.add(r.at(n), "%s: want a path", what)
		return t
	}
	first, whole := &t.parts[0], ""
	for i := range t.parts {
		if p := &t.parts[i]; p.kind == plain {
			whole += p.text
		} else {
			whole += "x"
		}
	}
	switch {
	case first.kind == value, first.kind == plain && !strings.HasPrefix(first.text, "./"):
		r.add(r.at(n), "%s: a path begins with ./ or a bound name in braces", what)
	case strings.Contains(whole, "//") || strings.HasSuffix(whole, "/") || strings.Contains(whole, "/../"):
		r.add(r.at(n), "%s: a path has no empty segments and no ..", what)
	case strings.Contains(strings.TrimPrefix(whole, "./"), "?"):
		r.add(r.at(n), "%s: a path has no query", what)
	}
	for i := range t.parts {
		if i > 0 && t.parts[i].kind == node {
			r.add(r.at(n), "%s: a bound name stands only at the beginning of a path", what)
		}
	}
	if first.kind == node && len(t.parts) > 1 && !strings.HasPrefix(t.parts[1].text, "/") {
		r.add(r.at(n), "%s: want / after a bound name", what)
	}
	return t
}
