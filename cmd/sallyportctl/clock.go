package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
)

// watchEvery is how often clock --watch looks.
const watchEvery = time.Second

func (a *app) clock() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "clock",
		Short: "Show how far off this server's clock is (root)",
		Long: `Clock shows how far off this server's clock is, who says so, how it was in the
last day, and what sets it right. Codes depend on the clock; so besides the NTP
client and the servers in the policy's clock.servers the codes themselves are
asked: where those of many people come a minute late, it is the clock.

Whoever the policy's clock.notify names may ask, too.

The exit status is 1 where the clock is known to be wrong.`,
		Example: `  sallyportctl clock
  sallyportctl clock --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if watch {
				return a.watchClock(cmd.Context(), asJSON)
			}
			c, err := a.clockState(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.showClock(c, asJSON); err != nil {
				return err
			}
			if c.Wrong {
				return errSaid
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print JSON: io.sallyport.Admin's ClockState")
	f.BoolVar(&watch, "watch", false, "go on, and show every change, until Ctrl-C")
	return cmd
}

func (a *app) clockState(ctx context.Context) (c admin.ClockState, err error) {
	err = a.call(ctx, func(ctx context.Context, conn *varlink.Connection) (err error) {
		c, err = admin.Clock().Call(ctx, conn)
		return err
	})
	return c, err
}

// watchClock shows the clock whenever there is something new: on a terminal in place of what was there before.
func (a *app) watchClock(ctx context.Context, asJSON bool) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	last := ""
	for ; ; <-tick.C {
		c, err := a.clockState(ctx)
		if err != nil {
			return err
		}
		now, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if string(now) == last {
			continue
		}
		last = string(now)
		if isTerminal(a.stdout) && !asJSON {
			fmt.Fprint(a.stdout, "\x1b[H\x1b[2J") // home, clear (ECMA-48)
		}
		if err := a.showClock(c, asJSON); err != nil {
			return err
		}
	}
}

func (a *app) showClock(c admin.ClockState, asJSON bool) error {
	if asJSON {
		return a.writeJSON(c)
	}
	if c.Wrong {
		a.say("%s", a.in(yellow, c.Text))
	} else {
		a.say("%s", c.Text)
	}
	if c.Mend != nil {
		a.say("What sets it right: %s", *c.Mend)
	}
	if c.Hint != nil {
		a.say("%s", *c.Hint)
	}
	a.say("")
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, s := range c.Sources {
		fmt.Fprintf(w, "  %s\t%s\n", s.Name, s.Text)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.say("")
	for _, line := range plot(c.History, time.Now(), c.Warn) {
		a.say("%s", line)
	}
	return nil
}
