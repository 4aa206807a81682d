package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// Line is one line of a list of targets. Either MSISDN or Device names the target.
type Line struct {
	Number uint64 // of the file, from 1; 0 where there is none
	MSISDN string // E.164
	IMSI   string // empty where unknown; needed for the network PIN
	DevID  string // empty where unknown
	PIN    string // of this target; empty for the campaign's. A secret
	Device storage.DeviceID
	Err    error // the line could not be read: the target is refused with this reason, which may hold no secrets
}

// Added is what has become of a list of targets.
type Added struct {
	Accepted int
	Repeated int // the number is a target of the campaign already
	Refused  int
	Problems []Problem // the first maxProblems of those refused
}

// Problem is a line that was refused.
type Problem struct {
	Line   uint64
	Reason string
}

const (
	maxProblems  = 1000
	maxReason    = 200  // bytes
	targetsChunk = 1000 // targets in one commit
)

// AddTargets adds targets to a campaign that is not over, streaming: a million of them take no more memory than a
// thousand. One that runs is over as soon as all targets that it has are: a list that is long in coming is better added
// to a draft. A line that can not be carried out is kept as a refused target, and the rest goes on. An error of lines ends
// it; what came before is added, and Added says how much. So does an error of the store, and a *StateError.
func (f *Fleet) AddTargets(id string, lines iter.Seq2[Line, error]) (Added, error) {
	var added Added
	c, err := f.store.Campaign(id)
	if err != nil {
		return added, err
	}
	if ended(c) {
		return added, stateError(c, "it takes no more targets")
	}
	chunk := make([]Line, 0, targetsChunk)
	for line, err := range lines {
		if err != nil {
			return added, errors.Join(err, f.addChunk(id, chunk, nil, &added))
		}
		if chunk = append(chunk, line); len(chunk) == targetsChunk {
			if err := f.addChunk(id, chunk, nil, &added); err != nil {
				return added, err
			}
			chunk = chunk[:0]
		}
	}
	return added, f.addChunk(id, chunk, nil, &added)
}

// addChunk adds targets in one commit, with what else changes in the campaign.
func (f *Fleet) addChunk(id string, lines []Line, edit func(*storage.Campaign), added *Added) error {
	if len(lines) == 0 && edit == nil {
		return nil
	}
	own, _ := f.campaigns.adding.LoadOrStore(id, new(sync.Mutex))
	own.(*sync.Mutex).Lock()
	defer own.(*sync.Mutex).Unlock()
	c, err := f.store.Campaign(id)
	if err != nil {
		return err
	}
	now := f.opt.Clock()
	targets, sum, err := f.targets(c, lines, now)
	if err != nil {
		return err
	}
	err = f.store.CommitCampaign(&storage.CampaignCommit{Campaign: id, Time: now, Targets: targets,
		Edit: func(c *storage.Campaign) error {
			if ended(c) {
				return stateError(c, "it takes no more targets")
			}
			if c.Counts == nil {
				c.Counts = make(map[string]int)
			}
			c.Last += uint64(len(targets))
			c.Counts[string(storage.TargetPending)] += sum.Accepted
			if sum.Refused > 0 {
				c.Counts[string(storage.TargetRefused)] += sum.Refused
			}
			if edit != nil {
				edit(c)
			}
			return nil
		}})
	if err != nil {
		return err
	}
	added.Accepted += sum.Accepted
	added.Repeated += sum.Repeated
	added.Refused += sum.Refused
	added.Problems = append(added.Problems, sum.Problems[:min(len(sum.Problems), maxProblems-len(added.Problems))]...)
	f.campaigns.touch(id)
	return nil
}

