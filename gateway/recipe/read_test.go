package recipe

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestFaults reads rules files, and says what is wrong with them.
func TestFaults(t *testing.T) {
	datadriven.RunTest(t, "testdata/faults.txt", func(t *testing.T, d *datadriven.TestData) string {
		_, errs := compile(builtin(), []file{newFile("rules.yaml", []byte(d.Input+"\n"))})
		var out strings.Builder
		for _, err := range errs {
			out.WriteString(strings.TrimPrefix(err.Error(), "rules.yaml:") + "\n")
		}
		return out.String()
	})
}
