package recipe

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// rules is what one file says.
type rules struct {
	recipes []*Recipe
	off     []off
	tables  []*table
}

// off is a recipe that the operator does not want.
type off struct {
	place
	name string
}

// readRules reads a file. What is wrong with it goes to f; what could be read of it all the same is returned.
func readRules(file string, text []byte, f *faults) *rules {
	r := reader{faults: f, file: file}
	out := &rules{}
	body := r.parse(text)
	if body == nil {
		return out
	}
	for _, p := range r.pairs(body, "a rules file") {
		switch p.key {
		case "recipes":
			items := r.list(p.value, "recipes")
			for i, item := range items {
				end := len(r.lines) + 1
				if i+1 < len(items) {
					end = r.at(items[i+1]).line
				}
				r.recipe(item, out, end)
			}
		case "codes":
			for _, t := range r.pairs(p.value, "codes") {
				table := r.table(t.value)
				table.name, table.place = t.key, t.at
				if !isLabel(t.key) {
					r.add(t.at, "codes: %s is no name: want small letters, digits, - and .", quoted(t.key))
				}
				out.tables = append(out.tables, table)
			}
		default:
			r.unknownKey(p, "a rules file", "recipes or codes")
		}
	}
	return out
}

// isLabel says whether s can name a recipe or a table.
func isLabel(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case (c == '-' || c == '.') && i > 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= 64
}

const recipeKeys = "name, title, does, source, rank, why, asks, off, when, unless, needs, takes, send, answers, within, " +
	"poll, then, verify, verifyWithin or undo"

// recipe reads a recipe that ends before line end.
func (r *reader) recipe(n ast.Node, out *rules, end int) {
	rec := &Recipe{place: r.at(n), Asks: "maybe", Rank: 100, verifyWithin: 24 * time.Hour}
	isOff := false
	var first []pair // of the keys of its first stage
	keys := r.pairs(n, "a recipe")
	for _, p := range keys {
		switch p.key {
		case "name":
			if rec.Name = r.text(p.value, "name"); !isLabel(rec.Name) {
				r.add(r.at(p.value), "name: %s is no name: want small letters, digits and -", quoted(rec.Name))
			}
		case "title":
			rec.Title = r.text(p.value, "title")
		case "does":
			r.does(p, rec)
		case "source":
			rec.Source = r.text(p.value, "source")
		case "rank":
			rec.Rank = r.number(p.value, "rank", 1, 1000)
		case "why":
			rec.Why = strings.TrimSpace(r.text(p.value, "why"))
		case "asks":
			rec.Asks = r.word(p.value, "asks", "no", "maybe", "yes")
		case "off":
			isOff = r.bool(p.value, "off")
		case "when":
			rec.when = r.conditions(p.value, "when")
		case "unless":
			rec.unless = r.conditions(p.value, "unless")
		case "needs":
			rec.needs = r.needs(p.value, "needs")
		case "takes":
			r.takes(p, rec)
		case "verify":
			rec.verify = r.needs(p.value, "verify")
		case "verifyWithin":
			rec.verifyWithin = r.duration(p.value, "verifyWithin")
		case "undo":
			rec.Undo = strings.TrimSpace(r.text(p.value, "undo"))
		case "send", "answers", "within", "poll", "then":
			first = append(first, p)
		default:
			r.unknownKey(p, "a recipe", recipeKeys)
		}
	}
	switch {
	case len(keys) == 0:
		return
	case rec.Name == "":
		if !slices.ContainsFunc(keys, func(p pair) bool { return p.key == "name" }) {
			r.add(rec.place, "a recipe without a name")
		}
		return
	case isOff:
		if len(keys) > 2 {
			r.add(rec.place, "recipe %s is off: want nothing but its name besides", rec.Name)
		}
		out.off = append(out.off, off{rec.place, rec.Name})
		return
	}
	if rec.Title == "" {
		r.add(rec.place, "recipe %s has no title", rec.Name)
	}
	if len(rec.Does) == 0 {
		r.add(rec.place, "recipe %s does nothing: want does with %s", rec.Name, oneOf(Names))
	}
	r.stages(first, rec, rec.place)
	rec.Text = r.textOf(rec.line, end)
	out.recipes = append(out.recipes, rec)
}

// textOf is what stands from one line on and before another, with the comment right above it.
func (r *reader) textOf(from, end int) string {
	comment := func(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "#") }
	for from > 1 && comment(r.lines[from-2]) {
		from--
	}
	end = min(max(end-1, from), len(r.lines))
	for end > from && (strings.TrimSpace(r.lines[end-1]) == "" || comment(r.lines[end-1])) {
		end--
	}
	return strings.Join(r.lines[from-1:end], "\n") + "\n"
}

func (r *reader) does(p pair, rec *Recipe) {
	for _, n := range r.items(p.value) {
		name := r.word(n, "does", Names...)
		if slices.Contains(rec.Does, name) {
			r.add(r.at(n), "does: %s is there twice", name)
			continue
		}
		if slices.Contains(Names, name) {
			rec.Does = append(rec.Does, name)
		}
	}
}

// conditions are rows of facts. One alone need not be a list.
func (r *reader) conditions(n ast.Node, what string) []condition {
	var all []condition
	for _, item := range r.items(n) {
		var c condition
		for _, p := range r.pairs(item, what) {
			f := fact{name: p.key}
			for _, g := range r.texts(p.value, what) {
				f.is = append(f.is, r.glob(g, p))
			}
			c = append(c, f)
		}
		if len(c) > 0 {
			all = append(all, c)
		}
	}
	return all
}

func (r *reader) takes(p pair, rec *Recipe) {
	for _, k := range r.pairs(p.value, "takes") {
		switch k.key {
		case "payload":
			rec.takes.Payload = r.word(k.value, "payload", "url", "inline")
		case "types":
			for _, g := range r.texts(k.value, "types") {
				rec.takes.Types = append(rec.takes.Types, r.glob(g, k))
			}
		case "max":
			if s, _ := r.scalar(k.value); s != "" && (s[0] < '0' || s[0] > '9') {
				rec.takesMax = s
			} else {
				rec.takes.Max = int64(r.number(k.value, "max", 1, 1<<30))
			}
		default:
			r.unknownKey(k, "takes", "payload, types or max")
		}
	}
	if rec.takes.Payload == "" {
		r.add(p.at, "takes: want payload: url or inline")
	}
}
