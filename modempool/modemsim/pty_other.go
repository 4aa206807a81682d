//go:build !linux

package modemsim

import (
	"errors"
	"os"
)

func openPTY() (master, slave *os.File, err error) {
	return nil, nil, errors.New("modemsim: simulated modems need Linux")
}

func shareable(*os.File) {}
