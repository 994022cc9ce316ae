package resource

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"provision/internal/recipe"
)

// AuthorizedKey is one key by which an account can be logged in to. The other keys of the account
// stay.
//
//	AuthorizedKey{User: "deploy", Key: "ssh-ed25519 AAAAC3Nza… anna@laptop"}
//
// It is in ~/.ssh/authorized_keys, which belongs to the account, and so does the directory: see
// sshd(8), AUTHORIZED_KEYS FILE FORMAT, and StrictModes in sshd_config(5).
type AuthorizedKey struct {
	User   string // the account, which is there before
	Key    string // as in the file: options or none, the type, the key, a comment
	Home   string // of the account; default /home/USER, and /root of root
	Absent bool   // whatever its options and its comment are
	Ours   bool   // with Absent: the file was not there before, and goes when no other key is in it
}

// ID implements recipe.Resource.
func (k AuthorizedKey) ID() string {
	key, err := parseKey(k.Key)
	if err != nil {
		return "authorized_key:" + k.User
	}
	return "authorized_key:" + k.User + ":" + ssh.FingerprintSHA256(key)
}

// Place implements recipe.Placed.
func (k AuthorizedKey) Place() string { return k.file() }

func (k AuthorizedKey) home() string {
	switch {
	case k.Home != "":
		return k.Home
	case k.User == "root":
		return "/root"
	}
	return "/home/" + k.User
}

func (k AuthorizedKey) directory() string { return k.home() + "/.ssh" }
func (k AuthorizedKey) file() string      { return k.directory() + "/authorized_keys" }

// Probes implements recipe.Resource.
func (k AuthorizedKey) Probes() []recipe.Probe {
	return append([]recipe.Probe{
		{Key: recipe.UserKey(k.User)}, {Key: recipe.PathKey(k.home())}, {Key: recipe.PathKey(k.directory())},
	}, part{path: k.file()}.probes()...)
}

func parseKey(line string) (ssh.PublicKey, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	return key, err
}

// Validate refuses what cannot be meant.
func (k AuthorizedKey) Validate() error {
	if strings.ContainsAny(k.Key, "\n\r\x00") {
		return fmt.Errorf("authorized key of %s: is more than one line", k.User)
	}
	if _, err := parseKey(k.Key); err != nil {
		return fmt.Errorf("authorized key of %s: %q is no public key as ssh-keygen writes it: %w", k.User, shortened(k.Key), err)
	}
	if err := checkPath("home of "+k.User, k.home()); err != nil {
		return err
	}
	return checkName("user", k.User, accountName)
}

// shortened is a text that may be a private key: its beginning says enough.
func shortened(text string) string {
	if len(text) > 30 {
		return text[:30] + "…"
	}
	return text
}

// Diff implements recipe.Resource.
func (k AuthorizedKey) Diff(facts recipe.Facts) (recipe.Change, error) {
	account := facts.User(k.User)
	owned := recipe.Attributes{Mode: 0o600, Owner: k.User, Group: account.Group}
	keys := part{path: k.file(), absent: k.Absent, ours: k.Ours, fresh: owned, what: "key", edit: k.edit}
	if k.Absent {
		return keys.diff(facts)
	}
	if err := k.reachable(account, facts.Path(k.home())); err != nil {
		return recipe.Change{}, err
	}
	change, err := keys.diff(facts)
	if err != nil {
		return recipe.Change{}, err
	}
	file := facts.Path(k.file())
	if file.Type == recipe.PathFile && !strict(file, k.User) {
		change.Deltas = append(change.Deltas, attributeDeltas(owned, file)...)
		change.Steps = append(change.Steps, recipe.SetAttributes{Path: k.file(), Found: after(file, change), Attributes: owned})
	}
	owned.Mode = 0o700
	directory, err := Directory{Path: k.directory(), Attributes: owned}.Diff(facts)
	if err != nil {
		return recipe.Change{}, err
	}
	if !strict(facts.Path(k.directory()), k.User) {
		change.Deltas = append(directory.Deltas, change.Deltas...)
		change.Steps = append(directory.Steps, change.Steps...)
	}
	if change.Empty() && len(change.Steps) > 0 {
		change.Kind = recipe.Update
	}
	return change, nil
}

// after is a file as it is when a change is done.
func after(file recipe.Path, change recipe.Change) recipe.Path {
	if change.Diff != nil {
		file.SHA256 = recipe.Digest(change.Diff.After)
	}
	return file
}

