package page

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/test/panel"
	"sallyport/test/system"
)

// crowd gives a guest users with a second factor, quickly: pam_oath's file of them is imported.
func crowd(g *system.Guest, n int) {
	var passwd, oath strings.Builder
	for i := range n {
		fmt.Fprintf(&passwd, "u%05d:x:%d:100::/nonexistent:/usr/sbin/nologin\n", i, 20000+i)
		fmt.Fprintf(&oath, "HOTP/T30/6 u%05d - %040x\n", i, i+1)
	}
	g.WriteFile("/root/passwd", passwd.String(), 0o644)
	g.WriteFile("/root/users.oath", oath.String(), 0o600)
	g.Run("cat /root/passwd >>/etc/passwd && sallyportctl import oath /root/users.oath --apply")
}

// tab is a part of the page.
func tab(title string) panel.Target { return panel.Role("tab", title) }

// TestUsers is an administrator's work with 10,000 users.
func TestUsers(t *testing.T) {
	const many = 10_000
	g := panel.Boot(t)
	adam, uma := g.AddUser("adam", "sudo").Enroll(), g.AddUser("uma").Enroll()
	crowd(g, many)
	b := panel.Start(t, g)
	w, her := b.Open(t, panel.Options{}), b.Open(t, panel.Options{})
	w.LogIn(adam)
	w.SwitchToAdmin(adam)
	her.LogIn(uma)
	page := w.Sallyport("/sallyport#/users")
	user := func(name string) panel.Target { return panel.Button(name).In(panel.Role("grid", "Users")) }
	search := panel.Label("Search users")
	for _, step := range []struct {
		name string
		do   func(t *testing.T, page *panel.Window)
	}{
		{"the first page", func(t *testing.T, page *panel.Window) {
			page.See(user("adam"))
			page.See(panel.Text(fmt.Sprint(many + 2)))
			page.Shot("users")
			accessible(t, page)
		}},
		{"sort", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("User"))
			page.See(user("uma"))
			page.Gone(user("adam"))
			page.Click(panel.Button("User"))
			page.See(user("adam"))
		}},
		{"turn the pages", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("Go to next page"))
			page.See(user("u00019"))
			page.Gone(user("adam"))
			page.Click(panel.Button("Go to last page"))
			page.See(user("uma"))
		}},
		{"search", func(t *testing.T, page *panel.Window) {
			page.Fill(search, "u0123")
			page.See(user("u01239"))
			page.Gone(user("u00019"))
			page.Shot("users-found")
		}},
		{"select all", func(t *testing.T, page *panel.Window) {
			page.Check(panel.Label("Select u01234"))
			page.See(panel.Text("1 is selected."))
			page.Click(panel.Button("Select all 10"))
			page.See(panel.Text("10 are selected."))
			if !page.Checked(panel.Label("Select u01239")) || !page.Checked(panel.Label("Select this page")) {
				t.Error("not all that were found are selected")
			}
			page.Click(panel.Button("Select none"))
			page.Gone(panel.Text("10 are selected."))
			if page.Checked(panel.Label("Select u01234")) || page.Enabled(panel.Button("Disable")) {
				t.Error("somebody is selected still")
			}
			page.Fill(search, "")
			page.See(user("adam"))
			page.Check(panel.Label("Select this page"))
			page.See(panel.Text("20 are selected."))
			page.Click(panel.Button("Select all 10,002"))
			page.See(panel.Text("10,002 are selected."))
			page.Click(panel.Button("Disable"))
			title := panel.Text("Disable the second factors of 10,002 users?")
			page.See(title.In(panel.Dialogue))
			page.Shot("users-disable-selected")
			accessible(t, page)
			if page.Cut(title.In(panel.Dialogue)) {
				t.Error("the question is cut off")
			}
			page.Click(panel.Button("Cancel"))
			page.Gone(panel.Dialogue)
			page.Click(panel.Button("Select none"))
			page.Fill(search, "u0123")
			page.Gone(user("adam"))
		}},
		{"disable those selected", func(t *testing.T, page *panel.Window) {
			page.Check(panel.Label("Select u01230"))
			page.Check(panel.Label("Select u01231"))
			page.See(panel.Text("2 are selected."))
			page.Click(panel.Button("Disable"))
			page.See(panel.Text("Disable the second factors of 2 users?"))
			page.Shot("users-disable")
			accessible(t, page)
			page.Click(panel.Button("Disable").In(panel.Dialogue))
			page.Gone(panel.Dialogue)
			page.Gone(user("u01230"))
			page.Gone(user("u01231"))
			page.See(user("u01232"))
			if out, _ := g.Try("sallyportctl users --json | grep -c -e u01230 -e u01231"); strings.TrimSpace(out) != "0" {
				t.Errorf("sallyportctl still has %s of them", out)
			}
		}},
		{"unlock", func(t *testing.T, page *panel.Window) {
			lock(g, "u01234")
			page.Reload()
			page.Click(panel.Role("button", "Locked"))
			page.See(user("u01234"))
			page.See(panel.Text("Locked until"))
			page.Shot("users-locked")
			page.Check(panel.Label("Select u01234"))
			page.Click(panel.Button("Unlock"))
			page.Click(panel.Button("Unlock").In(panel.Dialogue))
			page.Gone(panel.Dialogue)
			page.See(panel.Text("There is nobody."))
			page.Click(panel.Role("button", "With a second factor"))
		}},
		{"details, and end a session", func(t *testing.T, page *panel.Window) {
			page.Fill(search, "uma")
			page.Click(user("uma"))
			page.See(panel.Text("login accepted").In(panel.Dialogue))
			page.Shot("users-details")
			accessible(t, page)
			page.Click(panel.Button("End the session of uma from 127.0.0.1"))
			page.Click(panel.Button("End session"))
			her.See(panel.Text("Disconnected"))
			her.Shot("ended-by-administrator")
			page.See(panel.Text("No session is open."))
			page.Click(panel.Role("button", "Close").In(panel.CSS("footer")))
		}},
		{"disable all but me", func(t *testing.T, page *panel.Window) {
			g.With(t).Run("rm /var/lib/sallyport/users/u0[1-9]*") // a thousand are enough: each is on the disk before the next one
			page.Reload()
			page.Click(panel.Button("Disable All"))
			page.See(panel.Text("Your own accounts are left alone: adam, root."))
			page.Shot("users-disable-all")
			page.Click(panel.Button("Disable").In(panel.Dialogue))
			g.With(t).Eventually("! sallyportctl users | grep -q u0")
			page.Gone(panel.Dialogue)
			if out := g.Run("sallyportctl users"); !strings.Contains(out, "adam") {
				t.Errorf("with a second factor are\n%s", out)
			}
		}},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(t, page.With(t)) }) {
			break // what follows needs it
		}
	}
	clean(t, w)
}

