package race

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/varlink/go/varlink"

	login "sallyport/internal/api/iosallyportlogin"
	"sallyport/internal/client"
	"sallyport/internal/disk"
)

// panels are programs that call Verify with one code, each on a connection of its own.
type panels struct {
	gate    chan struct{} // closed at the instant
	ended   sync.WaitGroup
	mu      sync.Mutex
	granted int
}

// patience is how long a panel has for all of it.
const patience = 30 * time.Second

// openPanels has n of them connected, and waiting.
func openPanels(t *testing.T, n int, user, code string) *panels {
	t.Helper()
	p := &panels{gate: make(chan struct{})}
	for i := range n {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		c, err := client.Dial(ctx, disk.Root(""))
		if err != nil {
			t.Fatal(err)
		}
		p.ended.Go(func() {
			defer cancel()
			<-p.gate
			if verify(ctx, c, user, code, services[i%len(services)]) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.granted++
			}
		})
	}
	return p
}

// wait is how many were granted the login.
func (p *panels) wait() int {
	p.ended.Wait()
	return p.granted
}

// verify calls Verify, and once more with the next daemon where this one goes away before it answers.
func verify(ctx context.Context, c *varlink.Connection, user, code, service string) bool {
	for range 2 {
		if c != nil {
			verdict, _, err := login.Verify().Call(ctx, c, user, code, service, nil, nil)
			_ = c.Close()
			if err == nil {
				return verdict == "granted"
			}
		}
		c = redial(ctx)
	}
	return false
}

// redial waits for a daemon to connect to; nil: none came.
func redial(ctx context.Context) *varlink.Connection {
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		if c, err := client.Dial(ctx, disk.Root("")); err == nil {
			return c
		}
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
	}
}
