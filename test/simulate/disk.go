package simulate

import (
	"path/filepath"
	"syscall"

	"sallyport/internal/disk/disktest"
)

// setDisk makes the disk full, read-only or good.
func (w *World) setDisk(mode string) {
	w.mode = mode
	w.disk.Fail(disktest.Read, nil)
	for _, op := range changing {
		w.disk.Fail(op, nil)
		switch {
		case mode == "full" && (op == disktest.Create || op == disktest.Write):
			w.disk.Fail(op, syscall.ENOSPC)
		case mode == "read-only":
			w.disk.Fail(op, syscall.EROFS)
		}
	}
}

var changing = []disktest.Op{disktest.Mkdir, disktest.Create, disktest.Write, disktest.SyncFile, disktest.Rename, disktest.Remove, disktest.SyncDir}

func (w *World) diskFails() bool { return w.mode != "" || w.op.fault != "" }

// quietly looks at the disk as a good one.
func (w *World) quietly(look func()) {
	mode, die := w.mode, w.dieIn
	w.dieIn = 0
	w.setDisk("")
	look()
	w.setDisk(mode)
	w.dieIn = die
}

func (w *World) path(u *user) string { return filepath.Join(w.root.Users(), u.name+".toml") }
