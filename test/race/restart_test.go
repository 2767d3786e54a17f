package race

import (
	"testing"
	"time"

	"sallyport/test/burst"
	"sallyport/test/host"
)

// What happens to daemon and machine.
func nothing(*door)  {}
func kill(d *door)   { d.Kill() }
func stop(d *door)   { d.Stop() }
func start(d *door)  { d.Start() }
func reboot(d *door) { d.Stop(); host.LoseRun(d.t); d.Start() }

// A used code stays used.
func TestUsedCodeStaysUsed(t *testing.T) {
	for name, c := range map[string]struct{ before, after func(*door) }{
		"daemon killed":                       {nothing, kill},
		"daemon killed and started":           {nothing, func(d *door) { kill(d); start(d) }},
		"daemon stopped":                      {nothing, stop},
		"daemon stopped and started":          {nothing, func(d *door) { stop(d); start(d) }},
		"machine rebooted":                    {nothing, reboot},
		"used without the daemon":             {kill, start},
		"used between stop and start":         {stop, start},
		"used between stop and start, reboot": {stop, func(d *door) { start(d); reboot(d) }},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			p, code := useACode(d, c.before)
			c.after(d)
			refusedEverywhere(d, p, code, usedAlready)
			if next := d.logIn(services[0], p, p.Code(time.Now().Add(host.Period))); !next.Granted() {
				t.Errorf("the code after it: %s\n%s", next.Result(), d.logs())
			}
		})
	}
}

// After a power loss nobody can tell which codes were used. The person is told so, and gets in with a recovery code.
func TestUsedCodeStaysUsedAfterAPowerLoss(t *testing.T) {
	for name, c := range map[string]struct{ before, after func(*door) }{
		"nothing was saved":              {nothing, start},
		"nothing was saved, no daemon":   {nothing, nothing},
		"something was saved":            {func(d *door) { stop(d); start(d) }, start},
		"something was saved, no daemon": {func(d *door) { stop(d); start(d) }, nothing},
		"used without the daemon":        {kill, start},
		"used after a stop":              {stop, start},
		"used after a stop, no daemon":   {stop, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			p, code := useACode(d, c.before)
			d.Kill()
			host.LoseRun(t)
			c.after(d)
			refusedEverywhere(d, p, code, hasStarted)
			if o := d.logIn(services[0], p, p.Recovery); !o.Granted() {
				t.Errorf("a recovery code: %s\n%s", o.Result(), d.logs())
			}
			if o := d.logIn(services[1], p, p.Recovery); o.Granted() {
				t.Errorf("the same recovery code again: %s", o.Result())
			}
		})
	}
}

// useACode logs somebody in, after something has happened.
func useACode(d *door, happens func(*door)) (p *burst.Person, code string) {
	d.t.Helper()
	p = burst.AddPeople(d.t, "used", 1)[0]
	burst.Enrol(d.t, p)
	happens(d)
	code = p.OathCode(time.Now())
	if o := d.logIn(services[0], p, code); !o.Granted() {
		d.t.Fatalf("a right code: %s\n%s", o.Result(), d.logs())
	}
	return p, code
}

// refusedEverywhere tries a code at all services at one instant.
func refusedEverywhere(d *door, p *burst.Person, code, told string) {
	d.t.Helper()
	for _, o := range d.burst(burst.ModeOf(0), burst.Everywhere(p.Name, code, services, 2*len(services))) {
		if !o.RefusedAs(told) {
			d.t.Errorf("%s, a used code: %s, want %q\n%s", o.Service, o.Result(), told, d.logs())
		}
	}
}
