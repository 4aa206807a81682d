package main

import (
	"errors"
	"os"
)

type encodeCmd struct {
	As   string `help:"What the input is: auto, syncml, cp, si, sl, tnds or devinf." enum:"auto,syncml,cp,si,sl,tnds,devinf" default:"auto"`
	File string `arg:"" optional:"" help:"XML; - or nothing for standard input."`
}

// Run writes the input as WBXML to standard output.
func (e *encodeCmd) Run() error {
	in, err := readInput(e.File)
	if err != nil {
		return err
	}
	out, err := encode(e.As, in)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(out)
	return err
}

func encode(as string, in []byte) ([]byte, error) {
	d := documentNamed(as)
	if d == nil {
		d = documentOf(in)
	}
	if d == nil || !isXML(in) {
		return nil, errors.New("offset 0: no XML document with the root SyncML, wap-provisioningdoc, si, sl, MgmtTree " +
			"or DevInf")
	}
	return d.toWBXML(in)
}
