package storagetest

import (
	"bytes"
	"reflect"
	"testing"

	"dmgate/storage"
)

// FullCommit is a commit that makes a device and fills every field of every record, for tests of engines and of the
// encoding.
func FullCommit(id storage.DeviceID) *storage.Commit {
	return &storage.Commit{
		Device: id,
		Time:   at(9),
		New: &storage.Device{
			ID: id, MSISDN: "+49171" + string(id), IMSI: "262011234567890", DevID: "IMEI:" + string(id),
			Created: at(1), State: storage.Failed, Since: at(2), Reason: "the network refused it",
			Wait:  storage.Wait{For: "a modem", Since: at(3), Until: at(4), Next: "the order fails"},
			Order: "order-1", Seen: at(5),
			Facts: map[string]string{"Man": "Acme", "Mod": "A1", "FwV": "1.0"},
			Walk: storage.Walk{
				Begun: at(6), Ended: at(7), Why: "the first session", Order: "order-2", Short: "400 nodes",
				Of: storage.Handset{
					DevID: "IMEI:1", Man: "Acme", Mod: "A1", DmV: "1.2", Lang: "en", FwV: "1.0", SwV: "2.0",
				},
				Rounds: 3, Asked: []uint64{7}, Visits: 2, Again: []string{"./FUMO", "./SCM"}, Whole: true, Model: "Acme|A1|1.0", Checked: at(8),
				Rules: "ab12", Capabilities: "0123456789ab",
			},
			Certificates: []storage.Given{{
				Certificate: "c1", Fingerprint: "c1c2", How: "push", State: storage.CertificateSent, Time: at(7), Push: 10,
				Order: "order-0",
			}},
		},
		Account: &storage.Account{
			Device: id, ServerID: "dmgate", Password: "secret", ServerPassword: "hidden",
			ClientNonce: []byte{0, 1, 255}, ServerNonce: []byte{2},
			ServerScheme: "hmac", Scheme: "md5", Failures: 2, LockedUntil: at(9), ZeroNonceUntil: at(8),
		},
		Orders: []storage.Order{{
			ID: "order-1", Device: id, Batch: "batch-1", Kind: "bootstrap", State: storage.OrderFailed,
			Created: at(1), Ended: at(2), Reason: "no modem", Variant: "userpin+apn",
		}},
		Tasks: []storage.Task{{
			ID: 7, Device: id, Order: "order-1", Purpose: "discovery", State: storage.TaskSent, Attempts: 2,
			Created: at(3), Reason: "asked twice",
			Priority: 1, Key: "firmware", Expires: at(7), Deadline: at(8),
			Broken: []storage.Break{{Session: "3E", Time: at(2), Command: 1}},
			Commands: []storage.Command{
				{Kind: "Atomic"},
				{Kind: "Add", URI: "./X", Format: "bin", Type: "text/plain", Data: []byte{0, 9}, Depth: 1},
				{Kind: "Copy", URI: "./Y", Source: "./X", Depth: 1},
				{Kind: "Alert", Code: 1101, Items: []string{"MINDT=5", "Now?"}},
				{Kind: "Exec", URI: "./F", Correlator: "c7", Probe: "./F/State", Idle: []string{"10", "20"}},
			},
		}},
		Results: []storage.Results{{
			Device: id, Task: 7, Session: "3F", MsgID: 4, Time: at(6),
			Answers: []storage.Answer{{
				Command: 1, Code: 200, URI: []byte("./X"), Format: []byte("chr"), Type: []byte("text/plain"),
				Data: []byte("v"), Part: 1, More: true, Late: true,
			}},
		}},
		Pushes: []storage.PushJob{{
			ID: 11, Device: id, Order: "order-1", Kind: "bootstrap", MSISDN: "+49171" + string(id),
			PDU: []byte{6, 0}, Text: "Client: https://dm.test/t/x", Priority: 3,
			State: storage.PushSent, NotBefore: at(5), Attempts: 1, Modem: "modem-1", Total: 4,
			Created: at(1), Changed: at(2), Error: "timed out", Flow: "k/+49", Until: at(60), Repeats: 1, Faults: 2,
			Behind:   10,
			Segments: []storage.Segment{{Reference: 200, Sent: true, Reported: true, Status: 0x30}, {Sent: true}},
		}},
		Checkpoint: &storage.Checkpoint{
			Device: id, Session: []byte("3F"), Started: at(1), Updated: at(2), Ended: true, MsgID: 4,
			Digest: []byte{1, 2}, Opening: []byte{9}, Reply: []byte{3, 4}, ReplyMAC: []byte("mac"), Sent: 5, Proved: 2,
			ServerOK: true, Refusals: 1, Planned: true,
			Failures: 1, MaxMsg: 4096,
			Tasks: []storage.Open{{
				ID: 7, Next: 1, Answered: 1, Again: []int{0}, Replace: []int{0}, Doubtful: []int{4}, Accepted: []int{5}, Chunk: 9,
			}},
			Commands:  []storage.Pending{{MsgID: 5, CmdID: 6, Task: 7, Command: 1, Code: 213, Probe: true, Chunk: true, Valued: true}},
			NextNonce: []byte{8}, MaxObj: 1 << 20, Parting: true,
			Incoming: &storage.Incoming{MsgID: 5, CmdID: 6, URI: "./X", Size: 9, Got: 4, Parts: 2, Dropped: 424},
		},
		Nodes: []storage.Node{{
			Device: id, URI: "./FUMO", Code: 200, Format: "node", Type: "urn:oma:mo:oma-fumo:1.0", Children: []string{"Fw1"},
			Value: "v", Cut: true, Session: "3F", Task: 7, MsgID: 4, Time: at(6),
		}},
		Jobs: []storage.Job{fullJob(id)},
		Feed: []storage.FeedEntry{{Kind: "results", Order: "order-1", From: "a", To: "b", Text: "answered", Count: 1,
			Campaign: "k", Status: "s", Recipe: "scomo"}},
	}
}

