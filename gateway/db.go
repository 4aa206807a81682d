package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dmgate/storage/pebble"
)

type dbCmd struct {
	Check   dbCheckCmd   `cmd:"" help:"Read every record and say what is wrong."`
	Backup  dbBackupCmd  `cmd:"" help:"Copy the store to a new folder. The gateway must not be running."`
	Restore dbRestoreCmd `cmd:"" help:"Put a backup in the place of an empty store."`
}

type dataFlag struct {
	Data string `help:"Data folder of the gateway." default:"data" type:"path"`
}

func (d *dataFlag) store() string { return filepath.Join(d.Data, "store") }

// open opens a store that is there; it never makes one.
func (d *dataFlag) open() (*pebble.Store, error) {
	if _, err := os.Stat(d.store()); err != nil {
		return nil, err
	}
	return pebble.Open(d.store(), pebble.Options{})
}

type dbCheckCmd struct{ dataFlag }

// Run checks the store.
func (c *dbCheckCmd) Run() error {
	s, err := c.open()
	if err != nil {
		return err
	}
	defer s.Close()
	report, err := s.Check()
	if err != nil {
		return err
	}
	fmt.Println(report)
	if !report.OK() {
		return errors.New("the store is not sound")
	}
	return nil
}

type dbBackupCmd struct {
	dataFlag
	To string `arg:"" help:"Folder to be made." type:"path"`
}

// Run backs the store up.
func (c *dbBackupCmd) Run() error {
	s, err := c.open()
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Backup(c.To)
}

type dbRestoreCmd struct {
	dataFlag
	From string `arg:"" help:"Folder that a backup made." type:"existingdir"`
}

// Run restores a backup. It never overwrites: a store that is in the way has to be moved by hand.
func (c *dbRestoreCmd) Run() error {
	if _, err := os.Stat(c.store()); err == nil {
		return fmt.Errorf("%s is there already; move it away first", c.store())
	}
	s, err := pebble.Open(c.From, pebble.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	return s.Backup(c.store())
}
