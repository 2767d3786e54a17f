package monitor

import (
	"os"
	"path/filepath"
	"strings"

	"sallyport/internal/clock"
)

// Mend is the command that sets the clock right on the host whose files are below root: that of the NTP client which
// runs or, where none does, what gets one going.
func Mend(root string) string {
	there := func(paths ...string) bool {
		for _, path := range paths {
			if _, err := os.Stat(filepath.Join(root, path)); err == nil {
				return true
			}
		}
		return false
	}
	unit := func(name string) bool {
		return there("/usr/lib/systemd/system/"+name, "/lib/systemd/system/"+name, "/etc/systemd/system/"+name)
	}
	switch {
	case there("/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/chrony/chronyd.sock"):
		return "chronyc makestep"
	case there("/run/ntpd.pid", "/run/ntp.pid") && unit("ntpsec.service"):
		return "systemctl restart ntpsec"
	case there("/run/ntpd.pid", "/run/ntp.pid") && unit("ntpd.service"):
		return "systemctl restart ntpd"
	case there("/run/systemd/timesync"):
		return "systemctl restart systemd-timesyncd"
	case unit("chrony.service"):
		return "systemctl enable --now chrony"
	case unit("chronyd.service"):
		return "systemctl enable --now chronyd"
	case unit("ntpsec.service"):
		return "systemctl enable --now ntpsec"
	case unit("systemd-timesyncd.service"):
		return "timedatectl set-ntp true"
	case there("/usr/bin/dnf"):
		return "dnf install chrony"
	case there("/usr/bin/zypper"):
		return "zypper install chrony"
	default:
		return "apt-get install chrony"
	}
}

// Guest reports whether the host is a virtual machine that can read its hypervisor's clock (the kernel's ptp_kvm).
func Guest(root string) bool {
	names, err := filepath.Glob(filepath.Join(root, "/sys/class/ptp/ptp*/clock_name"))
	if err != nil {
		return false
	}
	for _, name := range names {
		if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), "KVM") {
			return true
		}
	}
	return false
}

// hint is what else helps where the clock is wrong.
func hint(s clock.State, answers []Answer, guest bool) string {
	if !s.Bad {
		return ""
	}
	if s.Source == clock.Codes {
		for _, a := range answers {
			if (a.Name == clock.Chrony || a.Name == clock.Timesyncd) && a.Known() {
				return "The host's own NTP client finds its clock right: look at the servers that it goes by."
			}
		}
	}
	if guest {
		return `This is a virtual machine: with "refclock PHC /dev/ptp0 poll 2" in its configuration chrony goes by the hypervisor's clock. Look at that one, too.`
	}
	return ""
}