// fullJob is an open job with every field set.
func fullJob(id storage.DeviceID) storage.Job {
	var j storage.Job
	n := 0
	fill(reflect.ValueOf(&j).Elem(), &n)
	j.ID, j.Device, j.State, j.Reason = "job-1", id, storage.JobInstalling, "SCOMO"
	return j
}

// WantFullCommit checks that s holds all of FullCommit(id), whose feed entries are the last four.
func WantFullCommit(t *testing.T, s storage.Store, id storage.DeviceID) {
	t.Helper()
	c := FullCommit(id)
	wantSame(t, "device", must(s.Device(id))(t), c.New)
	wantSame(t, "by MSISDN", must(s.FindDevice(storage.ByMSISDN, c.New.MSISDN))(t), id)
	wantSame(t, "by DevID", must(s.FindDevice(storage.ByDevID, c.New.DevID))(t), id)
	wantSame(t, "account", must(s.Account(id))(t), c.Account)
	wantSame(t, "order", must(s.Order(id, "order-1"))(t), &c.Orders[0])
	wantSame(t, "orders", must(s.Orders(id))(t), c.Orders)
	wantSame(t, "task", must(s.Task(id, 7))(t), &c.Tasks[0])
	wantSame(t, "open tasks", must(s.OpenTasks(id, 0, 10))(t), c.Tasks)
	wantSame(t, "results", must(s.Results(id, 0, 10))(t), c.Results)
	wantSame(t, "pushes", must(s.Pushes(id))(t), c.Pushes)
	wantSame(t, "under way", must(s.PushesOverdue(at(90), 10))(t), c.Pushes)
	wantSame(t, "checkpoint", must(s.Checkpoint(id))(t), c.Checkpoint)
	wantSame(t, "nodes", must(s.Nodes(id, "", 10))(t), c.Nodes)
	wantSame(t, "job", must(s.Job(id, "job-1"))(t), &c.Jobs[0])
	wantSame(t, "jobs", must(s.Jobs(id))(t), c.Jobs)
	wantSame(t, "jobs due", must(s.JobsDue(at(999), storage.JobRef{}, 10))(t), []storage.JobRef{
		{Until: c.Jobs[0].Wait.Until, Device: id, ID: "job-1"},
	})
	wantSame(t, "due", must(s.DevicesDue(at(4), 10))(t), []storage.DeviceID{id})
	head := s.Head()
	wantSame(t, "timeline", must(s.Timeline(id, 0, 10))(t), []storage.FeedEntry{
		{
			Offset: head - 3, Time: at(9), Device: id, Kind: "push", Order: "order-1", Status: "sent", Count: 2,
			Text: "2 segments sent through modem-1",
		},
		{
			Offset: head - 2, Time: at(9), Device: id, Kind: "state", Order: "order-1", To: storage.Failed,
			Text: "the network refused it",
		},
		{Offset: head - 1, Time: at(9), Device: id, Kind: "job", Order: "job-1", Status: "installing", Text: "SCOMO"},
		{
			Offset: head, Time: at(9), Device: id, Kind: "results", Order: "order-1", From: "a", To: "b", Text: "answered",
			Count: 1, Campaign: "k", Status: "s", Recipe: "scomo",
		},
	})
}

