package modemsim

import (
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// openPTY opens a pty in raw mode, so that the line discipline does not echo and translate before anyone has opened
// the port.
func openPTY() (master, slave *os.File, err error) {
	p, slave, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = p.Close() }() // its file description lives on in master
	// pty.Open leaves a blocking descriptor, whose Close waits for the Read under way: the hang-up would never come.
	fd, err := unix.FcntlInt(p.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		if err = unix.SetNonblock(fd, true); err == nil {
			master = os.NewFile(uintptr(fd), "ptmx")
			if err = makeRaw(int(slave.Fd())); err == nil {
				return master, slave, nil
			}
		}
		_ = unix.Close(fd)
	}
	_ = slave.Close()
	return nil, nil, err
}

func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = unix.IGNBRK, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// shareable ends the exclusive mode that an opener has set. It is tried only: the terminal may be gone.
func shareable(f *os.File) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) })
	}
}
