package fleet

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dmgate/storage"
)

func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"Nokia", "nokia", true}, {"Nokia", "Nokia ", false}, {"*", "", true}, {"", "", true}, {"", "x", false}, {"?", "", false},
		{"N9?", "N95", true}, {"N9?", "N9", false}, {"N9*", "N9", true}, {"*8GB", "N95 8GB", true}, {"*a*b", "xaxbxab", true},
		{"*a*b", "xaxbxac", false}, {"a**b", "ab", true}, {"é?", "ÉÜ", true}, {"[N]", "N", false}, {"a/b*", "a/b/c", true},
	} {
		if got := matchGlob(c.pattern, c.s); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.s, got)
		}
	}
}

func TestRulesNameTheFactAndWhatTheyWant(t *testing.T) {
	r := newRig(t)
	dev := &storage.Device{
		DevID: "IMEI:490154203237518", Facts: map[string]string{"Man": "Nokia", "Mod": "N95", "FwV": "V 21.0.016"},
	}
	for _, c := range []struct {
		rule storage.PackageRule
		want string
	}{
		{storage.PackageRule{Fact: "Man", Is: []string{"nokia"}}, ""},
		{storage.PackageRule{Fact: "Man"}, ""},
		{storage.PackageRule{Fact: "TAC", Is: []string{"490154*"}}, ""},
		{storage.PackageRule{Fact: "FwV", From: "20", Before: "31"}, `FwV is "V 21.0.016", want from 20, before 31`},
		{storage.PackageRule{Fact: "FwV", From: "V 21.0.016", Before: "V 21.0.17"}, ""},
		{storage.PackageRule{Fact: "FwV", Before: "V 21.0.016"}, `FwV is "V 21.0.016", want before V 21.0.016`},
		{storage.PackageRule{Fact: "Mod", Is: []string{"N97*", "E7?"}}, `Mod is "N95", want "N97*" or "E7?"`},
		{storage.PackageRule{Fact: "Mod", Is: []string{"N9*"}, Not: []string{"N95*"}}, `Mod is "N95", want "N9*", not "N95*"`},
		{storage.PackageRule{Fact: "OEM"}, "OEM is not known, want any"},
		{storage.PackageRule{Fact: "DevTyp", Is: []string{"smartphone"}}, `DevTyp is not known, want "smartphone"`},
	} {
		if got := broken(&c.rule, r.packageFacts(dev)); got != c.want {
			t.Errorf("%+v: %q, want %q", c.rule, got, c.want)
		}
	}
	if got, want := broken(&storage.PackageRule{Fact: "TAC"}, r.packageFacts(&storage.Device{DevID: "IMEI:123"})), "TAC is not known, want any"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// add puts a package into the catalogue, with its file.
func (r *rig) add(p storage.Package) *storage.Package {
	r.t.Helper()
	if p.File.Type == "" {
		p.File.Type = "application/x-test"
	}
	r.now = r.now.Add(time.Second)
	added, _, err := r.AddPackage("", p)
	if err != nil {
		r.t.Fatal(err)
	}
	if p.URL == "" && p.File.Size == 0 {
		if added, err = r.SetPackageFile(added.ID, strings.Repeat("ab", 32), 5); err != nil {
			r.t.Fatal(err)
		}
	}
	return added
}

func rule(fact string, is ...string) storage.PackageRule {
	return storage.PackageRule{Fact: fact, Is: is}
}

func TestChoiceSaysWhyAndWhyNot(t *testing.T) {
	r := newRig(t)
	nokia := []storage.PackageRule{rule("Man", "Nokia")}
	old := r.add(storage.Package{Name: "mail", Version: "1.9", Enabled: true})
	plain := r.add(storage.Package{Name: "mail", Version: "1.10", Enabled: true, Client: true})
	s60 := r.add(storage.Package{Name: "mail", Version: "1.10.0", Enabled: true, Rules: nokia})
	later := r.add(storage.Package{Name: "mail", Version: "1.10.0", Enabled: true, Rules: nokia})
	off := r.add(storage.Package{Name: "mail", Version: "2.0"})
	bare := r.add(storage.Package{Name: "mail", Version: "3.0", Enabled: true, File: storage.File{Size: 9}})
	samsung := r.add(storage.Package{Name: "mail", Version: "4.0", Enabled: true, Rules: []storage.PackageRule{nokia[0], rule("Mod", "SGH*")}})
	scm := r.add(storage.Package{Name: "mail", Version: "5.0", Enabled: true, Recipes: []string{"scm-*"}, URL: "http://files.test/5"})
	firmware := r.add(storage.Package{Name: "mail", Version: "6.0", Enabled: true, Capability: "firmware"})
	gone := r.add(storage.Package{Name: "mail", Version: "7.0", Enabled: true})
	if _, err := r.RemovePackage(gone.ID); err != nil {
		t.Fatal(err)
	}
	r.add(storage.Package{Name: "other", Version: "9", Enabled: true})

	dev := &storage.Device{Facts: map[string]string{"Man": "Nokia", "Mod": "N95"}}
	can := abilities{"install": {"scomo-download"}}
	line := func(p *storage.Package, why string) string {
		return fmt.Sprintf("%s %s (%s): %s", p.Name, p.Version, p.ID, why)
	}
	for _, c := range []struct {
		name, version string
		can           abilities
		dev           *storage.Device
		want          *storage.Package
		why           []string
	}{
		{"mail", "", can, dev, s60, []string{
			line(gone, "it was deleted"),
			line(firmware, "the device can not firmware"),
			line(scm, `the device can install by scomo-download only, want "scm-*"`),
			line(samsung, `Mod is "N95", want "SGH*" (rule 2)`),
			line(bare, "its file was not uploaded yet"),
			line(off, "it is not enabled"),
			line(s60, `chosen: the newest that fits: Man is "Nokia"`),
			line(later, "fits, but another one of the same version goes first"),
			line(plain, "fits, but another one of the same version goes first"),
			line(old, "fits, but 1.10.0 is newer"),
		}},
		{"mail", "", nil, dev, firmware, nil},
		{"mail", "1.9", can, dev, old, nil},
		{"mail", "", can, &storage.Device{}, plain, nil},
		{"client", "", can, &storage.Device{}, plain, []string{line(plain, "chosen: the newest that fits, for any device")}},
	} {
		pkg, why, err := r.choosePackage(c.dev, c.can, c.name, c.version)
		if err != nil || pkg.ID != c.want.ID {
			t.Errorf("%s %s: %+v %v, want %s %s", c.name, c.version, pkg, err, c.want.Version, c.want.ID)
		}
		if c.why != nil && strings.Join(why, "\n") != strings.Join(c.why, "\n") {
			t.Errorf("%s %s: why\n%s\nwant\n%s", c.name, c.version, strings.Join(why, "\n"), strings.Join(c.why, "\n"))
		}
	}
	if _, _, err := r.choosePackage(dev, can, "chat", ""); !errors.Is(err, errNoPackage) ||
		err.Error() != `fleet: no package fits: the catalogue has no "chat"` {
		t.Error(err)
	}
	if _, why, err := r.choosePackage(dev, abilities{}, "other", ""); !errors.Is(err, errNoPackage) || len(why) != 1 ||
		!strings.HasSuffix(err.Error(), "the device can not install") {
		t.Errorf("%v %v", why, err)
	}
}

func TestPackageThatCanBeFetchedStaysWhatItIs(t *testing.T) {
	r := newRig(t)
	p, _, err := r.AddPackage("", storage.Package{Name: "mail", Version: "1", File: storage.File{Type: "a/b", Size: 5}})
	if err != nil {
		t.Fatal(err)
	}
	field := func(err error, want string) {
		t.Helper()
		var bad *FieldError
		if !errors.As(err, &bad) || bad.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	sum, other := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	if _, err := r.EditPackage(p.ID, func(p *storage.Package) error { p.Version, p.File.SHA256 = "1.1", sum; return nil }); err != nil {
		t.Fatal(err)
	}
	_, err = r.SetPackageFile(p.ID, sum, 6)
	field(err, "size: 6 bytes, announced were 5")
	_, err = r.SetPackageFile(p.ID, other, 5)
	field(err, "sha256: "+other+", announced was "+sum)
	if got, err := r.SetPackageFile(p.ID, sum, 5); err != nil || !got.Available() {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := r.SetPackageFile(p.ID, other, 5); !errors.Is(err, ErrHasFile) {
		t.Error(err)
	}
	if _, err := r.SetPackageFile(p.ID, sum, 5); err != nil {
		t.Errorf("the same again: %v", err)
	}
	_, err = r.EditPackage(p.ID, func(p *storage.Package) error { p.Version = "2"; return nil })
	field(err, "version: stays what it is once the package can be fetched: want another package")
	_, err = r.EditPackage(p.ID, func(p *storage.Package) error { p.File.SHA256 = other; return nil })
	field(err, "sha256: stays what it is once the package can be fetched: want another package")
	if got, err := r.EditPackage(p.ID, func(p *storage.Package) error { p.Enabled = true; return nil }); err != nil || !got.Enabled {
		t.Errorf("%+v %v", got, err)
	}
	if again, repeated, err := r.AddPackage("k", storage.Package{Name: "a", Version: "1", File: storage.File{Type: "a/b"}}); err != nil || repeated {
		t.Errorf("%+v %v %v", again, repeated, err)
	}
	if again, repeated, err := r.AddPackage("k", storage.Package{Name: "b", Version: "2", File: storage.File{Type: "a/b"}}); err != nil ||
		!repeated || again.Name != "a" {
		t.Errorf("%+v %v %v", again, repeated, err)
	}
}
