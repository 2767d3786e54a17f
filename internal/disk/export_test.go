package disk

// OpenDir gives the steps that OS's operations are made of, in the directory that the path's last step is in.
func OpenDir(path string) (Dir, error) { return openKernelParent(path) }

// DescriptorToSync is the descriptor that the directory of the path gets when it is opened to be synced, now and as long as no
// other file is opened or closed.
func DescriptorToSync(path string) (int, error) {
	d, err := openKernelParent(path)
	if err != nil {
		return -1, err
	}
	return d.fd, d.Close()
}
