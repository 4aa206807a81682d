package device

import (
	"net"
	"net/netip"

	"dmgate/sessions"
)

// Sources says which addresses count as one source of sessions and connections. The zero value of a length stands for
// its default.
type Sources struct {
	IPv4   int            // bits of an address that count; 32
	IPv6   int            // 64: what one subscriber has
	Exempt []netip.Prefix // addresses that are not limited, such as those of our own proxies
}

// Of is the source of a peer. Peers that are exempt, and those that have no IP address, share one.
func (s *Sources) Of(peer net.Addr) sessions.Source {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return sessions.Exempt
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if !addr.IsValid() {
		return sessions.Exempt
	}
	for _, p := range s.Exempt {
		if p.Contains(addr) {
			return sessions.Exempt
		}
	}
	bits := s.IPv6
	switch {
	case addr.Is4() && s.IPv4 > 0:
		bits = s.IPv4
	case addr.Is4():
		bits = 32
	case bits == 0:
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return sessions.Exempt // lengths are checked where they are configured
	}
	return prefix.Addr().As16()
}
