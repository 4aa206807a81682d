package modempool

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dmgate/storage"
)

// settingModems is where what operators have changed about the modems is kept.
const settingModems = "modems"

// kept is what operators have changed about the modems. It outlives the process.
type kept struct {
	Added   []Port   `json:"added,omitempty"`   // their PINs as well
	Removed []string `json:"removed,omitempty"` // paths of configured ports
	Away    []string `json:"away,omitempty"`    // paths found by a pattern, removed, and not unplugged since
	Drained []string `json:"drained,omitempty"` // IDs of modems, or names of those that had told none
}

func (k *kept) clone() kept {
	return kept{slices.Clone(k.Added), slices.Clone(k.Removed), slices.Clone(k.Away), slices.Clone(k.Drained)}
}

// ports are the configured ones that were not removed, then those that were added.
func (k *kept) ports(configured []Port) []Port {
	var ports []Port
	for _, port := range configured {
		if !slices.Contains(k.Removed, port.Path) {
			ports = append(ports, port)
		}
	}
	for _, port := range k.Added {
		if !slices.ContainsFunc(ports, func(o Port) bool { return o.Path == port.Path }) {
			ports = append(ports, port)
		}
	}
	return ports
}

// drained says whether the modem with an ID, behind the port of that name, takes no pushes.
func (k *kept) drained(id, name string) bool {
	return slices.Contains(k.Drained, id) || slices.Contains(k.Drained, name)
}

// drop removes a word from a list.
func drop(list []string, word string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == word })
}

// recall takes up what operators had changed before.
func (p *Pool) recall() error {
	text, err := p.queue.Setting(settingModems)
	switch {
	case errors.Is(err, storage.ErrNotFound) || err == nil && len(text) == 0:
		return nil
	case err == nil:
		err = json.Unmarshal(text, &p.kept)
	}
	if err != nil {
		return fmt.Errorf("modempool: reading what was changed about the modems: %w", err)
	}
	p.ports = p.kept.ports(p.options.Ports)
	return nil
}

// keep makes a change that outlives the process. Where it can not be written, nothing has changed.
func (p *Pool) keep(change func(*kept) error) error {
	p.keeping.Lock()
	defer p.keeping.Unlock()
	p.mu.Lock()
	k := p.kept.clone()
	p.mu.Unlock()
	if err := change(&k); err != nil {
		return err
	}
	text, err := json.Marshal(&k)
	if err != nil {
		return err
	}
	if err := p.queue.PutSetting(settingModems, text); err != nil {
		return err
	}
	p.mu.Lock()
	p.kept, p.ports = k, k.ports(p.options.Ports)
	p.mu.Unlock()
	return nil
}
