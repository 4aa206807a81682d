package device

import (
	"slices"
	"testing"

	"dmgate/storage"
)

// A device that has lost its nonce is called with the zero nonce, and opens a session over it: once.
func TestResync(t *testing.T) {
	r := newRig(t, Options{})
	d := r.register(1)
	p := r.phone(d)
	p.open(p.md5)
	err := r.disk.Commit(&storage.Commit{Device: d.ID, Time: r.now(), Edit: func(d *storage.Device) error {
		d.Enter(storage.Connected, r.now(), "", storage.Wait{})
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	lost := r.phone(d) // while the session of before is still open
	lost.nonce = []byte{0, 0, 0, 0}
	lost.session = "2"
	lost.package1(lost.md5)
	lost.post()
	lost.expect(401)

	if err := r.fleet.Resync(d.ID); err != nil {
		t.Fatal(err)
	}
	lost.session, lost.turn = "3", 0
	lost.open(lost.md5)
	lost.goOn()
	lost.session, lost.turn, lost.path = "4", 0, Path
	lost.package1(lost.md5)
	lost.post()
	lost.expect(401)
	want := []string{"opened by md5 over DM/1.2", "opened by md5 over DM/1.2, with the zero nonce"}
	if got := r.sessionEntries(d.ID); !slices.Equal(got, want) {
		t.Errorf("the feed says %q, want %q", got, want)
	}
}
