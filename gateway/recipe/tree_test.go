package recipe

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dmgate/storage"
)

// plant is the tree of a device that answers Gets, by URI: what it answers of each node.
type plant map[string]storage.Node

// grow adds what lines say. A line is a URI, alone for a node that is read, and with what the device says of it:
//
//	./FUMO type=urn:oma:mo:oma-fumo:1.0
//	./FUMO/State = 10
//	./FUMO/Update !405
//	./SCOMO/Inventory/Deployed/C0 gone
//
// The nodes above it come with it.
func (p plant) grow(t *testing.T, lines string) {
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		uri, rest, _ := strings.Cut(line, " ")
		if rest == "gone" {
			maps.DeleteFunc(p, func(at string, _ storage.Node) bool { return at == uri || strings.HasPrefix(at, uri+"/") })
			continue
		}
		n := storage.Node{URI: uri, Code: 200, Format: "node"}
		if value, is := strings.CutPrefix(rest, "= "); is {
			n.Format, n.Value = "chr", value
		} else if code, is := strings.CutPrefix(rest, "!"); is {
			c, err := strconv.Atoi(code)
			if err != nil {
				t.Fatalf("%s: no code", line)
			}
			n.Code, n.Format = c, ""
		} else if typ, is := strings.CutPrefix(rest, "type="); is {
			n.Type = typ
		} else if rest != "" {
			t.Fatalf("%s: what is that?", line)
		}
		p[uri] = n
		for uri != root {
			uri = parent(uri)
			if _, has := p[uri]; !has {
				p[uri] = storage.Node{URI: uri, Code: 200, Format: "node"}
			}
		}
	}
}

func parent(uri string) string { return uri[:parentEnd([]byte(uri))] }

// get is the answer to a Get.
func (p plant) get(uri string) storage.Node {
	path, query, asksType := strings.Cut(uri, "?")
	n, has := p[path]
	if !has {
		n = storage.Node{Code: 404}
	}
	n.URI = uri
	if asksType {
		switch {
		case n.Code == 200 && query == "prop=Type" && n.Type != "":
			return storage.Node{URI: uri, Code: 200, Format: "chr", Value: n.Type}
		case n.Code == 200:
			n = storage.Node{URI: uri, Code: 406}
		}
		return n
	}
	n.Type = ""
	if n.Code == 200 && n.Format == "node" {
		for _, at := range slices.Sorted(maps.Keys(p)) {
			if at != root && parent(at) == path {
				n.Children = append(n.Children, at[len(path)+1:])
			}
		}
	}
	return n
}

// answer is the same as an answer of a session.
func (p plant) answer(command int, uri string) storage.Answer {
	n := p.get(uri)
	data := n.Value
	if n.Format == "node" {
		data = strings.Join(n.Children, "/")
	}
	return storage.Answer{Command: command, Code: n.Code, Format: []byte(n.Format), Data: []byte(data)}
}

// walk asks for what is wanted until nothing is. It returns what was asked for in each round.
func walk(t *testing.T, s *Set, k *Known, max int, get func(uri string) storage.Node) (rounds [][]string) {
	for range 10_000 {
		uris := s.Wanted(k, max)
		if len(uris) == 0 {
			return rounds
		}
		if len(uris) > max {
			t.Fatalf("%d wanted, %d at most", len(uris), max)
		}
		for i, uri := range uris {
			if k.nodes[uri] != nil || slices.Contains(uris[:i], uri) {
				t.Fatalf("%s is wanted again", uri)
			}
		}
		for _, uri := range uris {
			k.Add(get(uri))
		}
		rounds = append(rounds, uris)
	}
	t.Fatal("it comes to no end")
	return nil
}