// lock locks a user by wrong codes.
func lock(g *system.Guest, user string) {
	g.Run("for i in 1 2 3 4 5; do echo 00000$i | sallyportctl verify " + user + "; done; sallyportctl users --json | grep -q locked_until")
}

// TestWho: what people see depends on what they may do, and on nothing else.
func TestWho(t *testing.T) {
	g := panel.Boot(t)
	g.WriteFile("/etc/sallyport/sallyport.d/10-help.toml", "[[delegate]]\nwho = [\"dora\"]\nover = [\"cust\"]\nmay = [\"list\", \"unlock\"]\n", 0o644)
	g.Run("systemctl reload-or-restart sallyportd")
	g.AddUser("cust").Enroll()
	dora := g.AddUser("dora").Enroll()
	b := panel.Start(t, g)
	t.Run("delegate", func(t *testing.T) {
		w := b.Open(t, panel.Options{})
		w.LogIn(dora)
		page := w.Sallyport("/sallyport")
		page.See(panel.Button("cust"))
		page.Shot("delegate")
		accessible(t, page)
		if page.Visible(panel.Button("Disable All")) || page.Visible(panel.Button("Disable")) {
			t.Error("a delegate who may not disable is offered it")
		}
		if !page.Visible(panel.Button("Unlock")) {
			t.Error("a delegate who may unlock is not offered it")
		}
	})
	for _, look := range []struct {
		name    string
		options panel.Options
	}{
		{"dark", panel.Options{ColorScheme: "dark"}},
		{"narrow", panel.Options{Viewport: &panel.Viewport{Width: 360, Height: 740}}},
		{"german", panel.Options{Locale: "de-DE"}},
		{"french", panel.Options{Locale: "fr-FR"}},
	} {
		t.Run(look.name, func(t *testing.T) {
			w := b.Open(t, look.options)
			g.With(t).AddUser(look.name)
			w.Knock(look.name)
			w.In()
			page := w.Sallyport("/sallyport")
			if look.options.Locale != "" {
				page.See(panel.CSS("html[lang^=" + look.options.Locale[:2] + "]"))
			}
			page.See(panel.CSS("[role=tabpanel] h2"))
			page.Shot("account-" + look.name)
			accessible(t, page)
			if page.Visible(tab("Manage Users")) {
				t.Error("who manages nobody is offered to")
			}
			clean(t, w)
		})
	}

}
