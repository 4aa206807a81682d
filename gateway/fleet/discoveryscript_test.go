package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/codec/tnds"
	"dmgate/gateway/recipe"
	"dmgate/sessions"
	"dmgate/storage"
)

// The scripts in testdata/discovery are devices being discovered: real sessions over a real store. Their commands:
//
//	device [man=M] [mod=M] [dmv=V] [lang=L] [id=IMEI:N]   a device that was bootstrapped, and what its package 1 says;
//	                  later in a script: what it says from now on. Without a man it says nothing
//	another           another device of the same kind, which the script goes on with
//	tree [add]        its tree, a node a line: "URI" is an interior one, whose children follow from the other lines;
//	                  "URI = VALUE" a leaf; "URI -" takes a node away; "URI ! STATUS" answers by that, "URI ! STATUS
//	                  once" once, "URI ! break" by breaking off; "URI * N" has N children. A VALUE of bytes:N is N bytes,
//	                  one of @tnds or @tnds-wbxml the subtree. What is not there is answered by 404, a query by 406
//	session [alert=N] [break=N] [maxmsg=N]   it opens a session, and breaks it off when it has the answer to message N
//	notified          a notification was sent to it
//	task              there is something else for it to do
//	discover          upstream wants it discovered anew
//	learn             what was seen of models so far is learnt
//	rules             the operator adds these to the rules
//	later DURATION    time passes
//	nodes, facts, objects, walk, feed, capabilities [explain]   what is known; the feed since it was last shown
func TestDiscoveryScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/discovery", func(t *testing.T, path string) {
		v := &visits{rig: newRig(t)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			v.t, v.rig.t = t, t
			return v.run(d)
		})
	})
}

// visits is a device that comes and goes.
type visits struct {
	*rig
	t       *testing.T
	id      storage.DeviceID
	devices int
	says    map[string]string // DevInfo
	lines   map[string]string // of its tree, by URI
	once    map[string]bool   // answered so once
	number  int               // of the session
	session *sessions.Session
	names   map[uint64]string // of tasks, in the order in which they were seen
	shown   uint64            // offset of the feed
	maxMsg  int
}

func (v *visits) run(d *datadriven.TestData) string {
	switch d.Cmd {
	case "device":
		v.device(d)
	case "another":
		v.bootstrapped()
		v.says["DevId"] = fmt.Sprintf("IMEI:%d", v.devices)
	case "tree":
		v.plant(d)
	case "session":
		return v.visit(d)
	case "notified":
		v.commit(&storage.Commit{Pushes: []storage.PushJob{{
			ID: v.newID(v.now), Device: v.id, Kind: notification, State: storage.PushSent, Created: v.now, Changed: v.now,
		}}})
	case "task":
		v.commit(&storage.Commit{Tasks: []storage.Task{{
			ID: v.newID(v.now), Device: v.id, Purpose: "test", Commands: []storage.Command{get("./DevInfo/Man")},
		}}})
	case "discover":
		before := v.rig.pushed
		v.now = v.now.Add(time.Second)
		order, err := v.Discover(v.id)
		if err != nil {
			return "error: " + err.Error()
		}
		return fmt.Sprintf("%s, %d pushes", v.orderName(order), v.rig.pushed-before)
	case "learn":
		v.learn()
	case "rules":
		folder := v.t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "own.yaml"), []byte(d.Input), 0o644); err != nil {
			v.t.Fatal(err)
		}
		set, err := recipe.Load(folder)
		if err != nil {
			v.t.Fatal(err)
		}
		v.opt.Rules = set
	case "later":
		after, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			v.t.Fatal(err)
		}
		v.now = v.now.Add(after)
		if err := v.EndWaits(v.now); err != nil {
			v.t.Fatal(err)
		}
	default:
		return v.show(d)
	}
	return ""
}

func (v *visits) commit(c *storage.Commit) {
	v.t.Helper()
	c.Device, c.Time = v.id, v.now
	if err := v.store.Commit(c); err != nil {
		v.t.Fatal(err)
	}
}

