package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A release is signed by the key that the source names and no other, and not before the source says to
// whom a problem of security is told; what the README says finds a byte that is another.
func TestSignature(t *testing.T) {
	t.Parallel()
	tree, dist, key, other := clone(t), t.TempDir(), signingKey(t), signingKey(t)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	refuses := func(want, script string, args ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), filepath.Join(tree, script), args...)
		command.Env = append(os.Environ(), "SIGNING_KEY="+key)
		if said, err := command.CombinedOutput(); err == nil || !strings.Contains(string(said), want) {
			t.Errorf("%s: %v, want %q in\n%s", script, err, want, said)
		}
		if _, err := os.Stat(filepath.Join(dist, "SHA256SUMS.sig")); err == nil {
			t.Errorf("%s %v signed", script, args)
		}
	}
	write("SHA256SUMS", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  nothing\n")
	refuses("to whom a problem of security is told", "packaging/sign", key, dist)
	refuses("to whom a problem of security is told", "packaging/release", filepath.Join(dist, "made")) // and builds nothing
	publishedBy(t, tree, key)
	refuses("has not the key", "packaging/sign", other, dist)
	out(t, tree, nil, "packaging/sign", key)
	out(t, tree, nil, "packaging/sign", key, dist)

	verify := gettingIt[3]
	write("allowed_signers", string(readFile(t, filepath.Join(tree, "packaging/allowed_signers"))))
	out(t, dist, nil, "sh", "-c", verify)
	write("SHA256SUMS", "f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  nothing\n")
	changed := exec.Command("sh", "-c", verify)
	changed.Dir = dist
	if said, err := changed.CombinedOutput(); err == nil {
		t.Errorf("of a changed byte it says\n%s", said)
	}
}

// signingKey makes a key for one test.
func signingKey(t *testing.T) string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "release")
	out(t, ".", nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	return key
}

// publishedBy commits to a clone what only who publishes it can know. The commit is the same in each.
func publishedBy(t *testing.T, tree, key string) {
	t.Helper()
	signers := filepath.Join(tree, "packaging/allowed_signers")
	text := append(readFile(t, signers), "provision "+string(readFile(t, key+".pub"))...)
	if err := os.WriteFile(signers, text, 0o644); err != nil {
		t.Fatal(err)
	}
	out(t, tree, nil, "sed", "-i", "s/^Contact: .*/Contact: security@example.org/", "docs/security.md")
	var who []string
	for _, role := range []string{"AUTHOR", "COMMITTER"} {
		who = append(who, "GIT_"+role+"_NAME=You", "GIT_"+role+"_EMAIL=you@example.org", "GIT_"+role+"_DATE=2026-11-30T00:00:00Z")
	}
	out(t, tree, who, "git", "commit", "-q", "-a", "-m", "who publishes it")
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
