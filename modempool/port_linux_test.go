package modempool

import (
	"errors"
	"io"
	"os"
	"testing"

	"dmgate/modempool/modemsim"
)

// A gateway has thousands of descriptors open when a modem is plugged in again; and a port that is closed, or goes,
// ends the Read under way.
func TestOpenPort(t *testing.T) {
	for range 1100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Skip(err) // not so many allowed
		}
		defer func() { _ = f.Close() }()
	}
	sim := bank(t, modemsim.Options{})
	path := sim.Paths()[0]
	for range 2 { // once closed it can be opened again
		p, err := OpenPort(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(p, "ATE1\r"); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, len("ATE1\r\r\nOK\r\n")) // all of it: what is left would be read by the next
		if _, err := io.ReadFull(p, buf); err != nil || string(buf[:4]) != "ATE1" {
			t.Fatalf("read %q %v", buf, err)
		}
		ended := make(chan error, 1)
		go func() { _, err := io.Copy(io.Discard, p); ended <- err }()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read ended with %v", err)
		}
	}
	p, err := OpenPort(path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, p); ended <- err }()
	sim.Unplug(0)
	<-ended // end of file or EIO
	_ = p.Close()
	if _, err := OpenPort(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a port that is not there: %v", err)
	}
	if _, err := OpenPort(os.DevNull); err == nil {
		t.Error("/dev/null is taken for a port")
	}
}