// targets makes lines into targets of c, which get the numbers after its last one.
func (f *Fleet) targets(c *storage.Campaign, lines []Line, now time.Time) ([]storage.Target, Added, error) {
	var added Added
	targets := make([]storage.Target, 0, len(lines))
	seen := make(map[string]bool, len(lines))
	for i := range lines {
		t := storage.Target{
			Campaign: c.ID, Number: c.Last + uint64(len(targets)) + 1, Line: lines[i].Number,
			State: storage.TargetPending, Since: now,
		}
		reason, err := f.fill(&t, c, &lines[i])
		switch {
		case errors.Is(err, storage.ErrDamaged):
			reason = "the record of its device can not be read"
		case err != nil:
			return nil, added, err
		}
		if reason != "" {
			reason = strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
			t.State, t.PIN, t.Reason = storage.TargetRefused, "", reason
			added.Refused++
			added.Problems = append(added.Problems, Problem{t.Line, t.Reason})
			targets = append(targets, t)
			continue
		}
		repeated := seen[t.MSISDN]
		if !repeated {
			switch _, err := f.store.FindTarget(c.ID, t.MSISDN); {
			case err == nil:
				repeated = true
			case !errors.Is(err, storage.ErrNotFound):
				return nil, added, err
			}
		}
		if repeated {
			added.Repeated++
			continue
		}
		seen[t.MSISDN] = true
		added.Accepted++
		targets = append(targets, t)
	}
	return targets, added, nil
}

// fill puts what a line says into a target. It says why the target is refused, empty where it is not.
func (f *Fleet) fill(t *storage.Target, c *storage.Campaign, line *Line) (reason string, err error) {
	if line.Err != nil {
		return line.Err.Error(), nil
	}
	if line.PIN != "" && !pin.MatchString(line.PIN) {
		return "pin: not 4 to 10 digits", nil
	}
	n := NewDevice{MSISDN: line.MSISDN, IMSI: line.IMSI, DevID: line.DevID}
	if line.Device != "" {
		dev, err := f.store.Device(line.Device)
		if errors.Is(err, storage.ErrNotFound) {
			return fmt.Sprintf("device: %.40q is not known", line.Device), nil
		}
		if err != nil {
			return "", err
		}
		if n.MSISDN != "" && n.MSISDN != dev.MSISDN {
			return "msisdn: it is not that of the device", nil
		}
		n.MSISDN, n.IMSI, n.DevID, t.Device = dev.MSISDN, cmp.Or(dev.IMSI, n.IMSI), cmp.Or(dev.DevID, n.DevID), dev.ID
	}
	if err := n.check(); err != nil {
		return err.Error(), nil
	}
	t.MSISDN, t.IMSI, t.DevID = n.MSISDN, n.IMSI, n.DevID
	switch c.What.Kind {
	case kindBootstrap:
		t.PIN = line.PIN
		return f.lacksKey(t, &c.What)
	case jobInstall:
		if in := &c.What.Install; in.NoDM || in.Silent {
			return "", nil
		}
		t.PIN = line.PIN
		if known, err := f.isBootstrapped(t.MSISDN); known || err != nil {
			return "", err
		}
		return f.lacksKey(t, &c.What)
	}
	return "", nil
}

// isBootstrapped says whether a number is that of a device with an account of ours.
func (f *Fleet) isBootstrapped(msisdn string) (bool, error) {
	id, err := f.store.FindDevice(storage.ByMSISDN, msisdn)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	dev, err := f.store.Device(id)
	return err == nil && dev.State.Bootstrapped(), err
}

// lacksKey says what a target lacks that its bootstrap has to be signed with. Nobody would hear of a PIN that we make.
func (f *Fleet) lacksKey(t *storage.Target, a *storage.Action) (reason string, err error) {
	sec, err := push.ParseSEC(a.Sec)
	if err != nil {
		return err.Error(), nil
	}
	if sec != push.NetwPIN && pinOf(a, t.PIN) == "" {
		return "pin: neither the line nor the campaign has one", nil
	}
	if !needsIMSI(sec) || t.IMSI != "" {
		return "", nil
	}
	id, err := f.store.FindDevice(storage.ByMSISDN, t.MSISDN)
	if err == nil {
		var dev *storage.Device
		if dev, err = f.store.Device(id); err == nil && dev.IMSI != "" {
			t.IMSI, t.Device = dev.IMSI, dev.ID
			return "", nil
		}
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return "", err
	}
	return "imsi: neither the line nor the device has one, and " + sec.String() + " needs it", nil
}
