package handset

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
)

// beside is what a handset has by other ways than DM: by provisioning documents, pushes and links. It outlasts the
// tree, which begins anew with each account, and shows in it where the make has a place for it.
type beside struct {
	points     []AccessPoint
	proxies    []Proxy
	components []Component
	trusted    map[string]bool // by fingerprint
	links      []string        // shown to the user, who has not come to them yet
}

// has is h.beside, which is made where it is not there.
func (h *Handset) has() *beside {
	if h.beside == nil {
		h.beside = new(beside)
	}
	return h.beside
}

// show puts b into a tree that is put together.
func (b *beside) show(m *Make, t *tree) {
	for i := range b.points {
		b.points[i].show(m, t)
	}
	for i := range b.components {
		m.inventory.install(t, &b.components[i])
	}
}

// Installed are the components that links have brought, in the order in which they came.
func (h *Handset) Installed() []Component {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.beside == nil {
		return nil
	}
	return slices.Clone(h.beside.components)
}

// Fingerprint is how a trust list names a certificate: SHA-256 of its DER, in lower-case hex.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// Trusts says whether the handset has taken a certificate with this Fingerprint, by a push, a link or its tree.
func (h *Handset) Trusts(fingerprint string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.beside != nil && h.beside.trusted[fingerprint] {
		return true
	}
	if h.Make.certificates == nil {
		return false
	}
	t := h.tree()
	for _, k := range t.find(h.Make.certificates).kids {
		if c := k.child(encodedCertificate); c != nil && Fingerprint([]byte(c.value)) == fingerprint {
			return true
		}
	}
	return false
}

// trust takes a certificate into the trust list, if the make has one that others than the server may write to and the
// user does not mind. The caller holds mu.
func (h *Handset) trust(der []byte) {
	c, err := x509.ParseCertificate(der)
	switch {
	case err != nil:
		h.blame(RulePush, "certificate: %v", err)
		h.note(DroppedPush, "unreadable certificate")
	case !h.Make.TakesCertificates:
		h.note(DroppedPush, "certificate, which it can not take")
	case h.Temper.Refuses:
		h.note(UserRefused, "certificate")
	default:
		b := h.has()
		if b.trusted == nil {
			b.trusted = make(map[string]bool)
		}
		b.trusted[Fingerprint(der)] = true
		h.note(Trusted, c.Subject.String())
	}
}
