package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"sallyport/internal/disk"
	"sallyport/test/host"
)

// Verify is measured with so many clients, each on a connection that it keeps, and as many codes of each of the people as a
// window of ten steps has: every one is right, and every one is used once.
const (
	clients = 64
	window  = 10
	panel   = "bench-panel"
)

// call is one call of Verify, as it goes over the socket.
type call struct {
	message []byte
	took    time.Duration
	granted bool
}

// verify measures codes over the Varlink socket.
func (b *bench) verify() section {
	s := section{title: "Verify over kept connections", header: []string{"clients", "calls", "a second", "median", "99th of 100", "refused"}}
	people := b.addPeople("panel", 4*clients)
	var rates []float64
	var took sample
	calls, refused := 0, 0
	for range b.rounds {
		b.beginVerify(people)
		all := b.callsFor(people)
		elapsed := b.verifyAll(all)
		for i := range all {
			took = append(took, all[i].took)
			if !all[i].granted {
				refused++
			}
		}
		calls += len(all)
		rates = append(rates, float64(len(all))/elapsed.Seconds())
	}
	rate, slowest := middle(rates), took.quantile(0.99)
	s.row(fmt.Sprint(clients), fmt.Sprint(calls), fmt.Sprintf("%.0f", rate), micro(took.median()), micro(slowest), fmt.Sprint(refused))
	s.atLeast("calls a second", rate, 30000, "")
	s.atMost("the 99th of 100", float64(slowest)/float64(time.Millisecond), 10, " ms")
	s.atMost("right codes refused", float64(refused), 0, "")
	return s
}

// beginVerify gives people new keys, of which no code has been used.
func (b *bench) beginVerify(people []*person) {
	b.daemon.Kill()
	for _, p := range people {
		b.newKey(p)
	}
	b.emptyLedger()
	b.enrol(people)
	host.Policy(b, fmt.Sprintf("%s[codes]\nwindow = %d\n", policyText, window))
	b.daemon.Start()
}

// callsFor are calls with every code that is right now, oldest first, and those of one person far from one another. Of two
// steps that share a code by chance only one can be used.
func (b *bench) callsFor(people []*person) []call {
	var all []call
	seen := map[string]bool{}
	for steps := int64(-window + 1); steps < window; steps++ { // the edges may pass while it runs
		for _, p := range people {
			code := b.code(p, steps)
			if seen[p.name+code] {
				continue
			}
			seen[p.name+code] = true
			message, err := json.Marshal(map[string]any{
				"method":     "io.sallyport.Login.Verify",
				"parameters": map[string]string{"user": p.name, "code": code, "service": panel},
			})
			b.check(err)
			all = append(all, call{message: append(message, 0)})
		}
	}
	return all
}

// verifyAll shares the calls out to the clients and waits for all of them.
func (b *bench) verifyAll(all []call) time.Duration {
	var connections [clients]net.Conn
	for i := range connections {
		var err error
		connections[i], err = net.Dial("unix", disk.Root("").VarlinkSocket())
		b.check(err)
		defer connections[i].Close()
	}
	errs := make([]error, clients)
	var done sync.WaitGroup
	began := time.Now()
	for i, conn := range connections {
		done.Go(func() {
			replies := bufio.NewReader(conn)
			for n := i; n < len(all) && errs[i] == nil; n += clients { // as many people as clients go by: each has its own
				errs[i] = all[n].make(conn, replies)
			}
		})
	}
	done.Wait()
	elapsed := time.Since(began)
	for _, err := range errs {
		b.check(err)
	}
	return elapsed
}

func (c *call) make(conn net.Conn, replies *bufio.Reader) error {
	began := time.Now()
	if _, err := conn.Write(c.message); err != nil {
		return err
	}
	reply, err := replies.ReadSlice(0)
	if err != nil {
		return err
	}
	c.took = time.Since(began)
	// The clients have the daemon's two cores: they do no more than they must.
	c.granted = bytes.Contains(reply, []byte(`"verdict":"granted"`))
	return nil
}
