package syncml

import "testing"

// What is built reads back as it was meant, also after the lists had to grow under it, and in a message used before.
func TestBuild(t *testing.T) {
	var m Message
	for round := range 2 {
		m.Reset()
		m.Header.MsgID = m.Number(round + 1)
		m.Header.Target.URI = m.Text("IMEI:", "1")
		for i := range 20 {
			c := m.AddCommand(Replace)
			c.CmdID = m.Number(i)
			for range i {
				it := m.AddItem()
				it.Target.URI = m.Text("./X/", c.Kind.String())
				it.Data = m.Base64([]byte{byte(i)})
			}
		}
		got := read(t, m.Append(nil, WBXML), WBXML)
		same(t, got, &m)
		if len(m.Commands) != 20 || len(m.Commands[19].Items) != 19 || string(m.Commands[19].Items[18].Data) != "Ew==" {
			t.Fatal(dump(&m))
		}
	}
}

func TestBuildAllocs(t *testing.T) {
	var m Message
	var out []byte
	if n := testing.AllocsPerRun(100, func() {
		m.Reset()
		m.AddCommand(Status).Data = m.Number(200)
		m.AddCommand(Add).CmdID = m.Text("1", "2")
		m.AddItem().Data = m.Base64([]byte("x"))
		out = m.Append(out[:0], XML)
	}); n != 0 {
		t.Errorf("building allocates %v times", n)
	}
}

func TestCode(t *testing.T) {
	for data, want := range map[string]int{"200": 200, "0": 0, "": 0, "1201": 1201, "-1": 0, "2x": 0, "9999999999": 0} {
		if c := (&Command{Data: []byte(data)}).Code(); c != want {
			t.Errorf("code of %q is %d, want %d", data, c, want)
		}
	}
}

func TestKindOf(t *testing.T) {
	for k := Add; k <= Status; k++ {
		if KindOf([]byte(k.String())) != k {
			t.Errorf("%s is not %[1]d", k)
		}
	}
	for _, name := range []string{"", "SyncHdr", "get", "Put"} {
		if k := KindOf([]byte(name)); k != None {
			t.Errorf("%q is %s", name, k)
		}
	}
}

func TestWithDefaults(t *testing.T) {
	want := Limits{Depth: 16, Commands: 4096, Items: 7, String: 4096, Data: 1 << 20}
	if l := (Limits{Items: 7}).WithDefaults(); l != want {
		t.Errorf("%+v, want %+v", l, want)
	}
}
