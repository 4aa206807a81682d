//go:build !linux

package modempool

import (
	"io"

	"go.bug.st/serial"
)

// OpenPort opens a serial port at 115200 baud, 8N1, raw, without flow control, and for nobody else.
func OpenPort(path string) (io.ReadWriteCloser, error) {
	return serial.Open(path, &serial.Mode{BaudRate: 115200, DataBits: 8})
}
