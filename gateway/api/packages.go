package api

import (
	"time"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// Package is one version of some software, as one kind of device can take it.
type Package struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Title      string            `json:"title,omitempty"`
	Client     bool              `json:"client,omitempty"`
	Enabled    bool              `json:"enabled"`
	Created    time.Time         `json:"created"`
	Removed    *time.Time        `json:"removed,omitempty"` // deleted; it stays until no job uses it
	Rules      []PackageRule     `json:"rules,omitempty"`
	Capability string            `json:"capability,omitempty"`
	Recipes    []string          `json:"recipes,omitempty"`
	URL        string            `json:"url,omitempty"`
	SHA256     string            `json:"sha256,omitempty"`
	Size       int64             `json:"size,omitempty"`
	Type       string            `json:"type"`
	FileName   string            `json:"file_name,omitempty"`
	Uploaded   *time.Time        `json:"uploaded,omitempty"` // when its file came
	Available  bool              `json:"available"`          // a device could fetch it
	Software   string            `json:"software,omitempty"`
	Params     string            `json:"params,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
}

// PackageRule says of which devices a fact has to be what.
type PackageRule struct {
	Fact   string   `json:"fact"`
	Is     []string `json:"is,omitempty"`
	Not    []string `json:"not,omitempty"`
	From   string   `json:"from,omitempty"`
	Before string   `json:"before,omitempty"`
}

// NewPackage is a package that is put into the catalogue.
type NewPackage struct {
	// Key makes the request safe to repeat: the same key stands for the same package.
	Key        string            `json:"key,omitempty"`
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Title      string            `json:"title,omitempty"`
	Client     bool              `json:"client,omitempty"`
	Enabled    *bool             `json:"enabled,omitempty"` // true where it is not said
	Rules      []PackageRule     `json:"rules,omitempty"`
	Capability string            `json:"capability,omitempty"`
	Recipes    []string          `json:"recipes,omitempty"`
	URL        string            `json:"url,omitempty"`    // none where the file is uploaded
	SHA256     string            `json:"sha256,omitempty"` // what the file has to be
	Size       int64             `json:"size,omitempty"`
	Type       string            `json:"type"`
	FileName   string            `json:"file_name,omitempty"`
	Software   string            `json:"software,omitempty"`
	Params     string            `json:"params,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
}

// EditPackage is what can be changed of a package. What is not there stays as it is.
type EditPackage struct {
	Title      *string            `json:"title,omitempty"`
	Client     *bool              `json:"client,omitempty"`
	Enabled    *bool              `json:"enabled,omitempty"`
	Rules      *[]PackageRule     `json:"rules,omitempty"`
	Capability *string            `json:"capability,omitempty"`
	Recipes    *[]string          `json:"recipes,omitempty"`
	Type       *string            `json:"type,omitempty"`
	FileName   *string            `json:"file_name,omitempty"`
	Software   *string            `json:"software,omitempty"`
	Params     *string            `json:"params,omitempty"`
	Values     *map[string]string `json:"values,omitempty"`
}

// PackagePage is a page of packages.
type PackagePage struct {
	Packages []Package `json:"packages"`
	Next     string    `json:"next,omitempty"` // the ?after of the next page
}

// Choice is which package a device would get, and why.
type Choice struct {
	Chosen     string      `json:"chosen,omitempty"` // its ID; none where no package fits
	Candidates []Candidate `json:"candidates"`       // the best first
}

