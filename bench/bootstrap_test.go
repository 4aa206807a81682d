package main

import (
	"os"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

func TestBootstrapRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"--modems", "0"}, {"--modems", "8,1"}, {"--modems", "300"}, {"--modems", "3"}, {"--air", "1ms"}, {"--length", "1s"},
		{"--real", "3s"}, {"--targets", "0"}, {"--pushes", "0"}, {"--parts", "all"},
	} {
		parser, err := kong.New(&cli)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(append([]string{"bootstrap"}, args...)); err == nil {
			t.Errorf("%q taken", args)
		}
	}
}

// What /proc says of a process is what the process knows of itself.
func TestProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	held := make([]byte, 64<<20)
	for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
		held[time.Now().UnixNano()%int64(len(held))]++
	}
	for i := range held {
		held[i]++
	}
	before := cpuTime()
	got, err := processCPU(os.Getpid())
	if after := cpuTime(); err != nil || got < before-2*tick || got > after+2*tick {
		t.Errorf("CPU %v where it is %v to %v: %v", got, before, after, err)
	}
	if peak, err := processPeak(os.Getpid()); err != nil || peak < uint64(len(held)) {
		t.Errorf("peak %d with %d held: %v", peak, len(held), err)
	}
	for _, err := range []error{second(processCPU(-1)), second(processPeak(-1))} {
		if err == nil {
			t.Error("a process that is not there has figures")
		}
	}
}

func second[T any](_ T, err error) error { return err }
