package script

import (
	"os"
	command "os/exec" // exec is a step here
	"path/filepath"
	"regexp"
	"testing"
)

// The disk is full in the middle of a line of the index: the line goes again, so that neither
// the next one becomes part of it nor the step counts as one with a copy.
func TestIndexIsWholeOnAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounts a file system")
	}
	run := t.TempDir()
	if err := os.Mkdir(filepath.Join(run, "kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := command.Command("unshare", "-m", "--propagation", "private", "dash", "-c", source("say")+library()+`run=$0
mount -t tmpfs -o size=4k tmpfs "$run/kept" && : >"$run/kept/index" || exit 99
n=1
noted() {
	code "/etc/a file/$1"
	copies='' entries="$1 absent $coded
"
	enter
}
while noted $n; do
	kept $n || exit 98
	n=$((n + 1))
done
! kept $n || exit 97
whole=$(stat -c %s "$run/kept/index")
printf '%s ab' $n >>"$run/kept/index" # as a power cut may leave it
! kept $n || exit 96
truncate -s $whole "$run/kept/index"
cat "$run/kept/index" >&3
`, run)
	index, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*command.ExitError).Stderr)
	}
	if !regexp.MustCompile(`^([0-9]+ absent [A-Za-z0-9+/]+=*\n){50,}$`).Match(index) {
		t.Errorf("the index:\n%s", index)
	}
}

// So it is with the journal: what is noted when there is room again is a line of its own.
func TestJournalIsWholeOnAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounts a file system")
	}
	c := command.Command("unshare", "-m", "--propagation", "private", "dash", "-c", source("say")+library()+`run=$0
mount -t tmpfs -o size=8k tmpfs "$run" && head -c 4096 /dev/zero >"$run/filler" || exit 99
while record '{"event":"an odd one"}' '{"event":"and another"}'; do :; done
rm "$run/filler"
record '{"event":"last"}' || exit 98
cat "$run/journal" >&3
`, t.TempDir())
	journal, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*command.ExitError).Stderr)
	}
	if !regexp.MustCompile(`^([0-9]{4}-\S+Z \{"event":"[a-z ]+"\}\n){50,}[0-9]{4}-\S+Z \{"event":"last"\}\n$`).Match(journal) {
		t.Errorf("the journal:\n%s", journal)
	}
}

// And with the list of temporaries, and that of secrets: a line that is cut short would hide the next.
func TestListsAreWholeOnAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounts a file system")
	}
	c := command.Command("unshare", "-m", "--propagation", "private", "dash", "-c", source("say")+library()+`state=$0 runid=000001 salt=salt
mkdir "$0/beside" && cd "$0/beside" && mount -t tmpfs -o size=8k tmpfs "$state" || exit 99
for list in temporaries secrets; do printf '%4080s\n' x >"$state/$list"; done
private 1 && exit 98
secret /etc/a/long/one && exit 97
mount -o remount,size=1m "$state" || exit 96
private 2 && secret /etc/another || exit 95
for list in temporaries secrets; do tail -n +2 "$state/$list" >&3; done
`, t.TempDir())
	lists, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*command.ExitError).Stderr)
	}
	if !regexp.MustCompile(`^\S+/beside/\.provision-000001-2-salt\n/etc/another\n$`).Match(lists) {
		t.Errorf("the lists:\n%s", lists)
	}
}