// FullUpdate is FullCommit for a device that is there already, with its job.
func FullUpdate(id storage.DeviceID) *storage.Commit {
	c := FullCommit(id)
	c.New, c.Jobs = nil, nil
	return c
}

func testRecords(t *testing.T, s storage.Store) {
	commit(t, s, FullCommit("alpha"))
	WantFullCommit(t, s, "alpha")
}

func testNotFound(t *testing.T, s storage.Store) {
	register(t, s, "a")
	lookups := map[string]func(id storage.DeviceID) error{
		"Account":    func(id storage.DeviceID) error { _, err := s.Account(id); return err },
		"Checkpoint": func(id storage.DeviceID) error { _, err := s.Checkpoint(id); return err },
		"Order":      func(id storage.DeviceID) error { _, err := s.Order(id, "o"); return err },
		"Task":       func(id storage.DeviceID) error { _, err := s.Task(id, 1); return err },
		"Job":        func(id storage.DeviceID) error { _, err := s.Job(id, "j"); return err },
	}
	for name, look := range lookups {
		wantError(t, name, look("a"), storage.ErrNotFound)
		wantError(t, name+" of no device", look("b"), storage.ErrNotFound)
	}
	_, err := s.Device("b")
	wantError(t, "Device", err, storage.ErrNotFound)
	_, err = s.FindDevice(storage.ByMSISDN, "+1")
	wantError(t, "FindDevice by MSISDN", err, storage.ErrNotFound)
	_, err = s.FindDevice(storage.ByDevID, "")
	wantError(t, "FindDevice by no DevID", err, storage.ErrNotFound)
	if _, err := s.FindDevice("imsi", "1"); err == nil {
		t.Error("FindDevice by an index that is none: no error")
	}
	wantSame(t, "Orders", must(s.Orders("b"))(t), []storage.Order(nil))
	wantSame(t, "Pushes", must(s.Pushes("b"))(t), []storage.PushJob(nil))
	wantSame(t, "OpenTasks", must(s.OpenTasks("b", 0, 1))(t), []storage.Task(nil))
	wantSame(t, "Results", must(s.Results("b", 0, 1))(t), []storage.Results(nil))
	wantSame(t, "Timeline", must(s.Timeline("b", 0, 1))(t), []storage.FeedEntry(nil))
}

// testCopies changes what a read returned: nobody else may see that.
func testCopies(t *testing.T, s storage.Store) {
	commit(t, s, FullCommit("alpha"))
	d := must(s.Device("alpha"))(t)
	d.Facts["Man"], d.Walk.Again[0] = "Other", "Other"
	clear(must(s.Account("alpha"))(t).ClientNonce)
	clear(must(s.Checkpoint("alpha"))(t).Reply)
	clear(must(s.Results("alpha", 0, 1))(t)[0].Answers[0].Data)
	WantFullCommit(t, s, "alpha")
}

// What a device is sent in chunks, and what it sends in them, is far larger than a message.
func testLargeData(t *testing.T, s storage.Store) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	c := &storage.Commit{
		Device: "a", New: &storage.Device{ID: "a", MSISDN: "+49171"},
		Tasks:   []storage.Task{{ID: 1, Device: "a", Commands: []storage.Command{{Kind: "Replace", URI: "./X", Data: large}}}},
		Results: []storage.Results{{Device: "a", Task: 1, Answers: []storage.Answer{{Code: 200, Data: large}}}},
	}
	if err := s.Commit(c); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "task", must(s.Task("a", 1))(t).Commands[0].Data, large)
	wantSame(t, "results", must(s.Results("a", 0, 1))(t)[0].Answers[0].Data, large)
}
