package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"dmgate/codec"
	"dmgate/codec/push"
)

type decodeCmd struct {
	As   string `help:"What the input is: auto, syncml, cp, si, sl, tnds, devinf, push, notification or sms." enum:"auto,syncml,cp,si,sl,tnds,devinf,push,notification,sms" default:"auto"`
	File string `arg:"" optional:"" help:"Binary, or hexadecimal as of xxd -p; of SMS one a line. - or nothing for standard input."`
}

// Run prints what the input says.
func (d *decodeCmd) Run() error {
	in, err := readInput(d.File)
	if err != nil {
		return err
	}
	lines, err := unhex(in)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := decode(&out, d.As, lines); err != nil {
		return err // and nothing of half a message
	}
	_, err = out.WriteTo(os.Stdout)
	return err
}

// decode lists what lines hold: any number of SMS, or one document, push or notification, in lines or not.
func decode(out io.Writer, as string, lines []line) error {
	if len(lines) == 0 {
		return errors.New("offset 0: empty input")
	}
	switch as {
	case "auto":
		return decodeAuto(out, lines)
	case "sms":
		one := []line{{pdu: joined(lines)}}
		if len(lines) > 1 && listSMS(io.Discard, lines) != nil && listSMS(io.Discard, one) == nil {
			lines = one
		}
		return listSMS(out, lines)
	case "push":
		return listPush(out, joined(lines))
	case "notification":
		return listNotification(out, joined(lines))
	}
	return listDocument(out, documentNamed(as), joined(lines))
}

// decodeAuto lists lines for what they seem to be: SMS, where there is more than one of them, or a single thing.
func decodeAuto(out io.Writer, lines []line) error {
	for _, l := range lines {
		if s, err := readSMS(l.pdu); len(lines) > 1 && err == nil && s.plausible {
			return listSMS(out, lines)
		}
	}
	b := joined(lines)
	s, err := readSMS(b)
	isSMS := err == nil && s.plausible
	d := documentOf(b)
	switch p, pushErr := push.ReadPush(b); {
	case plainNotification(b): // it begins with a digest, which may pass for anything
		return listNotification(out, b)
	case pushErr == nil && len(p.Body) > 0 && !isXML(b): // its first bytes may pass for a WBXML header
		return listPush(out, b)
	case d != nil:
		return listDocument(out, d, b)
	case isSMS:
		return listSMS(out, []line{{pdu: b}})
	case likelyNotification(b):
		return listNotification(out, b)
	case s.plausible: // and cut short
		return err
	}
	return unknown(b)
}

// unknown is the error for b, which nothing takes, in terms of what comes nearest to taking it.
func unknown(b []byte) error {
	if len(b) > 1 && b[1] == pushPDU && !isXML(b) {
		if _, err := push.ReadPush(b); err != nil {
			return err
		}
		return fmt.Errorf("push: offset %d: push without a body", len(b))
	}
	if d := documentInBadHeader(b); d != nil {
		return listDocument(io.Discard, d, b)
	}
	if err := cutNotification(b); err != nil {
		return err
	}
	return errors.New("offset 0: neither a DM message, a provisioning document, SI, SL, TNDS, DevInf, push, SMS nor " +
		"notification; name it with --as")
}

const pushPDU = 0x06 // the second byte of a WSP push

// shifted is err, which counts offsets in a part, with offsets in the whole: the part begins at offset by.
func shifted(err error, by int) error {
	var syntax *codec.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	moved := *syntax
	moved.Offset += by
	return &moved
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
	if err := listBody(out, &p); err != nil {
		return shifted(err, len(b)-len(p.Body))
	}
	return nil
}

// listBody lists what is pushed, by its content type, or by what it says of itself.
func listBody(out io.Writer, p *push.Push) error {
	kind, _, _ := strings.Cut(p.Type(), ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case typeNotification:
		return listNotification12(out, p.Body)
	case typeNotification13:
		return listNotification13(out, p.Body)
	}
	if d := documentOf(p.Body); d != nil {
		return listDocument(out, d, p.Body)
	}
	fmt.Fprintf(out, "body: %X\n", p.Body)
	return nil
}

// Content types of notifications, whether they come as a number or in text.
var (
	typeNotification   = (&push.Push{ContentType: push.TypeNotification}).Type()
	typeNotification13 = (&push.Push{ContentType: push.TypeNotification13}).Type()
)
