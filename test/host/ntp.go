package host

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"time"
)

// NTP is a time server on loopback (RFC 5905) that may tell a wrong time.
type NTP struct {
	Addr    string // host:port
	ahead   atomic.Int64
	kiss    atomic.Pointer[string]
	queries atomic.Int64
}

// StartNTP answers on 127.0.0.1, at a free port, until the end of the test.
func StartNTP(t T, ahead time.Duration) *NTP {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // ends the goroutine
	s := &NTP{Addr: conn.LocalAddr().String()}
	s.Set(ahead)
	go func() {
		packet := make([]byte, 1024)
		for {
			n, from, err := conn.ReadFromUDP(packet)
			if err != nil {
				return
			}
			if n >= 48 && packet[0]&7 == 3 { // a client's
				s.queries.Add(1)
				_, _ = conn.WriteToUDP(s.reply(packet[:48]), from)
			}
		}
	}()
	return s
}

// Set has the server tell a time that is ahead of this machine's by as much.
func (s *NTP) Set(ahead time.Duration) { s.ahead.Store(int64(ahead)) }

// Kiss has the server answer with a kiss code, such as "RATE" or "DENY", and no time.
func (s *NTP) Kiss(code string) { s.kiss.Store(&code) }

// Queries is how often the server was asked.
func (s *NTP) Queries() int { return int(s.queries.Load()) }

func (s *NTP) reply(query []byte) []byte {
	now := time.Now().Add(time.Duration(s.ahead.Load()))
	r := make([]byte, 48)
	r[0] = 4<<3 | 4      // no leap second, version 4, server
	r[1] = 1             // stratum
	r[2], r[3] = 6, 0xec // poll, precision: a microsecond
	copy(r[12:], "TEST")
	if kiss := s.kiss.Load(); kiss != nil {
		r[0], r[1] = r[0]|3<<6, 0
		copy(r[12:16], *kiss)
	}
	put := func(at int, t time.Time) {
		const since1900 = 2208988800
		binary.BigEndian.PutUint32(r[at:], uint32(t.Unix()+since1900))
		binary.BigEndian.PutUint32(r[at+4:], uint32(uint64(t.Nanosecond())<<32/1e9))
	}
	put(16, now.Add(-time.Second)) // reference
	copy(r[24:32], query[40:48])   // origin: as the client sent it
	put(32, now)                   // receive
	put(40, now)                   // transmit
	return r
}
