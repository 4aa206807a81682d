package fleet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// lookUp looks for the way that a job goes next by device management: the first of those that the device has shown, with
// a package that it can carry, which was not tried and which has not failed on others of its model.
func (t *jobTurn) lookUp(s *jobSituation) (changed, again bool, err error) {
	j := s.Job
	s.Looked, s.Way, s.NoWay = true, "", ""
	switch j.Kind {
	case kindNotify, kindTask, jobDiscover:
		if s.Way = rawRecipe; triedBefore(j, rawRecipe) {
			s.Way, s.NoWay = "", j.Tried[len(j.Tried)-1].Reason
		}
		return false, true, nil
	}
	can, err := t.capabilities()
	if err != nil {
		return false, false, err
	}
	ability := can.Find(j.Kind)
	if ability == nil {
		s.NoWay = "the rules know no way to " + j.Kind
		return false, true, nil
	}
	if len(ability.Ways) == 0 {
		s.NoWay = noWay(j, ability)
		return false, true, nil
	}
	pkg, why, err := t.choose(j, ability)
	if errors.Is(err, errNoPackage) {
		s.NoWay = inWords(err)
		return false, true, nil
	}
	if err != nil {
		return false, false, err
	}
	if pkg != nil && j.What.Chosen != pkg.ID {
		j.What.Chosen, changed = pkg.ID, true
		for _, line := range why {
			j.Note(t.now, line)
		}
	}
	way, passed := t.firstWay(j, ability, pkg)
	for _, line := range passed {
		if !noted(j, line) {
			j.Note(t.now, line)
			changed = true
		}
	}
	if way == nil {
		s.NoWay = noWay(j, ability)
		return changed, true, nil
	}
	s.Way, s.Names = way.Recipe.Name, way.Names
	return changed, true, nil
}

// capabilities are what the device can do, as far as it is known now.
func (t *jobTurn) capabilities() (*Capabilities, error) {
	read := t.treeOf
	if t.out != nil {
		read = func(dev *storage.Device) (*tree, error) { return t.treeIn(dev, t.out) }
	}
	known, err := read(t.dev)
	if err != nil {
		return nil, err
	}
	return t.compile(t.dev, known)
}

// choose picks the package that a job is to bring; nil where it needs none of the catalogue.
func (t *jobTurn) choose(j *storage.Job, ability *recipe.Capability) (*storage.Package, []string, error) {
	if j.What.Package == "" || j.What.Values["package.url"] != "" || !jobKinds[j.Kind].links {
		return nil, nil, nil
	}
	var can abilities
	if ability != nil {
		ways := make([]string, len(ability.Ways))
		for i := range ability.Ways {
			ways[i] = ability.Ways[i].Recipe.Name
		}
		// A package that does not say what it is for serves to install and to update.
		can = abilities{ability.Name: ways, defaultAbility: ways}
	}
	return t.choosePackage(t.dev, can, j.What.Package, j.What.Version)
}

// firstWay is the first way that can be gone, and says why those before it are not.
func (t *jobTurn) firstWay(
	j *storage.Job, ability *recipe.Capability, pkg *storage.Package,
) (way *recipe.Way, passed []string) {
	model := t.modelOf(t.dev)
	for i := range ability.Ways {
		w := &ability.Ways[i]
		name := w.Recipe.Name
		reason, barred := model.Barred(name)
		switch {
		case j.What.Recipe != "" && name != j.What.Recipe:
		case barred:
			passed = append(passed, fmt.Sprintf("recipe %s is not tried: %s", name, reason))
		case tries(j, name) > 0 && !onceMore(j, name):
		case pkg != nil && !carries(pkg, name):
			passed = append(passed, fmt.Sprintf("recipe %s is not tried: package %s is not for it", name, pkg.ID))
		case pkg != nil && notTaken(&w.Takes, &pkg.File) != "":
			passed = append(passed, fmt.Sprintf("recipe %s is not tried: %s", name, notTaken(&w.Takes, &pkg.File)))
		default:
			return w, passed
		}
	}
	return nil, passed
}

// notTaken says why a recipe does not take a file; empty where it does.
func notTaken(takes *recipe.Takes, file *storage.File) string {
	if takes.Max > 0 && takes.Payload == "inline" && file.Size > takes.Max {
		return fmt.Sprintf("the package has %d bytes, the device takes %d in a session", file.Size, takes.Max)
	}
	if len(takes.Types) == 0 || file.Type == "" {
		return ""
	}
	for _, glob := range takes.Types {
		if matchGlob(glob, file.Type) {
			return ""
		}
	}
	return "it does not take " + file.Type
}

// noWay says why there is no way left.
func noWay(j *storage.Job, ability *recipe.Capability) string {
	switch {
	case len(j.Tried) > 0:
		last := &j.Tried[len(j.Tried)-1]
		return fmt.Sprintf("no way is left by device management; %s failed last: %s", last.Recipe, last.Reason)
	case j.What.Recipe != "":
		return "recipe " + j.What.Recipe + " can not be used on the device"
	case len(ability.Ways) > 0:
		return "no way that the device has can be gone"
	}
	return "the device can not " + j.Kind + ": " + ability.Why
}

