package sessions

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"dmgate/codec/syncml"
)

// pair is a conversation of a device that begins again while its last session is still open, under the same SessionID.
type pair struct {
	conversation
	slot Slot
}

func newPair(t *testing.T) *pair {
	p := &pair{}
	p.t = t
	p.run(&datadriven.TestData{Cmd: "device"})
	p.run(&datadriven.TestData{Cmd: "task", Input: "Exec ./FUMO/X/Update probe=./FUMO/X/State idle=10\n"})
	return p
}

// send brings a message to the session that takes it, or to a new one, and tells what came of it.
func (p *pair) send(args, commands string) string {
	d := &datadriven.TestData{Cmd: "send", Input: commands}
	for arg := range strings.FieldsSeq(args) {
		key, value, _ := strings.Cut(arg, "=")
		d.CmdArgs = append(d.CmdArgs, datadriven.CmdArg{Key: key, Vals: []string{value}})
	}
	p.compose(d)
	if err := p.in.Read(p.last, syncml.WBXML, nil); err != nil {
		p.t.Fatal(err)
	}
	req := Request{Message: &p.in, Body: p.last}
	s := p.slot.Takes(p.now, &req)
	if s == nil {
		s = New(&p.opt, p.device, p.account, p.in.Header.SessionID, p.now, p.slot.Session)
		if own := p.slot.Session; own != nil && own.Running(p.now) {
			p.slot.Guest = s
		} else {
			p.slot.Session, p.slot.Guest = s, nil
		}
	}
	if s.Hungry() {
		s.Offer(p.open())
	}
	s.Step(p.now, &req, &p.out)
	reply := p.out.Reply.Append(nil, syncml.WBXML)
	text := p.listReply(reply)
	if p.out.Kept {
		s.Seal(&p.out, reply)
		text += p.commit()
	}
	if s == p.slot.Guest && s.Proved() {
		p.slot.Session, p.slot.Guest = s, nil
	}
	return text
}

func (p *pair) want(text, part string, there bool) {
	p.t.Helper()
	if strings.Contains(text, part) != there {
		p.t.Errorf("%q there: %v, want %v, in\n%s", part, !there, there, text)
	}
}

// What the guest was offered when it knocked has been done meanwhile: it is not done again.
func TestGuestDoesNothingTwice(t *testing.T) {
	p := newPair(t)
	p.want(p.send("alert=1201 cred=md5", ""), "Exec 1.3", true)
	p.want(p.send("msg=1 alert=1201 cred=wrong", ""), "SyncHdr 401", true)
	p.want(p.send("msg=2", "Status 1.0 SyncHdr 212\nStatus 1.3 Exec 200\n"), "keep task 1 done", true)
	text := p.send("msg=2 alert=1201 cred=md5", "")
	p.want(text, "SyncHdr 212", true)
	p.want(text, "Exec", false)
	p.want(text, "Get", false) // of what shows whether it has run
	p.want(text, "feed session ended", true)
}

// The guest gets the answer to its challenge, wherever the session that it is to take over from has come.
func TestGuestIsHeard(t *testing.T) {
	for _, messages := range []int{1, 2, 3} {
		p := newPair(t)
		p.send("alert=1201 cred=md5", "")
		for n := 2; n <= messages; n++ {
			p.send("final=no", "")
		}
		p.want(p.send("msg=1 alert=1201 cred=wrong", ""), "SyncHdr 401", true)
		text := p.send("msg=2 alert=1201 cred=md5", "")
		p.want(text, "SyncHdr 212", true)
		p.want(text, "Get 2.3 ./FUMO/X/State", true) // has it run?
	}
}
