package recipe

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Error is a fault in a rules file.
type Error struct {
	File         string
	Line, Column int // from 1; 0 for the file as a whole
	Msg          string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// faults collects what is wrong, so that a writer of rules sees all of it at once.
type faults struct{ all []*Error }

func (f *faults) add(at place, format string, args ...any) {
	f.all = append(f.all, &Error{File: at.file, Line: at.line, Column: at.column, Msg: fmt.Sprintf(format, args...)})
}

// reader reads one rules file.
type reader struct {
	*faults
	file  string
	lines []string
}

// maxFile is how long a rules file may be, in bytes.
const maxFile = 1 << 20

// parse is the document in a file; nil where it is empty or can not be read.
func (r *reader) parse(text []byte) (body ast.Node) {
	whole := place{file: r.file}
	defer func() {
		if failure := recover(); failure != nil { // of the YAML parser: what it can not read is no rules file
			r.add(whole, "can not be read as YAML")
			body = nil
		}
	}()
	if len(text) > maxFile {
		r.add(whole, "is longer than %d bytes", maxFile)
		return nil
	}
	r.lines = strings.Split(string(text), "\n")
	file, err := parser.ParseBytes(text, 0)
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax) && syntax.GetToken() != nil:
		at := syntax.GetToken().Position
		r.add(place{r.file, at.Line, at.Column}, "%s", syntax.GetMessage())
		return nil
	case err != nil:
		r.add(whole, "%s", err)
		return nil
	}
	for _, d := range file.Docs {
		switch {
		case d.Body == nil || d.Body.Type() == ast.CommentType || d.Body.Type() == ast.NullType:
		case body != nil:
			r.add(r.at(d.Body), "a second document: want one in a file")
		default:
			body = d.Body
		}
	}
	return body
}

// at is where n begins.
func (r *reader) at(n ast.Node) place {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return r.at(m.Values[0].Key)
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		return r.at(m.Key)
	}
	p := place{file: r.file}
	if t := n.GetToken(); t != nil && t.Position != nil {
		p.line, p.column = t.Position.Line, t.Position.Column
	}
	return p
}

// pair is a key with its value.
type pair struct {
	key   string
	at    place // of the key
	value ast.Node
}

// pairs are the keys of a mapping; none where n is something else, which is an error.
func (r *reader) pairs(n ast.Node, what string) []pair {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.add(r.at(n), "%s: want keys and values, not %s", what, kindOf(n))
		return nil
	}
	pairs := make([]pair, 0, len(values))
	for _, v := range values {
		key, ok := r.scalar(v.Key)
		if !ok {
			r.add(r.at(v.Key), "%s: want a word as key, not %s", what, kindOf(v.Key))
			continue
		}
		if slices.ContainsFunc(pairs, func(p pair) bool { return p.key == key }) {
			r.add(r.at(v.Key), "%s: key %s is there twice", what, key)
			continue
		}
		pairs = append(pairs, pair{key, r.at(v.Key), v.Value})
	}
	return pairs
}

// unknownKey is the error for a key that has no meaning.
func (r *reader) unknownKey(p pair, what, known string) {
	r.add(p.at, "%s has no key %s: want %s", what, quoted(p.key), known)
}

// items are the entries of a list. One value alone is a list of one.
func (r *reader) items(n ast.Node) []ast.Node {
	if s, ok := n.(*ast.SequenceNode); ok {
		return s.Values
	}
	return []ast.Node{n}
}

// list are the entries of what has to be written as a list.
func (r *reader) list(n ast.Node, what string) []ast.Node {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.add(r.at(n), "%s: want a list, not %s", what, kindOf(n))
		return nil
	}
	return s.Values
}

// scalar is the text of a word, a number or a text.
func (r *reader) scalar(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		if v.Value == nil {
			return "", true
		}
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return strings.TrimSpace(n.GetToken().Value), true
	}
	return "", false
}

// text is a text of n; empty where it is something else, which is an error.
func (r *reader) text(n ast.Node, what string) string {
	s, ok := r.scalar(n)
	switch {
	case !ok:
		r.add(r.at(n), "%s: want a text, not %s", what, kindOf(n))
	case strings.TrimSpace(s) == "":
		r.add(r.at(n), "%s: want a text, not an empty one", what)
	}
	return s
}

// texts are the texts of a list, or one.
func (r *reader) texts(n ast.Node, what string) []string {
	var all []string
	for _, item := range r.items(n) {
		all = append(all, r.text(item, what))
	}
	return all
}

// word is one of several words.
func (r *reader) word(n ast.Node, what string, words ...string) string {
	s, ok := r.scalar(n)
	if !ok || !slices.Contains(words, s) {
		r.add(r.at(n), "%s: want %s, not %s", what, oneOf(words), kindOf(n))
	}
	return s
}

func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func (r *reader) bool(n ast.Node, what string) bool {
	return r.word(n, what, "true", "false") == "true"
}

// number is a whole number between two others.
func (r *reader) number(n ast.Node, what string, least, most int) int {
	s, _ := r.scalar(n)
	i, err := strconv.Atoi(s)
	if err != nil || i < least || i > most {
		r.add(r.at(n), "%s: want a number from %d to %d, not %s", what, least, most, kindOf(n))
		return least
	}
	return i
}

// duration is a time such as 90s or 72h.
func (r *reader) duration(n ast.Node, what string) time.Duration {
	s, _ := r.scalar(n)
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > maxDuration {
		r.add(r.at(n), "%s: want a time such as 90s or 72h, at most %d days, not %s", what, maxDuration/(24*time.Hour), kindOf(n))
		return time.Hour
	}
	return d
}

const maxDuration = 30 * 24 * time.Hour

// template reads a template.
func (r *reader) template(n ast.Node, what string) template {
	s, ok := r.scalar(n)
	if !ok {
		r.add(r.at(n), "%s: want a text, not %s", what, kindOf(n))
	}
	t, err := parseTemplate(s, r.at(n))
	if err != nil {
		r.add(r.at(n), "%s: %s", what, err)
	}
	return t
}

// pattern reads a pattern.
func (r *reader) pattern(n ast.Node, what string) pattern {
	s := r.text(n, what)
	p, err := parsePattern(s, r.at(n))
	if err != nil && s != "" {
		r.add(r.at(n), "%s: %s", what, err)
	}
	return p
}

// kindOf is what n is, for an error.
func kindOf(n ast.Node) string {
	switch v := n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode, *ast.MergeKeyNode:
		return "an anchor, an alias or a tag"
	case *ast.LiteralNode:
		return "a text of several lines"
	case *ast.StringNode:
		return quoted(v.Value)
	}
	return quoted(strings.TrimSpace(n.GetToken().Value))
}