// tries is how often a recipe has failed in the job.
func tries(j *storage.Job, name string) (n int) {
	for i := range j.Tried {
		if j.Tried[i].Recipe == name {
			n++
		}
	}
	return n
}

// onceMore says whether the recipe that has failed last is to be tried once more, as its failure is one that passes.
func onceMore(j *storage.Job, name string) bool {
	last := &j.Tried[len(j.Tried)-1]
	return tries(j, name) == 1 && last.Recipe == name && last.Again
}

// inWords is an error as a timeline tells it: without the name of our package.
func inWords(err error) string { return strings.TrimPrefix(err.Error(), "fleet: ") }

func noted(j *storage.Job, text string) bool {
	for i := range j.Steps {
		if j.Steps[i].Text == text {
			return true
		}
	}
	return false
}

// isFault says whether an error is one of what was ordered, which no other try mends: what it names is not there, or is
// of no use.
func isFault(err error) bool {
	var refused *FieldError
	return errors.As(err, &refused) || errors.Is(err, storage.ErrNotFound)
}

// values are what the templates of a recipe are filled with, but for package.url, which is made when it is sent.
func (t *jobTurn) values(j *storage.Job) (recipe.Values, error) {
	text := map[string]string{}
	v := recipe.Values{Text: text}
	switch j.Kind {
	case jobAccount:
		if err := t.accountValues(text); err != nil {
			return v, err
		}
	case jobAccessPoint, jobCertificate:
		all, err := t.recipeValues(t.dev, j.Kind, j.What.Values)
		return recipe.Values{Text: all}, err
	case jobRemove, jobActivate, jobDeactivate:
		text["software.id"], text["software.version"] = j.What.Package, j.What.Version
		if err := t.softwareOf(j, text); err != nil {
			return v, err
		}
	}
	if j.What.Chosen != "" {
		pkg, err := t.Package(j.What.Chosen)
		if err != nil {
			return v, fmt.Errorf("fleet: package %s of job %s: %w", j.What.Chosen, j.ID, err)
		}
		t.packageValues(&v, pkg)
	}
	for name, value := range j.What.Values {
		text[name] = value
	}
	return v, nil
}

// packageValues are those of a package.
func (t *jobTurn) packageValues(v *recipe.Values, pkg *storage.Package) {
	for name, value := range map[string]string{
		"package.id": pkg.Software, "package.name": pkg.Title, "package.version": pkg.Version, "package.type": pkg.File.Type,
		"package.sha256": pkg.File.SHA256, "package.description": pkg.Title, "package.params": pkg.Params,
	} {
		v.Text[name] = value
	}
	if pkg.Software == "" {
		v.Text["package.id"] = pkg.Name
	}
	if pkg.Title == "" {
		v.Text["package.name"] = pkg.Name
	}
	if pkg.File.Size > 0 {
		v.Text["package.size"] = strconv.FormatInt(pkg.File.Size, 10)
	}
	for name, value := range pkg.Values {
		v.Text[name] = value
	}
	v.Payload = func() ([]byte, error) { return t.packagePayload(pkg, maxPayload) }
}

// maxPayload is how many bytes of a package go in a session, at most.
const maxPayload = 8 << 20

// softwareOf is how the device calls what the catalogue calls by name.
func (t *jobTurn) softwareOf(j *storage.Job, text map[string]string) error {
	pkg, _, err := t.choosePackage(t.dev, nil, j.What.Package, j.What.Version)
	if errors.Is(err, errNoPackage) {
		return nil // it is called by what the device calls it
	}
	if err == nil && pkg.Software != "" {
		text["software.id"] = pkg.Software
	}
	return err
}

// accountValues are those of the account that the device has with us, for one that is to be changed.
func (t *jobTurn) accountValues(text map[string]string) error {
	account, err := t.store.Account(t.dev.ID)
	if err != nil {
		return err
	}
	port := "80"
	if isHTTPS(t.opt.Address) {
		port = "443"
	}
	if _, host, ok := strings.Cut(t.opt.Address, "://"); ok {
		host, _, _ = strings.Cut(host, "/")
		if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
			port = host[i+1:]
		}
	}
	for name, value := range map[string]string{
		"account.serverid": account.ServerID, "account.name": t.opt.AccountName, "account.url": t.opt.Address,
		"account.port": port, "account.user": string(t.dev.ID), "account.password": account.Password,
	} {
		text[name] = value
	}
	return nil
}

// address gives the values the URL under which the device fetches the package: a ticket of its own, where the gateway
// serves it.
func (t *jobTurn) address(j *storage.Job, v recipe.Values) error {
	if j.What.Chosen == "" || v.Text["package.url"] != "" {
		return nil
	}
	pkg, err := t.Package(j.What.Chosen)
	if err != nil {
		return err
	}
	url, ticket, err := t.newTicket(j.ID, t.dev.ID, pkg, ticketDM)
	if err != nil {
		return err
	}
	v.Text["package.url"], j.Ticket = url, ticket
	if ticket != "" {
		v.Text["package.descriptor"] = descriptorURL(url)
	}
	return nil
}
