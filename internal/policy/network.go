package policy

import (
	"fmt"
	"net/netip"
	"strings"
)

// parseNetwork reads an entry of `from`: a network as address/bits, or one
// address. IPv4 written as IPv6 (::ffff:10.0.0.0/104) is the IPv4 network.
func parseNetwork(entry string) (netip.Prefix, *fault) {
	address, _, isNetwork := strings.Cut(entry, "/")
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, noAddress(entry)
	}
	if addr.Zone() != "" {
		return netip.Prefix{}, &fault{
			fmt.Sprintf("from: %s names an interface, which no source does.", quote(entry)),
			fmt.Sprintf("Write %q.", addr.WithZone("").String()),
		}
	}
	network := netip.PrefixFrom(addr, addr.BitLen())
	if isNetwork {
		network, err = netip.ParsePrefix(entry)
		if err != nil {
			return netip.Prefix{}, &fault{
				fmt.Sprintf("from: %s is no network: the number of bits is wrong.", quote(entry)),
				fmt.Sprintf("Write %s/ and a number from 0 to %d.", addr, addr.BitLen()),
			}
		}
	}
	if addr.Is4In6() {
		if network.Bits() < 96 {
			return netip.Prefix{}, &fault{
				fmt.Sprintf("from: %s reaches beyond the IPv4 addresses within IPv6.", quote(entry)),
				"Write an IPv4 network.",
			}
		}
		network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
	}
	if network != network.Masked() {
		return netip.Prefix{}, &fault{
			fmt.Sprintf("from: %s has bits set beyond the first %d.", quote(entry), network.Bits()),
			fmt.Sprintf("Did you mean %q or %q?", network.Masked().String(), network.Addr().String()),
		}
	}
	return network, nil
}

func noAddress(entry string) *fault {
	return &fault{
		fmt.Sprintf("from: %s is no IP address or network.", quote(entry)),
		`Names are never looked up; write "192.0.2.7", "10.0.0.0/8" or "2001:db8::/32".`,
	}
}

// showNetwork is what parseNetwork reads.
func showNetwork(network netip.Prefix) string {
	if network.IsSingleIP() {
		return network.Addr().String()
	}
	return network.String()
}
