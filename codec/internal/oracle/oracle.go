// Package oracle finds the programs that did not come from us and against which tests check our codecs: wbxml2xml and
// xml2wbxml (Debian libwbxml2-utils), tshark.
package oracle

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// requireVar is the environment variable that makes a missing oracle a failure. CI sets it to "require".
const requireVar = "DMGATE_ORACLES"

// Need returns the path of the program name. Where it is not installed the test is skipped, or fails if DMGATE_ORACLES
// is set to "require".
func Need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv(requireVar) == "require" {
		t.Fatalf("%s is not installed, and %s=require", name, requireVar)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// Run runs the program at path with in as standard input and returns its standard output. It fails the test where the
// program can not be run or exits with an error.
func Run(t testing.TB, in []byte, path string, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", path, args, err, errs.Bytes())
	}
	return out.Bytes()
}