// reachable says why sshd would not look for the account's keys there.
func (k AuthorizedKey) reachable(account recipe.User, home recipe.Path) error {
	switch {
	case !account.Exists:
		return fmt.Errorf("there is no user %s", k.User)
	case account.Home != k.home():
		return fmt.Errorf("the home of %s is %s, not %s: name that as its home", k.User, account.Home, k.home())
	case home.Type != recipe.PathDirectory:
		return fmt.Errorf("the home of %s, %s, is no directory", k.User, k.home())
	case !strict(home, k.User):
		return fmt.Errorf("%s: sshd takes no key from it, for others than %s can write there (sshd_config(5), StrictModes)", k.home(), k.User)
	}
	return nil
}

// strict says whether sshd trusts what is there: only root and the account may write to it.
func strict(is recipe.Path, user string) bool {
	return is.Type != recipe.PathAbsent && (is.Owner == user || is.Owner == "root") && is.Mode&0o022 == 0
}

// edit gives the key its line. Lines that are no keys are somebody's comments.
func (k AuthorizedKey) edit(text string) (string, error) {
	same, err := k.same()
	if err != nil {
		return "", err
	}
	line := strings.TrimSpace(k.Key)
	if k.Absent {
		line = ""
	}
	return replaced(text, line, same), nil
}

// same returns what decides whether a line is of the key.
func (k AuthorizedKey) same() (func(line string) bool, error) {
	wanted, err := parseKey(k.Key)
	return func(line string) bool {
		key, err := parseKey(line)
		return err == nil && ssh.FingerprintSHA256(key) == ssh.FingerprintSHA256(wanted)
	}, err
}

// Trace implements recipe.Remembered.
func (k AuthorizedKey) Trace() recipe.Trace {
	trace := recipe.Trace{Kind: "authorized_key", Name: k.User, Line: strings.TrimSpace(k.Key), Home: k.Home, Gone: k.Absent}
	if key, err := parseKey(k.Key); err == nil {
		trace.Key = ssh.FingerprintSHA256(key)
	}
	return trace
}

// Within is the directory that it is in, which is made for it where it is not there, and leaves after it.
func (k AuthorizedKey) Within() []recipe.Resource {
	if k.Absent {
		return nil
	}
	return []recipe.Resource{Directory{Path: k.directory()}}
}

// Stood implements recipe.Remembered: the line of the key, with its options.
func (k AuthorizedKey) Stood(facts recipe.Facts) recipe.Before {
	same, err := k.same()
	if err != nil { // Validate has refused it
		return noPart(k.file(), facts)
	}
	if found := matching(string(facts.Content(k.file()).Bytes), same); len(found) > 0 {
		return recipe.Before{Line: found[0]}
	}
	return noPart(k.file(), facts)
}

// leave implements leaver: it goes, or its line is what it was before.
func (AuthorizedKey) leave(t recipe.Trace, _ Leaving) (recipe.Resource, string) {
	switch {
	case t.Gone:
		return nil, ""
	case t.Before.Nothing:
		return FormerPart{AuthorizedKey{User: t.Name, Key: t.Line, Home: t.Home, Absent: true, Ours: t.Before.NoFile}}, ""
	case t.Before.Line != "":
		return FormerKey{Key: AuthorizedKey{User: t.Name, Key: t.Line, Home: t.Home}, Back: t.Before.Line}, ""
	}
	return nil, called(t) + " as it is now"
}

// FormerKey is a public key that no task wants any more, and that stood there before any did: its
// line comes back, for its options may be narrower than ours. Where the key is no longer there, it
// lets nobody in again.
type FormerKey struct {
	Key  AuthorizedKey
	Back string // its line as it stood there before
}

// ID implements recipe.Resource.
func (f FormerKey) ID() string { return f.Key.ID() }

// Probes implements recipe.Resource.
func (f FormerKey) Probes() []recipe.Probe { return part{path: f.Key.file()}.probes() }

// Diff implements recipe.Resource.
func (f FormerKey) Diff(facts recipe.Facts) (recipe.Change, error) {
	return part{path: f.Key.file(), absent: true, what: "key", edit: f.edit}.diff(facts)
}

func (f FormerKey) edit(text string) (string, error) {
	same, err := f.Key.same()
	if err != nil || len(matching(text, same)) == 0 {
		return text, err
	}
	return replaced(text, f.Back, same), nil
}
