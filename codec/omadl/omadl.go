// Package omadl writes download descriptors, and reads what a device says of the installation. Source: OMA-Download-OTA
// V1.0, sections 5.2 and 5.3.
package omadl

import (
	"fmt"
	"strconv"
	"strings"

	"dmgate/codec/internal/xmldoc"
)

// TypeDD is the content type of a descriptor.
const TypeDD = "application/vnd.oma.dd+xml"

// Descriptor tells a device of a file before it fetches it. Fields that are empty are not written, but for URI, Type
// and Size, which have to be there.
type Descriptor struct {
	Type         string // content type of the file
	Size         int64  // bytes
	URI          string // where the file is
	Name         string // shown to the user
	Description  string
	Vendor       string
	NotifyURI    string // where the device posts what has become of the installation
	InstallParam string
}

// Append appends d as XML.
func (d *Descriptor) Append(dst []byte) []byte {
	dst = append(dst, xmldoc.Declaration...)
	dst = append(dst, `<media xmlns="http://www.openmobilealliance.org/xmlns/dd"><DDVersion>1.0</DDVersion>`...)
	for _, e := range [...]struct{ name, value string }{
		{"name", d.Name}, {"description", d.Description}, {"vendor", d.Vendor}, {"type", d.Type},
		{"size", strconv.FormatInt(d.Size, 10)}, {"objectURI", d.URI}, {"installParam", d.InstallParam},
		{"installNotifyURI", d.NotifyURI},
	} {
		if e.value == "" {
			continue
		}
		dst = append(append(append(dst, '<'), e.name...), '>')
		dst = xmldoc.AppendText(dst, e.value)
		dst = append(append(append(dst, "</"...), e.name...), '>')
	}
	return append(dst, "</media>"...)
}

// Status codes of an installation.
const (
	Success            = 900
	InsufficientMemory = 901
	UserCancelled      = 902
	LossOfService      = 903
	AttributeMismatch  = 905
	InvalidDescriptor  = 906
	InvalidVersion     = 951
	DeviceAborted      = 952
	NotAcceptable      = 953
	LoaderError        = 954
)

// says are the words for the codes.
var says = map[int]string{
	Success: "success", InsufficientMemory: "insufficient memory", UserCancelled: "the user cancelled it",
	LossOfService: "loss of service", AttributeMismatch: "the file is not what the descriptor says",
	InvalidDescriptor: "invalid descriptor", InvalidVersion: "invalid version of the descriptor",
	DeviceAborted: "the device aborted it", NotAcceptable: "the content is not acceptable", LoaderError: "loader error",
}

// Status is what a device says of an installation.
type Status int

// ReadStatus reads the body of an install notification: "900 Success", of which only the number counts. Clients of J2ME
// send the same.
func ReadStatus(body []byte) (Status, error) {
	text := strings.TrimLeft(string(body[:min(len(body), maxStatus)]), " \t\r\n")
	digits, _, _ := strings.Cut(strings.ReplaceAll(strings.ReplaceAll(text, "\r", " "), "\n", " "), " ")
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) != 3 || n < 900 || n > 999 {
		return 0, fmt.Errorf("omadl: %.20q is no status from 900 to 999", text)
	}
	return Status(n), nil
}

// maxStatus is how much of a notification is looked at.
const maxStatus = 64

// String is the code with its words, "900 success".
func (s Status) String() string {
	if text := says[int(s)]; text != "" {
		return strconv.Itoa(int(s)) + " " + text
	}
	return strconv.Itoa(int(s))
}
