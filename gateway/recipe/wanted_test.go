package recipe

import (
	"testing"

	"pgregory.net/rapid"

	"dmgate/storage"
)

// TestWantedEnds answers whatever is wanted with whatever comes to mind: statuses that contradict each other, lists
// that name what is not there. It comes to an end all the same, below a number that the rules give, and nothing is
// asked twice (walk sees to that).
func TestWantedEnds(t *testing.T) {
	set, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{
		"DevInfo", "SCOMO", "Download", "RB_DP", "Operations", "Inventory", "Deployed", "FUMO", "Update", "Vendor", "MSFT",
		"DMAcc", "SyncML", "LAWMO", "NAP", "AP", "a", "b%20c", "", "..", "x?y",
	}
	codes := []int{0, 200, 200, 200, 200, 202, 400, 401, 404, 405, 406, 407, 410, 425, 500}
	rapid.Check(t, func(rt *rapid.T) {
		asked := 0
		k := NewKnown(map[string]string{"LrgObj": rapid.SampledFrom([]string{"true", "false", ""}).Draw(rt, "LrgObj")}, nil)
		max := rapid.IntRange(1, 64).Draw(rt, "max")
		walk(t, set, k, max, func(uri string) storage.Node {
			asked++
			n := storage.Node{URI: uri, Code: rapid.SampledFrom(codes).Draw(rt, uri)}
			if n.Code == 200 {
				n.Format = rapid.SampledFrom([]string{"", "node", "node", "chr"}).Draw(rt, "format")
				n.Type = rapid.SampledFrom([]string{"", "text/plain", "urn:oma:mo:oma-scomo:1.0"}).Draw(rt, "type")
				n.Cut = rapid.Bool().Draw(rt, "cut")
				n.Children = rapid.SliceOfN(rapid.SampledFrom(names), 0, 40).Draw(rt, "children")
			}
			return n
		})
		if most := set.mostAsked(); asked > most {
			t.Fatalf("%d asked, %d at most", asked, most)
		}
		for _, c := range set.Compile(k, nil) { // with all that: no answer is missing, and no way without its names
			for i := range c.Ways {
				for _, n := range c.Ways[i].Recipe.needs[:c.Ways[i].Recipe.late] {
					if n.name != "" && !n.optional && c.Ways[i].Names[n.name] == "" {
						t.Fatalf("%s: %s is not bound", c.Ways[i].Recipe.Name, n.name)
					}
				}
			}
		}
	})
}

// mostAsked is how many URIs may be wanted of a device, whatever it answers: of each pattern the nodes on its way
// down, where a * stands for maxInstances, and for each of these a type and the leaves that are looked at. A bound
// name stands for as many nodes as the need that binds it.
func (s *Set) mostAsked() int {
	sum := 0
	for _, r := range s.recipes {
		bound := map[string]int{"": 1}
		for i := range r.needs[:r.late] {
			n, ends := &r.needs[i], 0
			for a := range n.at {
				at := bound[n.at[a].base]
				sum += at
				for _, seg := range n.at[a].segs {
					if seg.glob {
						at *= maxInstances
					}
					sum += at
				}
				ends += at
			}
			sum += ends * (1 + len(n.where))
			bound[n.name] = ends
		}
	}
	return sum
}

// sixty is a tree of about 60 nodes.
const sixty = `
./DevInfo/Man = x
./DevDetail/FwV = x
./DMAcc/DMId000/ServerID = dmgate
./DMAcc/DMId000/AppAddr/Addr000/Addr = http://old.example/dm
./DMAcc/DMId000/AppAuth/Auth000/AAuthLevel = CLCRED
./FUMO type=urn:oma:mo:oma-fumo:1.0
./FUMO/PkgName = x
./FUMO/PkgVersion = x
./FUMO/Download/PkgURL = x
./FUMO/Update/PkgData = x
./FUMO/DownloadAndUpdate/PkgURL = x
./FUMO/State = 10
./SCOMO type=urn:oma:mo:oma-scomo:1.0
./SCOMO/Download/RB_DP/Name = x
./SCOMO/Download/RB_DP/InstallParams = x
./SCOMO/Download/RB_DP/Operations/DownloadInstall !405
./SCOMO/Inventory/Delivered
./SCOMO/Inventory/Deployed/C0/ID = x
./LAWMO type=urn:oma:mo:oma-lawmo:1.0
./LAWMO/Operations/FullyLock !405
./LAWMO/Operations/UnLock !405
./LAWMO/Operations/Wipe !405
./NAP/NAPId001/Addr = internet
./NAP/NAPId002/Addr = mms
./Ext/RedBend/WiFiOnly = false
`

// nodesOf is all that the device may tell of a tree, and then some that nobody asks for.
func nodesOf(t *testing.T, set *Set, tree string) []storage.Node {
	p := plant{}
	p.grow(t, tree)
	k := NewKnown(nil, nil)
	walk(t, set, k, 64, p.get)
	for uri := range p {
		if k.nodes[uri] == nil {
			k.Add(p.get(uri))
		}
	}
	var nodes []storage.Node
	for _, n := range k.nodes {
		nodes = append(nodes, *n)
	}
	return nodes
}

func BenchmarkWanted(b *testing.B) {
	set, nodes := benchmarked(b)
	b.ReportMetric(float64(len(nodes)), "nodes")
	b.ReportAllocs()
	for b.Loop() {
		if w := set.Wanted(NewKnown(nil, nodes), 64); len(w) > 0 {
			b.Fatal(w)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	set, nodes := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if c := set.Compile(NewKnown(nil, nodes), nil); c[0].Possible != Yes {
			b.Fatal(c[0])
		}
	}
}

// BenchmarkWantedFirst is the first question: nothing is known.
func BenchmarkWantedFirst(b *testing.B) {
	set, _ := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if w := set.Wanted(NewKnown(nil, nil), 64); len(w) != 1 {
			b.Fatal(w)
		}
	}
}

func benchmarked(b *testing.B) (*Set, []storage.Node) {
	set, err := Load("")
	if err != nil {
		b.Fatal(err)
	}
	var t testing.T
	return set, nodesOf(&t, set, sixty)
}