// Candidate is a package that was looked at.
type Candidate struct {
	Package string `json:"package"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Why     string `json:"why"` // by which facts it was chosen, or by which fact and rule it was not
}

func (a *API) createPackage(r *request) (any, error) {
	var in NewPackage
	if err := r.read(&in); err != nil {
		return nil, err
	}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	p, repeated, err := a.fleet.AddPackage(in.Key, storage.Package{
		Name: in.Name, Version: in.Version, Title: in.Title, Client: in.Client, Enabled: in.Enabled == nil || *in.Enabled,
		Rules: readRules(in.Rules), Capability: in.Capability, Recipes: in.Recipes, URL: in.URL,
		File:     storage.File{SHA256: in.SHA256, Size: in.Size, Type: in.Type, Name: in.FileName},
		Software: in.Software, Params: in.Params, Values: in.Values,
	})
	if err != nil {
		return nil, err
	}
	if repeated {
		r.status = 200
	}
	r.Response.Header.Set("Location", Prefix+"packages/"+p.ID)
	return showPackage(p), nil
}

func (a *API) listPackages(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	list, err := a.fleet.Packages(string(r.QueryArgs().Peek("after")), limit)
	if err != nil {
		return nil, err
	}
	page := PackagePage{Packages: make([]Package, len(list))}
	for i := range list {
		page.Packages[i] = showPackage(&list[i])
	}
	if len(list) == limit && limit > 0 {
		page.Next = list[limit-1].ID
	}
	return page, nil
}

func (a *API) getPackage(r *request) (any, error) {
	p, err := a.fleet.Package(r.id)
	if err != nil {
		return nil, err
	}
	return showPackage(p), nil
}

func (a *API) editPackage(r *request) (any, error) {
	var in EditPackage
	if err := r.read(&in); err != nil {
		return nil, err
	}
	p, err := a.fleet.EditPackage(r.id, func(p *storage.Package) error {
		set(&p.Title, in.Title)
		set(&p.Client, in.Client)
		set(&p.Enabled, in.Enabled)
		set(&p.Capability, in.Capability)
		set(&p.Recipes, in.Recipes)
		set(&p.File.Type, in.Type)
		set(&p.File.Name, in.FileName)
		set(&p.Software, in.Software)
		set(&p.Params, in.Params)
		set(&p.Values, in.Values)
		if in.Rules != nil {
			p.Rules = readRules(*in.Rules)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return showPackage(p), nil
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// deletePackage takes a package out of the catalogue. It is shown, as removed, until no job uses it.
func (a *API) deletePackage(r *request) (any, error) {
	p, err := a.fleet.RemovePackage(r.id)
	if err != nil {
		return nil, err
	}
	return showPackage(p), nil
}

// choosePackage says which package of a name a device would get, and of each other why it would not. With ?by=link,
// what device management can do on the device does not matter.
func (a *API) choosePackage(r *request) (any, error) {
	args := r.QueryArgs()
	by := string(args.Peek("by"))
	if by != "" && by != "link" && by != "dm" {
		return nil, &fleet.FieldError{Field: "by", Reason: "want dm or link"}
	}
	name := string(args.Peek("name"))
	if name == "" {
		return nil, &fleet.FieldError{Field: "name", Reason: "want the name of a package"}
	}
	candidates, err := a.fleet.Candidates(
		storage.DeviceID(args.Peek("device")), name, string(args.Peek("version")), by == "link")
	if err != nil {
		return nil, err
	}
	out := Choice{Candidates: make([]Candidate, len(candidates))}
	for i := range candidates {
		c := &candidates[i]
		if c.Chosen {
			out.Chosen = c.Package.ID
		}
		out.Candidates[i] = Candidate{Package: c.Package.ID, Name: c.Package.Name, Version: c.Package.Version, Why: c.Why}
	}
	return out, nil
}

func readRules(in []PackageRule) []storage.PackageRule {
	out := make([]storage.PackageRule, len(in))
	for i := range in {
		out[i] = storage.PackageRule(in[i])
	}
	return out
}

func showPackage(p *storage.Package) Package {
	out := Package{
		ID: p.ID, Name: p.Name, Version: p.Version, Title: p.Title, Client: p.Client, Enabled: p.Enabled, Created: p.Created,
		Removed: instant(p.Removed), Capability: p.Capability, Recipes: p.Recipes, URL: p.URL, SHA256: p.File.SHA256,
		Size: p.File.Size, Type: p.File.Type, FileName: p.File.Name, Uploaded: instant(p.File.Uploaded),
		Available: p.Available(), Software: p.Software, Params: p.Params, Values: p.Values,
	}
	for _, rule := range p.Rules {
		out.Rules = append(out.Rules, PackageRule(rule))
	}
	return out
}
