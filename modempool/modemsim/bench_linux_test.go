package modemsim

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkSends has 64 modems of mild variety send, with a report for each SMS: as fast as they are told to, and with
// times on the air that make about 5 SMS a second of each. cpu-µs is what one SMS costs of a core, at both ends of its
// pty, and cpu-% what all cost of one: the other end does nothing but wait for prompt, +CMGS and +CDS.
func BenchmarkSends(b *testing.B) {
	for _, pace := range []struct {
		name string
		air  Span
	}{{"flat", Span{}}, {"5-a-second", Span{Mean: 200 * time.Millisecond, Spread: 0.3}}} {
		b.Run(pace.name, func(b *testing.B) {
			sends(b, func(i int) Character {
				c := variety(i)
				c.Air = pace.air
				return c
			})
		})
	}
}

func sends(b *testing.B, character func(int) Character) {
	const modems = 64
	bank, err := Start(Options{Modems: modems, Ledger: new(Ledger), Character: character})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = bank.Close() }()
	n, text := pdu(sms)
	prompt, pdu := []byte(fmt.Sprintf("AT+CMGS=%d\r", n)), []byte(text)
	talk := func(port *os.File, typed []byte, want string) bool {
		_, _ = port.Write(typed)
		var heard [512]byte
		for have := 0; !bytes.Contains(heard[:have], []byte(want)); {
			k, err := port.Read(heard[have:])
			if have += k; err != nil || have == len(heard) {
				b.Errorf("waited for %q, heard %q: %v", want, heard[:have], err)
				return false
			}
		}
		return true
	}
	ports := make([]*os.File, modems)
	for i, path := range bank.Paths() {
		port, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = port.Close() }()
		ports[i] = port
		talk(port, []byte("ATE0;+CMGF=0\r"), "OK")
		talk(port, []byte("AT+CNMI=2,2,0,1,0\r"), "OK")
	}
	b.ResetTimer()
	before := spent()
	var wg sync.WaitGroup
	for i, port := range ports {
		wg.Go(func() {
			for range (b.N + i) / modems {
				if !talk(port, prompt, ">") || !talk(port, pdu, "+CDS") {
					return
				}
			}
		})
	}
	wg.Wait()
	cpu := spent() - before
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "cpu-µs/SMS")
	b.ReportMetric(100*cpu.Seconds()/b.Elapsed().Seconds(), "cpu-%")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "SMS/s")
}

// spent is the time that this process has had of the cores.
func spent() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
