package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"dmgate/codec/push"
)

type decodeCmd struct {
	As   string `help:"What the input is: auto, syncml, cp, si, sl, tnds, devinf, push, notification or sms." enum:"auto,syncml,cp,si,sl,tnds,devinf,push,notification,sms" default:"auto"`
	File string `arg:"" optional:"" help:"Binary or hexadecimal, one PDU a line; - or nothing for standard input."`
}

// Run prints what the input says.
func (d *decodeCmd) Run() error {
	in, err := readInput(d.File)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := decode(&out, d.As, unhex(in)); err != nil {
		return err // and nothing of half a message
	}
	_, err = out.WriteTo(os.Stdout)
	return err
}

// decode lists pieces, which are one document, push or notification, or any number of SMS.
func decode(out io.Writer, as string, pieces [][]byte) error {
	switch {
	case len(pieces) == 0:
		return errors.New("offset 0: empty input")
	case as == "auto":
		return decodeAuto(out, pieces)
	case as == "sms":
		return listSMS(out, pieces)
	case len(pieces) > 1:
		return fmt.Errorf("want one %s, got %d lines of hexadecimal", as, len(pieces))
	case as == "push":
		return listPush(out, pieces[0])
	case as == "notification":
		return listNotification(out, pieces[0])
	}
	return listDocument(out, documentNamed(as), pieces[0])
}

// decodeAuto takes a notification without extras first, since it begins with a digest, which may pass for anything, and
// then a push, whose first bytes may pass for a WBXML header. A document goes by what it says of itself, and the rest by
// which reader takes it.
func decodeAuto(out io.Writer, pieces [][]byte) error {
	if len(pieces) == 1 {
		b := pieces[0]
		if plainNotification(b) {
			return listNotification(out, b)
		}
		d := documentOf(b)
		if d == nil || !isXML(b) {
			if p, err := push.ReadPush(b); err == nil && len(p.Body) > 0 {
				return listPush(out, b)
			}
		}
		if d != nil {
			return listDocument(out, d, b)
		}
	}
	for _, list := range []func(io.Writer, [][]byte) error{listSMS, func(w io.Writer, p [][]byte) error {
		return decode(w, "notification", p)
	}} {
		if list(io.Discard, pieces) == nil {
			return list(out, pieces)
		}
	}
	return errors.New("offset 0: neither a DM message, a provisioning document, SI, SL, TNDS, DevInf, push, SMS nor " +
		"notification; name it with --as")
}

func listDocument(out io.Writer, d *document, b []byte) error {
	text, err := d.readable(b)
	if err != nil {
		return err
	}
	_, err = out.Write(append(bytes.TrimRight(text, "\n"), '\n'))
	return err
}

func listPush(out io.Writer, b []byte) error {
	p, err := push.ReadPush(b)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "WSP push, transaction %d\ncontent type: %s\n", p.TID, p.Type())
	if p.HasAppID {
		fmt.Fprintf(out, "application id: 0x%02X\n", p.AppID)
	}
	if p.Signed {
		fmt.Fprintf(out, "SEC: %s\nMAC: %s\n", p.SEC, p.MAC)
	}
	switch {
	case p.TypeName != "":
	case p.ContentType == push.TypeNotification:
		return listNotification12(out, p.Body)
	case p.ContentType == push.TypeNotification13:
		return listNotification13(out, p.Body)
	}
	if d := documentOf(p.Body); d != nil {
		return listDocument(out, d, p.Body)
	}
	fmt.Fprintf(out, "body: %X\n", p.Body)
	return nil
}
