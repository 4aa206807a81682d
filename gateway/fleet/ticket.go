package fleet

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"dmgate/storage"
)

// TicketPath is the path on the device listener below which tickets are served.
const TicketPath = "/t/"

// What is added to a link for the OMA DL descriptor of its file, and for the device's word on the installation.
const (
	DescriptorSuffix = ".dd"
	NotifySuffix     = "/notify"
)

// Purposes of a ticket.
const (
	ticketDM          = "dm"          // the device fetches by itself what device management has told it of
	ticketLink        = "link"        // the user opens a link
	ticketCertificate = "certificate" // a link to a root certificate
)

// maxTicketBody is how many bytes a ticket may hold itself.
const maxTicketBody = 64 << 10

// TicketID is the name under which a ticket is kept: a hash of its token, which is in the link and nowhere else.
func TicketID(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:16])
}

// newTicket makes a link by which a device can fetch a package, for a job and a purpose, and returns its URL and the
// ticket's ID, for Job.Ticket. The ticket is durable before the link is given away; one that is never sent expires by
// itself. A package that is not served by the gateway has its own URL and no ticket.
func (f *Fleet) newTicket(
	job string, dev storage.DeviceID, pkg *storage.Package, purpose string,
) (link, ticket string, err error) {
	if pkg.URL != "" {
		return pkg.URL, "", nil
	}
	if !pkg.Available() {
		return "", "", fmt.Errorf("fleet: package %s has no file yet", pkg.ID)
	}
	return f.makeTicket(storage.Ticket{
		Device: dev, Job: job, Package: pkg.ID, Purpose: purpose, File: pkg.File, Title: cmp.Or(pkg.Title, pkg.Name),
		Version: pkg.Version, Params: pkg.Params, Software: cmp.Or(pkg.Software, pkg.Name),
	})
}

// newBodyTicket is newTicket for what is in no catalogue: at most 64 KiB, such as a certificate.
func (f *Fleet) newBodyTicket(
	job string, dev storage.DeviceID, body []byte, contentType, name, purpose string,
) (link, ticket string, err error) {
	if len(body) == 0 || len(body) > maxTicketBody {
		return "", "", fmt.Errorf("fleet: a ticket for %d bytes, want 1 to %d", len(body), maxTicketBody)
	}
	sum := sha256.Sum256(body)
	return f.makeTicket(storage.Ticket{
		Device: dev, Job: job, Purpose: purpose, Body: body,
		File: storage.File{
			SHA256: hex.EncodeToString(sum[:]), Size: int64(len(body)), Type: contentType, Name: name, Uploaded: f.opt.Clock(),
		},
	})
}

func (f *Fleet) makeTicket(t storage.Ticket) (link, ticket string, err error) {
	token := strings.ToLower(rand.Text()) // 26 characters, 130 bits
	if link, err = f.TicketURL(token); err != nil {
		return "", "", err
	}
	t.ID = TicketID(token)
	t.Created = f.opt.Clock()
	t.Expires = t.Created.Add(f.opt.Tickets.Lifetime)
	t.Uses, t.Requests = f.opt.Tickets.Uses, f.opt.Tickets.Requests
	value, err := storage.AppendRecord(nil, &t)
	if err != nil {
		return "", "", err
	}
	if err := f.store.PutDocument(storage.TicketDocument+t.ID, value); err != nil {
		return "", "", err
	}
	return link, t.ID, nil
}

// TicketURL is where the ticket of a token is served.
func (f *Fleet) TicketURL(token string) (string, error) {
	address, err := url.Parse(f.opt.Address)
	if err != nil {
		return "", fmt.Errorf("fleet: address of the device endpoint: %w", err)
	}
	return address.Scheme + "://" + address.Host + TicketPath + token, nil
}

// descriptorURL is where a ticket's OMA DL descriptor is, for recipes that want one.
func descriptorURL(link string) string { return link + DescriptorSuffix }

// Ticket reads what is known of a ticket.
func (f *Fleet) Ticket(id string) (*storage.Ticket, error) {
	value, err := f.store.Document(storage.TicketDocument + id)
	if err != nil {
		return nil, err
	}
	t := new(storage.Ticket)
	return t, storage.ReadRecord(value, t)
}

// endTicket ends a ticket, as where its job has come to an end.
func (f *Fleet) endTicket(id, why string) error {
	err := f.editTicket(id, func(t *storage.Ticket) error {
		if t.Closed == "" {
			t.Closed = why
		}
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

func (f *Fleet) editTicket(id string, edit func(*storage.Ticket) error) error {
	return f.store.EditDocument(storage.TicketDocument+id, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, storage.ErrNotFound
		}
		var t storage.Ticket
		if err := storage.ReadRecord(old, &t); err != nil {
			return nil, err
		}
		if err := edit(&t); err != nil {
			return nil, err
		}
		return storage.AppendRecord(nil, &t)
	})
}

// Tickets are the settings of links. The zero value of a field stands for its default.
type Tickets struct {
	Lifetime time.Duration // 7 days
	Uses     int           // whole downloads; 3
	Requests int           // of all kinds, parts and probes with them; 500
	Text     string        // what a link is sent with; "{title}: {url}"
}

func (t Tickets) withDefaults() Tickets {
	if t.Lifetime == 0 {
		t.Lifetime = 7 * 24 * time.Hour
	}
	if t.Uses == 0 {
		t.Uses = 3
	}
	if t.Requests == 0 {
		t.Requests = 500
	}
	if t.Text == "" {
		t.Text = "{title}: {url}"
	}
	return t
}
