package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"provision/internal/project"
	"provision/tasks"
)

// BenchmarkCheck checks an inventory of a hundred hosts, each with three tasks that ship and one
// of the project's own, as from a command line: all is read anew.
func BenchmarkCheck(b *testing.B) {
	dir := b.TempDir()
	if _, err := project.Write(dir, "hello", tasks.All()); err != nil {
		b.Fatal(err)
	}
	var hosts strings.Builder
	hosts.WriteString("hosts:\n")
	for i := range 100 {
		fmt.Fprintf(&hosts, "  web%d: {tasks: [graphite, nginx, redis, hello], vars: {hello.port: %d}}\n", i, 2000+i)
	}
	inventory := filepath.Join(dir, "hosts.yaml")
	if err := os.WriteFile(inventory, []byte(hosts.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	out, err := os.CreateTemp(dir, "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		began := time.Now()
		io := console{os.Stdin, out, os.Stderr}
		f := newFlags(io)
		f.selection.inventory = inventory
		if err := f.checkAll(io); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/check")
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil || !strings.HasPrefix(string(text), "1 own task, 100 hosts: all can be built\n") {
		b.Errorf("%q, %v", text, err)
	}
}
