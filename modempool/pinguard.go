package modempool

import (
	"errors"

	"dmgate/storage"
)

// pinGuard remembers, beyond the process, which SIM was given a PIN that it has not accepted: it is not typed again,
// wherever the SIM turns up, for the third wrong one blocks it.
type pinGuard struct {
	settings settings
	card     string // the SIM's name, or its modem's
}

func (g *pinGuard) name() string { return "pin/" + g.card }

// spent says whether a PIN was typed and not accepted.
func (g *pinGuard) spent() (bool, error) {
	text, err := g.settings.Setting(g.name())
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return len(text) > 0, err
}

// spend notes that a PIN is about to be typed.
func (g *pinGuard) spend() error { return g.settings.PutSetting(g.name(), []byte("typed")) }

// clear notes that the SIM is open, or that an operator says that it may be tried again.
func (g *pinGuard) clear() error {
	if spent, err := g.spent(); err != nil || !spent {
		return err
	}
	return g.settings.PutSetting(g.name(), nil)
}