func (v *visits) learn() {
	l := &learner{Fleet: v.Fleet}
	worked, err := true, l.load()
	for worked && err == nil {
		worked, err = l.round()
	}
	if err != nil {
		v.t.Fatal(err)
	}
	v.now = v.now.Add(2 * modelsFresh)
}

// device makes a device, or changes what it says.
func (v *visits) device(d *datadriven.TestData) {
	if v.says == nil {
		v.says = map[string]string{"DevId": "IMEI:1"}
	}
	for _, a := range d.CmdArgs {
		name := map[string]string{"man": "Man", "mod": "Mod", "dmv": "DmV", "lang": "Lang", "id": "DevId"}[a.Key]
		v.says[name] = strings.Join(a.Vals, ",")
	}
	if v.id == "" {
		v.bootstrapped()
	}
}

func (v *visits) bootstrapped() {
	v.devices++
	d := v.register(fmt.Sprintf("+999000%d", v.devices))
	v.id, v.session, v.names, v.once = d.ID, nil, make(map[uint64]string), make(map[string]bool)
	v.commit(&storage.Commit{Edit: func(d *storage.Device) error {
		d.Enter(storage.Delivered, v.now, "", storage.Wait{For: "a session", Until: v.now.Add(time.Hour)})
		return nil
	}})
	v.shown = v.store.Head()
}

func (v *visits) plant(d *datadriven.TestData) {
	if !d.HasArg("add") {
		v.lines = make(map[string]string)
	}
	for line := range strings.Lines(d.Input) {
		uri, is, _ := strings.Cut(strings.TrimSpace(line), " ")
		if is != "-" {
			v.lines[uri] = is
			continue
		}
		maps.DeleteFunc(v.lines, func(other, _ string) bool { return other == uri || strings.HasPrefix(other, uri+"/") })
	}
}

