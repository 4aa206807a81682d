package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// checkJob refuses what can not be carried out on any device, and fills in what was left to us.
func (f *Fleet) checkJob(o *JobOrder) error {
	kind, ok := jobKinds[o.Kind]
	now := f.opt.Clock()
	switch {
	case !ok:
		return &FieldError{"kind", fmt.Sprintf("%.20q, want one of %s", o.Kind, strings.Join(jobKindNames, ", "))}
	case len(o.Package) > maxJobName:
		return &FieldError{"package", fmt.Sprintf("%d bytes, want at most %d", len(o.Package), maxJobName)}
	case len(o.Version) > maxJobName:
		return &FieldError{"version", fmt.Sprintf("%d bytes, want at most %d", len(o.Version), maxJobName)}
	case kind.needs == "package" && o.Package == "" && o.Values["package.url"] == "":
		return &FieldError{"package", o.Kind + " needs the name of a package"}
	case kind.needs == "values" && len(o.Values) == 0:
		return &FieldError{"values", o.Kind + " needs values: what is to be set up"}
	case o.Kind != kindTask && len(o.Commands) > 0:
		return &FieldError{"commands", o.Kind + " takes none: want kind task"}
	case !o.Deadline.IsZero() && !o.Deadline.After(now):
		return &FieldError{"deadline", "it has passed"}
	case o.Deadline.After(now.Add(maxWithin)):
		return &FieldError{"deadline", fmt.Sprintf("it is more than %d days away", maxWithin/(24*time.Hour))}
	}
	if o.Kind == kindTask {
		if n := len(o.Commands); n == 0 || n > maxCommands {
			return &FieldError{"commands", fmt.Sprintf("%d commands, want 1 to %d", n, maxCommands)}
		}
		if err := checkCommands(o.Commands); err != nil {
			return err
		}
	}
	if err := checkValues(o.Values); err != nil {
		return err
	}
	if o.Recipe != "" && f.opt.Rules.Find(o.Recipe) == nil {
		return &FieldError{"recipe", fmt.Sprintf("there is none of the name %.60q", o.Recipe)}
	}
	if err := checkFallback(o, kind); err != nil {
		return err
	}
	if o.Sec != "" {
		if _, err := push.ParseSEC(o.Sec); err != nil {
			return &FieldError{"sec", err.Error()}
		}
	}
	if o.Operator != "" && (o.APN != "" || o.Operator != OperatorSIM && !operatorCode.MatchString(o.Operator)) {
		return &FieldError{"operator", "want an MCC and MNC of 5 or 6 digits, or " + OperatorSIM + ", and no apn with it"}
	}
	if o.PIN != "" && !pin.MatchString(o.PIN) {
		return &FieldError{"pin", "not 4 to 10 digits"}
	}
	if kind.links && o.Values["package.url"] == "" {
		return f.checkPackageName(o.Package)
	}
	return nil
}

// checkPackageName refuses a name that no package of the catalogue has.
func (f *Fleet) checkPackageName(name string) error {
	found := false
	err := f.eachPackage(func(p *storage.Package) error {
		found = found || p.Name == name || name == anyClient && p.Client
		return nil
	})
	if err == nil && !found {
		err = &FieldError{"package", fmt.Sprintf("the catalogue has no %.60q", name)}
	}
	return err
}

// jobKindNames are the kinds, as an error tells them.
var jobKindNames = []string{
	jobInstall, jobUpdate, jobRemove, jobActivate, jobDeactivate, jobFirmware, jobLock, jobUnlock, jobWipe, jobAccessPoint,
	jobAccount, jobCertificate, kindNotify, kindTask, jobDiscover,
}

func checkValues(values map[string]string) error {
	if len(values) > maxJobValues {
		return &FieldError{"values", fmt.Sprintf("%d values, want at most %d", len(values), maxJobValues)}
	}
	for name, value := range values {
		if name == "" || len(name) > maxJobName || len(value) > maxValueLen {
			return &FieldError{"values", fmt.Sprintf("%.40q is too long, or has no name", name)}
		}
	}
	return nil
}

// checkFallback refuses ways that are none for a kind. A root certificate or an access point that is not told otherwise
// falls back to a push.
func checkFallback(o *JobOrder, kind jobKind) error {
	if o.Fallback == nil && kind.push {
		o.Fallback = []string{wayPush}
	}
	if len(o.Fallback) > maxFallback {
		return &FieldError{"fallback", fmt.Sprintf("%d ways, want at most %d", len(o.Fallback), maxFallback)}
	}
	for i, way := range o.Fallback {
		switch {
		case way != linkSI && way != linkSMS && way != linkAny && way != wayPush && way != wayMark:
			return &FieldError{"fallback", fmt.Sprintf("%.20q, want si, sms, link, push or mark", way)}
		case (way == linkSI || way == linkSMS || way == linkAny) && !kind.links:
			return &FieldError{"fallback", fmt.Sprintf("%s: a user can not %s with a link", way, o.Kind)}
		case way == wayPush && !kind.push:
			return &FieldError{"fallback", o.Kind + " is no push of its own"}
		case slices.Contains(o.Fallback[:i], way):
			return &FieldError{"fallback", way + " stands there twice"}
		case way == wayMark && i < len(o.Fallback)-1:
			return &FieldError{"fallback", "nothing comes after mark"}
		}
	}
	if o.NoDM && len(o.Fallback) == 0 {
		return &FieldError{"fallback", "there is none, and device management is not to be used"}
	}
	return nil
}
