package monitor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/beevik/ntp"

	"sallyport/internal/clock"
)

// How often a server is asked, at most, and how long it may take.
const (
	serverEvery = 10 * time.Minute
	serverWait  = 3 * time.Second
	serverStale = 4 * serverEvery // an older answer does not count
)

// Servers asks the NTP servers of clock.servers (RFC 5905), never more often than every ten minutes, and less often
// where a server wants that.
type Servers struct {
	List   func() []string // clock.servers at the moment
	Now    func() time.Time
	Booted func() time.Time
	Done   func() // is called when new answers are there

	mu    sync.Mutex
	known map[string]*server
	busy  bool
}

// server is what is known of one. Its times have the monotonic clock.
type server struct {
	next    time.Time // not to be asked before
	every   time.Duration
	denied  bool // it wants never to be asked again (RFC 5905 §7.4)
	answer  *clock.Reading
	at      time.Time
	booted  time.Time
	problem string
}

// Name is clock.Servers.
func (*Servers) Name() clock.Source { return clock.Servers }

// Ask returns what the servers said, and has those asked again whose turn it is. It does not wait for them: their names
// and they may be far away.
func (s *Servers) Ask(context.Context) (clock.Estimate, string) {
	list := s.List()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(list) == 0 {
		s.known = nil
		return clock.Estimate{}, ""
	}
	if due := s.due(list); len(due) > 0 && !s.busy {
		s.busy = true
		go s.round(due)
	}
	return s.estimate(list)
}

// due is the servers whose turn it is, and forgets those that are not in the policy any more.
func (s *Servers) due(list []string) []string {
	known := make(map[string]*server, len(list))
	var due []string
	for _, name := range list {
		if known[name] = s.known[name]; known[name] == nil {
			known[name] = &server{every: serverEvery}
		}
		if k := known[name]; !k.denied && !time.Now().Before(k.next) {
			k.next = time.Now().Add(k.every)
			due = append(due, name)
		}
	}
	s.known = known
	return due
}

// round asks servers, all at once.
func (s *Servers) round(names []string) {
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			booted := s.Booted()
			r, err := ntp.QueryWithOptions(name, ntp.QueryOptions{Timeout: serverWait})
			if err == nil {
				err = r.Validate()
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if k := s.known[name]; k != nil {
				k.take(name, r, err, booted)
			}
		})
	}
	all.Wait()
	s.mu.Lock()
	s.busy = false
	s.mu.Unlock()
	s.Done()
}

// take takes an answer, or the lack of one.
func (k *server) take(name string, r *ntp.Response, err error, booted time.Time) {
	if err == nil {
		k.answer = &clock.Reading{Server: name, Offset: -r.ClockOffset, Error: r.RootDistance}
		k.at, k.booted, k.problem = time.Now(), booted, ""
		return
	}
	k.problem = err.Error()
	if r == nil || !r.IsKissOfDeath() {
		return
	}
	k.problem = fmt.Sprintf("it wants not to be asked (%q)", r.KissCode)
	switch r.KissCode {
	case "RATE":
		k.every *= 2
		k.next = time.Now().Add(k.every)
	case "DENY", "RSTR":
		k.denied = true
	}
}

// estimate is what most servers say.
func (s *Servers) estimate(list []string) (clock.Estimate, string) {
	booted := s.Booted()
	var readings []clock.Reading
	var problems []string
	for _, name := range list {
		k := s.known[name]
		if k.problem != "" {
			problems = append(problems, name+": "+printable(k.problem))
		}
		if k.answer != nil && time.Since(k.at) < serverStale {
			r := *k.answer
			r.Offset += booted.Sub(k.booted) // the clock was set by as much since
			readings = append(readings, r)
		}
	}
	text := ""
	if len(problems) > 0 {
		text = "; " + strings.Join(problems, "; ")
	}
	if len(readings) == 0 {
		return clock.Estimate{}, "no server has answered yet" + text
	}
	offset, most, agree, ok := clock.Vote(readings)
	if !ok {
		return clock.Estimate{}, fmt.Sprintf("the %d servers that answered disagree", len(readings)) + text
	}
	by := fmt.Sprintf("%s (%d of %d servers)", strings.Join(agree, ", "), len(agree), len(list))
	return clock.Estimate{Source: clock.Servers, Offset: offset, Error: most, Detail: by, At: s.Now()},
		fmt.Sprintf("find the clock %s, ± %s, by %s", clock.Words(offset), clock.Length(most), by) + text
}
