package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"dmgate/modempool"
)

// Modems are the modems and their limits.
type Modems struct {
	Ports   []Port           `yaml:"ports"`   // a pattern may stand for many modems
	PINFile string           `yaml:"pinFile"` // file with the SIMs' PIN; empty where they have none
	Rate    float64          `yaml:"rate"`    // in a file, the short form of Limits.Modem
	Limits  modempool.Limits `yaml:"limits"`  // until they are changed at run time
	Timeout time.Duration    `yaml:"timeout"` // for the network to take an SMS
	Tries   int              `yaml:"tries"`   // of one push

	DoubtWindow time.Duration `yaml:"doubtWindow"` // for the report of a push in doubt, before it is sent once more
}

// Port says where a modem is, and what holds for it alone. In a file a path may stand for it.
type Port struct {
	Path    string   `yaml:"path"`    // of the device file, or a pattern: /dev/serial/by-id/*
	PINFile string   `yaml:"pinFile"` // in place of Modems.PINFile
	Tags    []string `yaml:"tags"`    // by which destinations choose their modems
	Rate    float64  `yaml:"rate"`    // in place of Limits.Modem; 0 for that
	SIMDay  int      `yaml:"simDay"`  // in place of Limits.SIMDay; 0 for that
}

// UnmarshalYAML reads a path or all of it.
func (p *Port) UnmarshalYAML(read func(any) error) error {
	if read(&p.Path) == nil {
		return nil
	}
	type all Port
	return read((*all)(p))
}

// read takes up what the YAML reader leaves open.
func (m *Modems) read(file *ast.File) error {
	if rate := find(file, "$.modems.rate"); rate != nil {
		if find(file, "$.modems.limits.modem") != nil {
			return &yaml.SyntaxError{
				Message: "modems.rate is short for modems.limits.modem: want one of them", Token: rate.GetToken(),
			}
		}
		m.Limits.Modem = m.Rate
	}
	for i := range m.Limits.Destinations {
		// Without quotes +49171 is a number to YAML, which has no plus.
		if d := &m.Limits.Destinations[i]; digits.MatchString(d.Prefix) {
			d.Prefix = "+" + d.Prefix
		}
	}
	return nil
}

var digits = regexp.MustCompile(`^[0-9]+$`)

func (m *Modems) check() error {
	if !(m.Rate >= 0) {
		return &keyError{"modems.rate", "want 0 for no limit, or more"}
	}
	for i := range m.Ports {
		if err := m.Ports[i].check(); err != nil {
			return &keyError{fmt.Sprintf("modems.ports[%d].%s", i, err.key), err.reason}
		}
	}
	var bad *modempool.LimitError
	if errors.As(m.Limits.Check(), &bad) {
		return &keyError{"modems.limits." + inYAML(bad.Field), bad.Reason}
	}
	return nil
}

func (p *Port) check() *keyError {
	var bad *modempool.PortError
	if port := p.at(p.Path, ""); errors.As(port.Check(), &bad) {
		return &keyError{inYAML(bad.Field), bad.Reason}
	}
	return nil
}

// inYAML is the name of a limit as the file has it: words in one, not with underscores as in JSON.
func inYAML(field string) string {
	return strings.NewReplacer("sim_day", "simDay", "destination_hour", "destinationHour").Replace(field)
}

// at is the pool's port for one of the device files that p stands for.
func (p *Port) at(path, pin string) modempool.Port {
	return modempool.Port{
		Path: path, PIN: pin, Tags: p.Tags, Limits: modempool.ModemLimits{Rate: p.Rate, SIMDay: p.SIMDay},
	}
}

// ModemPorts is Modems.Ports for the pool, which looks up the patterns among them. The SIMs' PINs are read from their
// files.
func (c *Config) ModemPorts() ([]modempool.Port, error) {
	var ports []modempool.Port
	for i := range c.Modems.Ports {
		p := &c.Modems.Ports[i]
		pin, err := c.Modems.pin(p)
		if err != nil {
			return nil, err
		}
		ports = append(ports, p.at(p.Path, pin))
	}
	return ports, nil
}

// pin reads the PIN of a port's SIM from its file, or from that of all SIMs; empty where there is none.
func (m *Modems) pin(p *Port) (string, error) {
	path := cmp.Or(p.PINFile, m.PINFile)
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("modems.pinFile: %w", err)
	}
	return string(bytes.TrimSpace(text)), nil
}
