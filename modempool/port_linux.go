package modempool

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// OpenPort opens a serial port at 115200 baud, 8N1, raw, without flow control, and for nobody else.
//
// It does not become the controlling terminal (O_NOCTTY), or unplugging it would end the process by SIGHUP. It is
// read through the runtime's poller, so that Close ends a Read under way and file descriptors of any number work;
// go.bug.st/serial uses select, which panics from descriptor 1024 on, and a gateway has thousands.
func OpenPort(path string) (io.ReadWriteCloser, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	p := &port{f}
	if err := p.control(setUp); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

type port struct{ *os.File }

// Close gives the port back. The exclusive mode is a property of the terminal and would outlast this descriptor where
// another one is open.
func (p *port) Close() error {
	_ = p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCNXCL, 0) }) // fails where it has gone
	return p.File.Close()
}

// control calls fn with the descriptor. (*os.File).Fd would take it from the poller.
func (p *port) control(fn func(fd int) error) error {
	conn, err := p.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := conn.Control(func(fd uintptr) { err = fn(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}

func setUp(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("not a serial port: %w", err)
	}
	t.Iflag = unix.IGNBRK
	t.Oflag = 0
	t.Lflag = 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Ispeed, t.Ospeed = unix.B115200, unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return fmt.Errorf("setting raw mode: %w", err)
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return fmt.Errorf("exclusive mode: %w", err)
	}
	// What the modem said to whoever had the port before is no answer to us.
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
}
