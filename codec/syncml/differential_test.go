package syncml

import (
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/internal/oracle"
	"dmgate/codec/wbxml"
)

// messagesVar is the environment variable that says how many generated messages go through libwbxml in each direction.
// Each is a process of its own: 100,000 take some minutes.
const messagesVar = "DMGATE_MESSAGES"

// differential hands the messages of the seeds from 0 on to check, on all cores. The tally that check adds to is
// logged at the end.
func differential(t *testing.T, check func(t *testing.T, seed int, sum *tally)) {
	n := 2000
	if v, err := strconv.Atoi(os.Getenv(messagesVar)); err == nil {
		n = v
	} else if testing.Short() {
		n = 300
	}
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			t.Parallel()
			sum := tally{kinds: make(map[Kind]int), formats: make(map[string]int), seen: make(map[uint64]bool)}
			for seed := w; seed < n; seed += workers {
				check(t, seed, &sum)
			}
			t.Log(&sum)
		})
	}
}

// What we write as WBXML, libwbxml turns into the XML that we mean. That XML is read by our reader and, where all of
// it is text, by the standard library's.
func TestWriterByOracle(t *testing.T) {
	tool := oracle.Need(t, "wbxml2xml")
	check := func(t *testing.T, m *Message, stdlib bool) {
		t.Helper()
		doc := oracle.Run(t, m.Append(nil, WBXML), tool, "-m", "0", "-o", "-", "-")
		same(t, read(t, doc, XML), m)
		if stdlib {
			same(t, byStdlib(t, doc), m)
		}
	}
	for _, name := range corpus {
		m := read(t, file(t, name+".xml"), XML)
		for _, m.Style = range []Style{{}, {TextPublic: true, WBXML: 3}} {
			check(t, m, true)
		}
	}
	differential(t, func(t *testing.T, seed int, sum *tally) {
		gen, stdlib := textForOracle, seed%3 == 0
		if seed%4 == 1 {
			gen, stdlib = bytesForOracle, false
		}
		m := gen.Example(seed)
		sum.add(m, m.Append(nil, WBXML))
		check(t, m, stdlib)
	})
}

// What libwbxml writes, with and without a string table, we read as the message that it was given.
func TestReaderByOracle(t *testing.T) {
	tool := oracle.Need(t, "xml2wbxml")
	options := [][]string{
		{}, {"-n"}, {"-k"}, {"-k", "-n"}, {"-a"}, {"-a", "-n"},
		{"-v", "1.1"}, {"-v", "1.2"}, {"-v", "1.3"}, {"-v", "1.1", "-n"}, {"-v", "1.2", "-n", "-k"},
	}
	check := func(t *testing.T, doc []byte, options []string) []byte {
		t.Helper()
		wb := oracle.Run(t, doc, tool, append(options, "-o", "-", "-")...)
		same(t, read(t, wb, WBXML), read(t, doc, XML))
		return wb
	}
	for _, name := range corpus {
		for _, o := range options {
			check(t, file(t, name+".xml"), o)
		}
	}
	differential(t, func(t *testing.T, seed int, sum *tally) {
		gen := textForOracle
		if seed%4 == 1 {
			gen = bytesForOracle // base64 in XML
		}
		m := gen.Example(seed)
		wb := check(t, m.Append(nil, XML), options[seed%len(options)])
		sum.add(m, wb)
	})
}

// Messages that libwbxml carries unchanged: it trims text, turns line ends into CR LF, puts what is not trimmed into
// CDATA as it comes, and knows that Correlator came with 1.2.
var (
	textForOracle = forOracle(sketch{
		text: trimmed, data: trimmed,
		format: []string{"", "chr", "int", "bool", "float", "date", "time", "b64", "node", "null", "xml"},
	})
	bytesForOracle = forOracle(sketch{text: trimmed, data: uncut, format: []string{"bin"}})
)

func forOracle(s sketch) *rapid.Generator[*Message] {
	return rapid.Map(s.messages(), func(m *Message) *Message {
		m.Style.Latin1 = false
		if m.Style.Version == V11 {
			for i := range m.Commands {
				m.Commands[i].Correlator = nil
			}
		}
		return m
	})
}

var (
	trimmed = rapid.Map(anyText, func(s string) string {
		return strings.Trim(strings.NewReplacer("\r", " ", "\n", " ").Replace(s), " \t")
	})
	uncut = rapid.Map(anyBytes, func(s string) string {
		return strings.Trim(strings.NewReplacer("\r", "\x00", "\n", "\x01", "]]>", "]]").Replace(s), " \t\v\f")
	})
)

// tally is what the messages of a differential test held.
type tally struct {
	messages, commands, items, tables int
	depth                             uint8
	kinds                             map[Kind]int
	formats                           map[string]int
	seen                              map[uint64]bool // hashes of documents
}

var tallySeed = maphash.MakeSeed()

// add counts m, whose document in WBXML is doc.
func (s *tally) add(m *Message, doc []byte) {
	s.messages++
	s.seen[maphash.Bytes(tallySeed, doc)] = true
	var r wbxml.Reader
	if err := r.Init(doc, 1); err == nil && len(r.Header.Strings) > 0 {
		s.tables++
	}
	for i := range m.Commands {
		c := &m.Commands[i]
		s.commands++
		s.kinds[c.Kind]++
		s.items += len(c.Items)
		s.depth = max(s.depth, c.Depth)
		for j := range c.Items {
			if it := &c.Items[j]; it.Data != nil {
				s.formats[string(it.Meta.Format)]++
			}
		}
	}
}

func (s *tally) String() string {
	return fmt.Sprintf("%d messages (%d different, %d with a string table), %d commands %v nested to %d, "+
		"%d items with data of %v", s.messages, len(s.seen), s.tables, s.commands, s.kinds, s.depth, s.items, s.formats)
}
