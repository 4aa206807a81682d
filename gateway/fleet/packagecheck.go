package fleet

import (
	"fmt"
	"net/url"
	"regexp"

	"dmgate/storage"
)

// Bounds of a package.
const (
	maxRules        = 64
	maxPatterns     = 256
	maxPackageText  = 512 // bytes of a title, a pattern, a software ID
	maxParams       = 4096
	maxValues       = 64
	maxPackageURL   = 1024
	maxPackageBytes = 1 << 40
)

var (
	packageName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	packageVersion = regexp.MustCompile(`^[!-~]([ -~]{0,62}[!-~])?$`)
	sha256Hex      = regexp.MustCompile(`^[0-9a-f]{64}$`)
	contentType    = regexp.MustCompile(`^[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}$`)
	fileName       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)
	factName       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9/_.-]{0,63}$`)
	valueName      = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,63}$`)
)

// checkPackage says what can not be.
func checkPackage(p *storage.Package) error {
	switch {
	case !packageName.MatchString(p.Name):
		return &FieldError{"name", fmt.Sprintf("%.80q is not 1 to 64 letters, digits, dots or dashes", p.Name)}
	case !packageVersion.MatchString(p.Version):
		return &FieldError{"version", fmt.Sprintf("%.80q is not 1 to 64 printable ASCII characters", p.Version)}
	case len(p.Title) > maxPackageText:
		return &FieldError{"title", fmt.Sprintf("%d bytes, at most %d", len(p.Title), maxPackageText)}
	case p.File.SHA256 != "" && !sha256Hex.MatchString(p.File.SHA256):
		return &FieldError{"sha256", fmt.Sprintf("%.80q is not 64 hexadecimal digits in lower case", p.File.SHA256)}
	case p.File.Size < 0 || p.File.Size > maxPackageBytes:
		return &FieldError{"size", fmt.Sprintf("%d is not 0 to %d bytes", p.File.Size, int64(maxPackageBytes))}
	case !contentType.MatchString(p.File.Type):
		return &FieldError{"type", fmt.Sprintf("%.80q is no content type such as application/java-archive", p.File.Type)}
	case p.File.Name != "" && !fileName.MatchString(p.File.Name):
		return &FieldError{"file_name", fmt.Sprintf("%.80q is not 1 to 64 letters, digits, dots or dashes", p.File.Name)}
	case len(p.Software) > maxPackageText:
		return &FieldError{"software", fmt.Sprintf("%d bytes, at most %d", len(p.Software), maxPackageText)}
	case len(p.Params) > maxParams:
		return &FieldError{"params", fmt.Sprintf("%d bytes, at most %d", len(p.Params), maxParams)}
	case len(p.Values) > maxValues:
		return &FieldError{"values", fmt.Sprintf("%d of them, at most %d", len(p.Values), maxValues)}
	case p.Capability != "" && !valueName.MatchString(p.Capability):
		return &FieldError{"capability", fmt.Sprintf("%.80q is no name such as install", p.Capability)}
	case len(p.Rules) > maxRules:
		return &FieldError{"rules", fmt.Sprintf("%d of them, at most %d", len(p.Rules), maxRules)}
	}
	for name, value := range p.Values {
		if !valueName.MatchString(name) || len(value) > maxParams {
			reason := fmt.Sprintf("%.80q: want a name such as apn.address, and at most %d bytes", name, maxParams)
			return &FieldError{"values", reason}
		}
	}
	if err := checkPatterns("recipes", p.Recipes); err != nil {
		return err
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		field := fmt.Sprintf("rules[%d].", i)
		if !factName.MatchString(r.Fact) {
			return &FieldError{field + "fact", fmt.Sprintf("%.80q is no name of a node such as FwV", r.Fact)}
		}
		if err := checkPatterns(field+"is", r.Is); err != nil {
			return err
		}
		if err := checkPatterns(field+"not", r.Not); err != nil {
			return err
		}
		if len(r.From) > maxPackageText || len(r.Before) > maxPackageText {
			return &FieldError{field + "from", fmt.Sprintf("a version is at most %d bytes", maxPackageText)}
		}
	}
	return checkPackageURL(p.URL)
}

func checkPatterns(field string, patterns []string) error {
	if len(patterns) > maxPatterns {
		return &FieldError{field, fmt.Sprintf("%d of them, at most %d", len(patterns), maxPatterns)}
	}
	for _, pattern := range patterns {
		if pattern == "" || len(pattern) > maxPackageText {
			return &FieldError{field, fmt.Sprintf("a pattern is 1 to %d bytes", maxPackageText)}
		}
	}
	return nil
}

func checkPackageURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case len(text) > maxPackageURL:
		return &FieldError{"url", fmt.Sprintf("%d bytes, at most %d", len(text), maxPackageURL)}
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return &FieldError{"url", fmt.Sprintf("%.200q is no http or https URL", text)}
	}
	return nil
}
