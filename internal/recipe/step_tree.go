package recipe

// Download brings a file from the network to the host, which fetches it itself, and moves it into its
// place when its digest is right.
type Download struct {
	Path   string
	URL    string
	SHA256 string
	Attributes
}

// Effects implements Step.
func (s Download) Effects() []Effect {
	return append(sourcesChanged(s.Path),
		Known(PathKey(s.Path), Path{Type: PathFile, Mode: s.Mode, Owner: s.Owner, Group: s.Group, SHA256: s.SHA256}))
}

// Title implements Step.
func (s Download) Title() string { return "download " + s.Path }

// Lengthy implements Lengthy.
func (s Download) Lengthy() {}

// Replaces implements Replacing.
func (s Download) Replaces() (string, bool) { return s.Path, false }

// WriteTree makes a directory with all that is in it, and puts it in the place of the one that is
// there: the one or the other is there, and never half of it.
type WriteTree struct {
	Path    string
	Mode    uint32  // of the directory
	Entries []Entry // directories before what is in them
	Content map[string][]byte
	Owner   string
	Group   string
}

// Effects implements Step.
func (s WriteTree) Effects() []Effect {
	return append(anotherWhole(s.Path, s.Path+" is written"),
		Known(PathKey(s.Path), Path{Type: PathDirectory, Mode: s.Mode, Owner: s.Owner, Group: s.Group}),
		Known(FilesKey(s.Path), Files{Digest: FilesDigest(s.Entries)}))
}

// Title implements Step.
func (s WriteTree) Title() string { return "write tree " + s.Path }

// Replaces implements Replacing.
func (s WriteTree) Replaces() (string, bool) { return s.Path, false }

// Unpack fetches an archive from the network and puts what is in it in the place of a directory, with
// the archive's digest in its file ArchiveDigest.
type Unpack struct {
	Path   string
	URL    string
	SHA256 string
	Strip  int // so many directories are left out of each name
	Owner  string
	Group  string
}

// ArchiveDigest is the name of the file, in a directory that was unpacked, that says of what.
const ArchiveDigest = ".archive.sha256"

// TreeMark is the name of the file, in a directory that was written as a whole, that says so.
const TreeMark = ".tree"

// anotherWhole are what is not known of a directory in whose place another came, until then.
func anotherWhole(path, until string) []Effect {
	return []Effect{UnknownUntil(TreeKey(path), until), UnknownUntil(EntriesKey(path), until)}
}

// Effects implements Step.
func (s Unpack) Effects() []Effect {
	until := s.Path + " is unpacked"
	return append(anotherWhole(s.Path, until),
		UnknownUntil(PathKey(s.Path+"/"+TreeMark), until), UnknownUntil(PathKey(s.Path+"/"+GitMark), until),
		Known(PathKey(s.Path), Path{Type: PathDirectory, Mode: 0o755, Owner: s.Owner, Group: s.Group}),
		Known(PathKey(s.Path+"/"+ArchiveDigest), Path{Type: PathFile, Mode: 0o644, Owner: s.Owner, Group: s.Group, SHA256: Digest([]byte(s.SHA256 + "\n"))}),
	)
}

// Title implements Step.
func (s Unpack) Title() string { return "unpack " + s.Path }

// Lengthy implements Lengthy.
func (s Unpack) Lengthy() {}

// Replaces implements Replacing.
func (s Unpack) Replaces() (string, bool) { return s.Path, false }

// CheckOut fetches a commit of a repository of git, and puts what is in it, with the repository, in the
// place of a directory.
type CheckOut struct {
	Path   string
	URL    string
	Commit string
	Owner  string
	Group  string
}

// Effects implements Step.
func (s CheckOut) Effects() []Effect {
	until := s.Path + " is checked out"
	return append(anotherWhole(s.Path, until),
		UnknownUntil(PathKey(s.Path+"/"+TreeMark), until), UnknownUntil(PathKey(s.Path+"/"+ArchiveDigest), until),
		Known(PathKey(s.Path), Path{Type: PathDirectory, Mode: 0o755, Owner: s.Owner, Group: s.Group}),
		Known(PathKey(s.Path+"/"+GitMark), Path{Type: PathFile, Mode: 0o644, Owner: s.Owner, Group: s.Group}),
		Known(PathKey(s.Path+"/"+GitHead), Path{Type: PathFile, Mode: 0o644, Owner: s.Owner, Group: s.Group, SHA256: Digest([]byte(s.Commit + "\n"))}),
	)
}

// GitHead is the file, in a directory that was checked out, that says which commit (gitrepository-layout(5)).
const GitHead = ".git/HEAD"

// GitMark is the file, in a directory that was checked out by a CheckOut, that says so: not every clone
// was.
const GitMark = ".git/provision"

// Title implements Step.
func (s CheckOut) Title() string { return "check out " + s.Path }

// Lengthy implements Lengthy.
func (s CheckOut) Lengthy() {}

// Replaces implements Replacing.
func (s CheckOut) Replaces() (string, bool) { return s.Path, false }
