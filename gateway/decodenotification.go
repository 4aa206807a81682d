package main

import (
	"fmt"
	"io"
	"strings"

	"dmgate/codec/push"
)

// plainNotification says whether b is a notification of either form to the last bit, with nothing in it that could be
// anything.
func plainNotification(b []byte) bool {
	if n, err := push.ReadNotification(b); err == nil {
		return n.Future == 0 && len(n.Vendor) == 0 && plainName(n.ServerID)
	}
	n, err := push.ReadNotification13(b)
	return err == nil && plainName(n.ServerID()) && n.Options[len(n.Options)-1].Number <= push.OptionVendorInfo
}

// likelyNotification says whether b is a notification of either form, whatever a vendor may have added.
func likelyNotification(b []byte) bool {
	if n, err := push.ReadNotification(b); err == nil {
		return n.Future == 0 && plainName(n.ServerID)
	}
	n, err := push.ReadNotification13(b)
	return err == nil && n.Future == 0 && plainName(n.ServerID())
}

// cutNotification is the error for b where its head is that of a notification of either form; nil where it is not.
func cutNotification(b []byte) error {
	if n, err := push.ReadNotification(b); err != nil && (n.Version == push.Version10 || n.Version == push.Version11) &&
		n.Future == 0 {
		return err
	}
	if n, err := push.ReadNotification13(b); err != nil && (n.Version == 12 || n.Version == 13) && n.Future == 0 &&
		n.SessionID != 0 {
		return err
	}
	return nil
}

// plainName says whether s is a name as servers have them.
func plainName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}

// listNotification lists a notification of either form. The forms differ in where the version stands; where neither
// fits, the error is that of the commoner one.
func listNotification(out io.Writer, b []byte) error {
	err := listNotification12(out, b)
	if err != nil && listNotification13(io.Discard, b) == nil {
		return listNotification13(out, b)
	}
	return err
}

func listNotification12(out io.Writer, b []byte) error {
	n, err := push.ReadNotification(b)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "DM notification, version %d\ndigest: %X\nui-mode: %s\ninitiator: %s\nsession: %X\nserver: %s\n",
		n.Version, n.Digest, n.UIMode, initiator(n.ServerInitiated), n.SessionID, n.ServerID)
	if len(n.Vendor) > 0 {
		fmt.Fprintf(out, "vendor: %X\n", n.Vendor)
	}
	return nil
}

func listNotification13(out io.Writer, b []byte) error {
	n, err := push.ReadNotification13(b)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "DM 1.3 notification, version %d\nui-mode: %s\ninitiator: %s\nsession: %X\n",
		n.Version, n.UIMode, initiator(n.ServerInitiated), n.SessionID)
	for i := range n.Options {
		o := &n.Options[i]
		fmt.Fprintf(out, "%s: %s\n", o.Name(), o)
	}
	fmt.Fprintf(out, "digest: %X\n", n.Digest)
	return nil
}

func initiator(server bool) string {
	if server {
		return "server"
	}
	return "client"
}
