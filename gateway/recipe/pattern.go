package recipe

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Bounds of a pattern, so that what is asked for it has one.
const (
	maxSegments = 16
	maxGlobs    = 3
)

// A pattern stands for nodes of a tree: "./SCOMO/Download/*", "{slot}/Operations", "{msi}/{package.id}". It begins at
// the root or at a bound node. A segment with * or [ is a glob over the children of the node before it.
type pattern struct {
	place
	text string
	base string // the bound name it begins with; empty for the root
	segs []segment
}

// segment is one step down.
type segment struct {
	text  string    // the name, or the glob
	glob  bool      // text is one
	fill  *template // where it has values in it; text is empty then
	isAny bool      // the glob is *
}

// parsePattern reads a pattern. Its error says what is wrong with it, without a place.
func parsePattern(text string, at place) (pattern, error) {
	p := pattern{place: at, text: text}
	names := strings.Split(text, "/")
	switch head := names[0]; {
	case head == ".":
	case strings.HasPrefix(head, "{") && strings.HasSuffix(head, "}"):
		p.base = head[1 : len(head)-1]
		if !isName(p.base) || strings.Contains(p.base, ".") {
			return p, fmt.Errorf("%q: a path begins with ./ or a bound name in braces", text)
		}
	default:
		return p, fmt.Errorf("%q: a path begins with ./ or a bound name in braces", text)
	}
	if len(names) > maxSegments {
		return p, fmt.Errorf("%q has more than %d segments", text, maxSegments)
	}
	globs := 0
	for _, name := range names[1:] {
		s, err := parseSegment(name, at)
		if err != nil {
			return p, fmt.Errorf("%q: %w", text, err)
		}
		if s.glob {
			globs++
		}
		p.segs = append(p.segs, s)
	}
	if globs > maxGlobs {
		return p, fmt.Errorf("%q has more than %d segments with *", text, maxGlobs)
	}
	return p, nil
}

func parseSegment(name string, at place) (segment, error) {
	switch {
	case name == "" || name == "." || name == "..":
		return segment{}, fmt.Errorf("%q is no segment of a path", name)
	case strings.Contains(name, "?") && !strings.Contains(name, "{"):
		return segment{}, errors.New("a path has no query and no ?")
	case strings.ContainsAny(name, "*["):
		if _, err := path.Match(name, "x"); err != nil || strings.Contains(name, "{") {
			return segment{}, fmt.Errorf("%q is no pattern: want * for any name, [ab] for one of these characters", name)
		}
		return segment{text: name, glob: true, isAny: name == "*"}, nil
	case strings.ContainsAny(name, "{}"):
		t, err := parseTemplate(name, at)
		if err != nil {
			return segment{}, err
		}
		if t.has(node) {
			return segment{}, errors.New("a bound name stands only at the beginning of a path")
		}
		return segment{fill: &t}, nil
	}
	return segment{text: name}, nil
}

// needsValues says whether p depends on the order.
func (p *pattern) needsValues() bool {
	for i := range p.segs {
		if p.segs[i].fill != nil {
			return true
		}
	}
	return false
}

// lastIsGlob says whether any name may stand at the end of p.
func (p *pattern) lastIsGlob() bool { return len(p.segs) > 0 && p.segs[len(p.segs)-1].glob }

// matches says whether a child matches the glob of s.
func (s *segment) matches(child string) bool {
	if s.isAny {
		return true
	}
	ok, _ := path.Match(s.text, child)
	return ok
}