// visit is one session.
func (v *visits) visit(d *datadriven.TestData) string {
	alert, leave := "1201", 0
	for _, a := range d.CmdArgs {
		switch n, _ := strconv.Atoi(a.Vals[0]); a.Key {
		case "alert":
			alert = a.Vals[0]
		case "break":
			leave = n
		case "maxmsg":
			v.maxMsg = n
		}
	}
	account, err := v.store.Account(v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	opt := sessions.Options{Address: "http://gw.test/dm", Planner: v.Fleet, Random: Random}.WithDefaults()
	v.number++
	v.now = v.now.Add(time.Second)
	v.session = sessions.New(&opt, v.rig.device(v.id), account, []byte(strconv.Itoa(v.number)), v.now, v.session)
	var b strings.Builder
	var in syncml.Message
	answer := &reply{visits: v}
	for n := 1; n < 200; n++ {
		m := v.message(n)
		if n == 1 {
			v.package1(m, account, alert)
		} else if !answer.to(&in, m) {
			b.WriteString("(the device breaks off)\n")
			break
		}
		out := v.step(m)
		if err := in.Read(out.Reply.Append(nil, syncml.WBXML), syncml.WBXML, nil); err != nil {
			v.t.Fatal(err)
		}
		v.tell(&b, n, &in, &out)
		if out.Ended {
			break
		}
		if n == leave {
			b.WriteString("(the device breaks off)\n")
			break
		}
	}
	return b.String()
}

func (v *visits) message(n int) *syncml.Message {
	m := new(syncml.Message)
	h := &m.Header
	h.VerDTD, h.VerProto, h.SessionID, h.MsgID = m.Text("1.2"), m.Text("DM/1.2"), m.Number(v.number), m.Number(n)
	h.Source.URI, h.Target.URI, h.Meta.MaxMsgSize = m.Text(v.says["DevId"]), m.Text("http://gw.test/dm"), v.maxMsg
	m.Final = true
	return m
}

func (v *visits) package1(m *syncml.Message, account *storage.Account, alert string) {
	m.Header.Cred.Meta.Type = m.Text(auth.TypeBasic)
	m.Header.Cred.Data = auth.AppendBasic(nil, []byte(v.id), []byte(account.Password))
	c := m.AddCommand(syncml.Alert)
	c.CmdID, c.Data = m.Number(1), m.Text(alert)
	c = m.AddCommand(syncml.Replace)
	c.CmdID = m.Number(2)
	for _, leaf := range []string{"DevId", "Man", "Mod", "DmV", "Lang"} {
		if v.says[leaf] != "" {
			it := m.AddItem()
			it.Source.URI, it.Data = m.Text("./DevInfo/", leaf), m.Text(v.says[leaf])
		}
	}
}

// step is what the endpoint does with a message.
func (v *visits) step(m *syncml.Message) sessions.Outcome {
	open, err := v.store.OpenTasks(v.id, 0, 64)
	if err != nil {
		v.t.Fatal(err)
	}
	if v.session.Hungry() {
		v.session.Offer(open)
	}
	var out sessions.Outcome
	v.session.Step(v.now, &sessions.Request{Message: m, Encoding: syncml.WBXML, Body: m.Append(nil, syncml.WBXML)}, &out)
	v.session.Seal(&out, out.Reply.Append(nil, syncml.WBXML))
	if err := v.store.Commit(&out.Commit); err != nil {
		v.t.Fatal(err)
	}
	return out
}

// tell says what the server asks in a message, and what has become of the device by it.
func (v *visits) tell(b *strings.Builder, n int, in *syncml.Message, out *sessions.Outcome) {
	var asks []string
	for i := range in.Commands {
		if c := &in.Commands[i]; c.Kind != syncml.Status {
			uri := ""
			if len(c.Items) > 0 {
				uri = string(c.Items[0].Target.URI)
			}
			asks = append(asks, strings.TrimPrefix(c.Kind.String()+" "+uri, "Get "))
		}
	}
	size := len(out.Reply.Append(nil, syncml.WBXML))
	if size > 1<<14 {
		v.t.Errorf("a message of %d bytes", size)
	}
	fmt.Fprintf(b, "%d.%d: %s", v.number, n, cmp.Or(strings.Join(asks, " "), "(nothing)"))
	if nodes := len(out.Commit.Nodes); nodes > 0 {
		fmt.Fprintf(b, "   +%d nodes", nodes)
	}
	b.WriteString("\n")
}

// reply makes the device's answers to messages of the server.
type reply struct {
	*visits
	owed []owed
	rest []byte // of the large object that answers the first of owed
}

// owed is a command that the device has not answered.
type owed struct{ msg, cmd, uri string }

const chunk = 60_000 // bytes of a large object in one message

// to puts into m what answers in, as far as one message goes. It is false where the device can not stand a command.
func (r *reply) to(in, m *syncml.Message) bool {
	add := func(k syncml.Kind, msg, ref, cmd string) *syncml.Command {
		c := m.AddCommand(k)
		c.CmdID, c.MsgRef, c.CmdRef, c.Cmd = m.Number(len(m.Commands)), m.Text(msg), m.Text(ref), m.Text(cmd)
		return c
	}
	for i := range in.Commands {
		if c := &in.Commands[i]; c.Kind == syncml.Get {
			r.owed = append(r.owed, owed{string(in.Header.MsgID), string(c.CmdID), string(c.Items[0].Target.URI)})
			if r.lines[string(c.Items[0].Target.URI)] == "! break" {
				return false
			}
		}
	}
	add(syncml.Status, string(in.Header.MsgID), "0", "SyncHdr").Data = m.Text("212")
	for m.Final = true; m.Final && len(r.owed) > 0; {
		o := r.owed[0]
		begun := len(r.rest) > 0
		code, format, value := r.get(o.uri)
		if begun {
			value = r.rest
		} else if code > 0 {
			add(syncml.Status, o.msg, o.cmd, "Get").Data = m.Number(code)
		}
		if code == 200 {
			add(syncml.Results, o.msg, o.cmd, "Get").Meta.Format = m.Text(format)
			it := m.AddItem()
			if !begun && len(value) > chunk {
				it.Meta.Size = len(value)
			}
			n := min(len(value), chunk)
			it.Source.URI, it.Data, it.MoreData = m.Text(o.uri), value[:n], n < len(value)
			r.rest = value[n:]
			m.Final = len(r.rest) == 0
		}
		if m.Final {
			r.owed = r.owed[1:]
		}
	}
	return true
}

// get is what the device says to a Get.
func (v *visits) get(uri string) (code int, format string, value []byte) {
	is, known := v.lines[uri]
	mark, rest, _ := strings.Cut(is, " ")
	path, query, asks := strings.Cut(uri, "?")
	switch {
	case known && mark == "!":
		status, once, _ := strings.Cut(rest, " ")
		if once == "" || !v.once[uri] {
			v.once[uri] = true
			code, _ = strconv.Atoi(status)
			return code, "", nil
		}
		return 200, "node", []byte(v.children(uri))
	case known && mark == "*":
		n, _ := strconv.Atoi(rest)
		return 200, "node", []byte(strings.Repeat("Node/", n))
	case known && mark == "=" && rest == "@tnds":
		return 200, "xml", v.subtree(path).AppendXML(nil)
	case known && mark == "=" && rest == "@tnds-wbxml":
		return 200, "bin", v.subtree(path).AppendWBXML(nil)
	case known && mark == "=":
		text, err := strconv.Unquote(rest)
		if err != nil {
			text = rest
		}
		if n, ok := strings.CutPrefix(text, "bytes:"); ok {
			size, _ := strconv.Atoi(n)
			text = strings.Repeat("x", size)
		}
		return 200, "chr", []byte(text)
	case asks && query != "":
		return 406, "", nil
	case known || v.children(uri) != "":
		return 200, "node", []byte(v.children(uri))
	}
	return 404, "", nil
}

func (v *visits) children(uri string) string {
	var names []string
	prefix := uri + "/"
	for other := range v.lines {
		if rest, below := strings.CutPrefix(other, prefix); below {
			name, _, _ := strings.Cut(rest, "/")
			name, _, _ = strings.Cut(name, "?")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "/")
}

// subtree is what ?list=TNDS gives.
func (v *visits) subtree(uri string) *tnds.Tree {
	var at func(uri string) tnds.Node
	at = func(uri string) tnds.Node {
		name := uri[strings.LastIndexByte(uri, '/')+1:]
		if is := v.lines[uri]; strings.HasPrefix(is, "= ") {
			_, _, value := v.get(uri)
			return tnds.Leaf(name, "chr", string(value))
		}
		n := tnds.Interior(name)
		for child := range strings.SplitSeq(v.children(uri), "/") {
			if child != "" {
				n.Children = append(n.Children, at(uri+"/"+child))
			}
		}
		return n
	}
	return &tnds.Tree{Nodes: []tnds.Node{at(uri)}}
}

// show tells what is known.
func (v *visits) show(d *datadriven.TestData) string {
	var b strings.Builder
	dev := v.rig.device(v.id)
	switch d.Cmd {
	case "nodes":
		nodes, err := v.store.Nodes(v.id, "", 10_000)
		if err != nil {
			v.t.Fatal(err)
		}
		if d.HasArg("count") {
			return fmt.Sprintf("%d nodes, %s", len(nodes), sizeOf(nodes))
		}
		for i := range nodes {
			n := &nodes[i]
			if strings.HasPrefix(n.URI, devDetail) && !d.HasArg("all") {
				continue
			}
			fmt.Fprintf(&b, "%d %s", n.Code, n.URI)
			if n.Format != "" {
				fmt.Fprintf(&b, " %s", n.Format)
			}
			if text := strings.Join(n.Children, "/") + n.Value; text != "" {
				fmt.Fprintf(&b, " %.100s", text)
			}
			if n.Cut {
				b.WriteString(" (cut)")
			}
			if n.Time.Before(dev.Walk.Begun) {
				b.WriteString(" (stale)")
			}
			fmt.Fprintf(&b, "   [session %s, message %d, %s]\n", n.Session, n.MsgID, v.taskName(n.Task))
		}
	case "facts":
		for _, name := range slices.Sorted(maps.Keys(dev.Facts)) {
			fmt.Fprintf(&b, "%s: %s\n", name, dev.Facts[name])
		}
	case "objects":
		objects, err := v.Objects(dev)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, o := range objects {
			fmt.Fprintf(&b, "%s %s %s\n", o.URI, cmp.Or(o.Type, "-"), strings.Join(o.Children, "/"))
		}
	case "walk":
		w := &dev.Walk
		fmt.Fprintf(&b, "%s; walk: %s, %d lists, %d visits", dev.State, w.Why, w.Rounds, w.Visits)
		fmt.Fprintf(&b, ", ended %v", !w.Ended.IsZero())
		if w.Model != "" {
			fmt.Fprintf(&b, ", as model %s", w.Model)
		}
		if w.Short != "" {
			fmt.Fprintf(&b, ", short: %s", w.Short)
		}
		if dev.Wait.For != "" {
			fmt.Fprintf(&b, "; waits for %s, then %s", dev.Wait.For, dev.Wait.Next)
		}
		if dev.Reason != "" {
			fmt.Fprintf(&b, "; %s", dev.Reason)
		}
	case "feed":
		v.feed(&b)
	case "capabilities":
		v.tellCapabilities(&b, dev, d.HasArg("explain"))
	default:
		v.t.Fatalf("no such command: %s", d.Cmd)
	}
	return b.String()
}

func sizeOf(nodes []storage.Node) string {
	size := 0
	for i := range nodes {
		size += nodes[i].Msgsize()
	}
	return fmt.Sprintf("less than %d KiB", (size>>10)+1)
}

func (v *visits) taskName(id uint64) string {
	if _, known := v.names[id]; !known {
		task, err := v.store.Task(v.id, id)
		if err != nil {
			return "no task"
		}
		v.names[id] = strings.TrimPrefix(task.Purpose, "discovery: ")
	}
	return v.names[id]
}

func (v *visits) orderName(id string) string {
	orders, err := v.store.Orders(v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	for i := range orders {
		if orders[i].ID == id {
			return fmt.Sprintf("order %d (%s)", i+1, orders[i].State)
		}
	}
	return "no order"
}

func (v *visits) feed(b *strings.Builder) {
	version := ""
	entries, err := v.store.Feed(v.shown, 1000)
	if err != nil {
		v.t.Fatal(err)
	}
	for i := range entries {
		e := &entries[i]
		v.shown = e.Offset
		if e.Kind == "session" || e.Kind == "results" || e.Device != v.id {
			continue
		}
		fmt.Fprintf(b, "%s", e.Kind)
		if e.To != "" {
			fmt.Fprintf(b, " %s to %s", e.From, e.To)
		}
		if e.Order != "" {
			fmt.Fprintf(b, " %s", v.orderName(e.Order))
		}
		text := e.Text
		if e.Kind == "capabilities" {
			version = e.Status
		}
		fmt.Fprintf(b, " %s\n", text)
	}
	if known := v.rig.device(v.id).Walk.Capabilities; version != "" && version != known {
		v.t.Errorf("the feed has version %q of the capabilities, the device %q", version, known)
	}
}

func (v *visits) tellCapabilities(b *strings.Builder, dev *storage.Device, explain bool) {
	c, err := v.Capabilities(v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	fmt.Fprintf(b, "model %s, complete %v", cmp.Or(c.Model, "unknown"), c.Complete)
	if c.Complete && c.Version != dev.Walk.Capabilities {
		b.WriteString(", another version than in the discovery")
	}
	if c.Reference != "" {
		fmt.Fprintf(b, ", reference %s", c.Reference)
	}
	fmt.Fprintf(b, ", message %d, object %d\n", c.Message, c.Object)
	for i := range c.List {
		is := &c.List[i]
		fmt.Fprintf(b, "%s: %s", is.Name, is.Possible)
		for k := range is.Ways {
			w := &is.Ways[k]
			fmt.Fprintf(b, ", by %s (%s)", w.Recipe.Name, w.Confidence)
			if explain {
				for _, e := range w.Evidence {
					fmt.Fprintf(b, "\n    %s: %d [session %s, message %d, %s]", e.URI, e.Code, e.Session, e.MsgID, v.taskName(e.Task))
				}
			}
		}
		b.WriteString("\n")
	}
}
