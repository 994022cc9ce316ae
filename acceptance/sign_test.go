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
	refuses := func(want, key string) {
		t.Helper()
		refusesToRun(t, tree, want, nil, "packaging/sign", key, dist)
		if _, err := os.Stat(filepath.Join(dist, "SHA256SUMS.sig")); err == nil {
			t.Errorf("it signed with %s", key)
		}
	}
	replace(t, filepath.Join(dist, "SHA256SUMS"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  nothing\n")
	refuses("has not the key", key)
	refuses("is no key", filepath.Join(tree, "README.md"))
	publishedBy(t, tree, key, "provision")
	refuses("nobody to whom a problem of security is told", key)
	publishedBy(t, tree, key, you)
	refuses("has not the key", other)
	out(t, tree, nil, "packaging/sign", key)
	out(t, tree, nil, "packaging/sign", key, dist)

	verify := gettingIt[3]
	replace(t, filepath.Join(dist, "allowed_signers"), string(readFile(t, filepath.Join(tree, "packaging/allowed_signers"))))
	out(t, dist, nil, "sh", "-c", verify)
	replace(t, filepath.Join(dist, "SHA256SUMS"), "f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  nothing\n")
	refusesToRun(t, dist, "incorrect signature", nil, "sh", "-c", verify)
}

// What is published has a version that is told, can be had and is signed; else nothing is even built.
func TestPublish(t *testing.T) {
	t.Parallel()
	tree, dist, key := clone(t), filepath.Join(t.TempDir(), "dist"), signingKey(t)
	signed := []string{"SIGNING_KEY=" + key}
	refuses := func(want string, environment []string) {
		t.Helper()
		refusesToRun(t, tree, want, environment, "packaging/publish", dist)
	}
	// What is built is TestPackage's.
	replace(t, filepath.Join(tree, "packaging/release"), "#!/bin/sh\nmkdir \"$1\"; echo made >\"$1/SHA256SUMS\"\n")
	refuses("no key signs it", []string{"SIGNING_KEY="})
	refuses("has not the key", signed)
	publishedBy(t, tree, key, you)
	refuses("a module called provision", signed)
	out(t, tree, nil, "go", "mod", "edit", "-module="+published)
	refuses("what is not committed", signed)
	commit(t, tree)
	refuses("is no version", signed)
	out(t, tree, nil, "git", "tag", "v1.2.3")
	refuses("does not say what is new in 1.2.3", signed)
	out(t, tree, nil, "sed", "-i", "s/^## Unreleased/## 1.2.3 - 2026-12-01/", "CHANGELOG.md")
	commit(t, tree)
	refuses("is no version", signed)
	if _, err := os.Stat(dist); err == nil {
		t.Error("what was refused was built")
	}
	out(t, tree, nil, "git", "tag", "-f", "v1.2.3")
	out(t, tree, signed, "packaging/publish", dist)
	out(t, dist, nil, "cp", filepath.Join(tree, "packaging/allowed_signers"), ".")
	out(t, dist, nil, "sh", "-c", gettingIt[3])
}

// refusesToRun wants a program to fail, and to say why.
func refusesToRun(t *testing.T, dir, want string, environment []string, name string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	if strings.Contains(name, "/") {
		command.Path = filepath.Join(dir, name)
	}
	command.Dir, command.Env = dir, append(os.Environ(), environment...)
	if said, err := command.CombinedOutput(); err == nil || !strings.Contains(strings.ToLower(string(said)), want) {
		t.Errorf("%s: %v, want %q in\n%s", name, err, want, said)
	}
}

// you are who publishes, to ssh-keygen.
const you = "provision,security@example.org"

// signingKey makes a key for one test.
func signingKey(t *testing.T) string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "release")
	out(t, ".", nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	return key
}

// publishedBy commits to a clone what only who publishes it can know. The commit is the same in each.
func publishedBy(t *testing.T, tree, key, who string) {
	t.Helper()
	replace(t, filepath.Join(tree, "packaging/allowed_signers"), "# Who publishes.\n"+who+" "+string(readFile(t, key+".pub")))
	commit(t, tree)
}

func commit(t *testing.T, tree string) {
	t.Helper()
	var who []string
	for _, role := range []string{"AUTHOR", "COMMITTER"} {
		who = append(who, "GIT_"+role+"_NAME=You", "GIT_"+role+"_EMAIL=you@example.org", "GIT_"+role+"_DATE=2026-11-30T00:00:00Z")
	}
	out(t, tree, who, "git", "commit", "-q", "-a", "-m", "who publishes it")
}

// replace gives a file another text.
func replace(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
