package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// gateway is a dmgate in a process of its own, with its files in a folder of its own.
type gateway struct {
	program string
	folder  string // data, configuration and log
	device  string // address of the listener
	admin   string

	up      *upstream     // once it was ready
	process *exec.Cmd     // nil while none runs
	ended   chan struct{} // closed when it has ended
	started time.Time     // the last one
}

// findGateway is the program to be measured: the one named, the one beside ours, or one built in folder.
func findGateway(named, folder string) (string, error) {
	if named != "" {
		return exec.LookPath(named)
	}
	if own, err := os.Executable(); err == nil {
		if beside, err := exec.LookPath(filepath.Join(filepath.Dir(own), "dmgate")); err == nil {
			return beside, nil
		}
	}
	program := filepath.Join(folder, "dmgate")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "dmgate/gateway")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building dmgate: %w: %s", err, out)
	}
	return program, nil
}

// newGateway makes a gateway without files in folder, which must not exist.
func newGateway(program, folder string) (*gateway, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	g := &gateway{program: program, folder: folder}
	var err error
	if g.device, err = freeAddress(); err != nil {
		return nil, err
	}
	g.admin, err = freeAddress()
	return g, err
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// readyWithin bounds a start: opening a store after a kill takes the longest.
const readyWithin = 30 * time.Second

// start runs the gateway with what modems says in its configuration, YAML, and waits until it takes work.
func (g *gateway) start(modems string) error {
	config := filepath.Join(g.folder, "dmgate.yaml")
	text := fmt.Sprintf("data: %s\ndevice: {listen: %s}\nadmin: {listen: %s}\nmodems: {rate: 0, %s}\n",
		filepath.Join(g.folder, "data"), g.device, g.admin, modems)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	log, err := os.OpenFile(g.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p := exec.Command(g.program, "serve", "-c", config)
	p.Stdout, p.Stderr = log, log
	g.started = time.Now()
	if err := p.Start(); err != nil {
		return err
	}
	g.process, g.ended = p, make(chan struct{})
	go func(ended chan struct{}) {
		_ = p.Wait() // ProcessState tells the same
		close(ended)
	}(g.ended)
	if err := g.awaitReady(); err != nil {
		g.kill()
		return fmt.Errorf("%w; its log ends with:\n%s", err, g.logEnd())
	}
	return nil
}

func (g *gateway) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if answer, err := http.Get("http://" + g.admin + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		select {
		case <-g.ended:
			return fmt.Errorf("the gateway ended: %v", g.process.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("the gateway was not ready within %v", readyWithin)
		case <-tick.C:
		}
	}
	if g.up != nil {
		return nil
	}
	key, err := os.ReadFile(filepath.Join(g.folder, "data", "admin.key"))
	if err != nil {
		return err
	}
	g.up = newUpstream(g.admin, strings.TrimSpace(string(key)))
	return nil
}

// stop tells the gateway to end and waits for it.
func (g *gateway) stop() error {
	if g.process == nil {
		return nil
	}
	p := g.process
	g.process = nil
	_ = p.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	<-g.ended
	if !p.ProcessState.Success() {
		return fmt.Errorf("the gateway ended: %v; its log ends with:\n%s", p.ProcessState, g.logEnd())
	}
	return nil
}

// kill ends the gateway at once, as a power cut would, but for the disk's own cache.
func (g *gateway) kill() {
	if p := g.process; p != nil {
		g.process = nil
		_ = p.Process.Kill()
		<-g.ended
	}
}

func (g *gateway) logFile() string { return filepath.Join(g.folder, "log") }

// logEnd is the end of what the gateway has logged.
func (g *gateway) logEnd() string {
	b, err := os.ReadFile(g.logFile())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// cpu is the processor time that the gateway's process has taken.
func (g *gateway) cpu() (time.Duration, error) { return processCPU(g.process.Process.Pid) }

// peak is the most memory that the gateway's process has held at a time, in bytes.
func (g *gateway) peak() (uint64, error) { return processPeak(g.process.Process.Pid) }
