package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"provision/internal/engine"
	"provision/internal/report"
)

// unattendedCommand is a command line of provision in a file that starts it.
var unattendedCommand = regexp.MustCompile(`(?m)(?:^|[ /=])provision ((?:check|test|plan|install|apply|report|drift)\b[^\n#]*)`)

// Each file that starts provision can be read by what reads it, and the commands in it exist, with these flags.
func TestUnattendedExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/unattended/*")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		lines := string(text)
		if filepath.Ext(file) == ".yaml" {
			var whole map[string]any
			if err := yaml.Unmarshal(text, &whole); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			lines = strings.Join(scriptsOf(whole), "\n")
		}
		if filepath.Ext(file) == ".md" {
			continue
		}
		var kept []string
		for line := range strings.Lines(lines) {
			if !strings.HasPrefix(strings.TrimSpace(line), "#") {
				kept = append(kept, strings.TrimSuffix(line, "\n"))
			}
		}
		for _, found := range unattendedCommand.FindAllStringSubmatch(strings.Join(kept, "\n"), -1) {
			line := strings.NewReplacer("%%", "%", `\%`, "%").Replace(found[1])
			seen[name]++
			if err := readable(strings.Fields(line)); err != nil {
				t.Errorf("%s: provision %s: %v", name, line, err)
			}
		}
	}
	for _, name := range []string{"provision.service", "crontab", "github.yaml", "gitlab.yaml"} {
		if seen[name] == 0 {
			t.Errorf("%s: starts nothing", name)
		}
	}
}

// scriptsOf are what a pipeline runs: the texts under run, script and after_script.
func scriptsOf(node any) []string {
	var all []string
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			switch key {
			case "run", "script", "after_script":
				all = append(all, textsOf(value)...)
			default:
				all = append(all, scriptsOf(value)...)
			}
		}
	case []any:
		for _, value := range node {
			all = append(all, scriptsOf(value)...)
		}
	}
	return all
}

func textsOf(node any) []string {
	switch node := node.(type) {
	case string:
		return []string{node}
	case []any:
		var all []string
		for _, value := range node {
			all = append(all, textsOf(value)...)
		}
		return all
	}
	return nil
}

// The package has the program in /usr/bin, the archive where it is unpacked: no file names either.
func TestExamplesFindTheProgram(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "bin/provision") {
			t.Errorf("%s says where the program is", file)
		}
	}
}

// systemd takes the units as they are.
func TestUnattendedUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze here")
	}
	dir := t.TempDir()
	for _, name := range []string{"provision.service", "provision.timer"} {
		text, err := os.ReadFile("../../examples/unattended/" + name)
		if err != nil {
			t.Fatal(err)
		}
		// There is no such program, account or directory here.
		there := strings.NewReplacer("ExecStart=provision", "ExecStart=/bin/true", "User=provision", "User=root", "WorkingDirectory=/srv/provision", "WorkingDirectory=/")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(there.Replace(string(text))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	output, err := exec.Command(analyze, "verify", filepath.Join(dir, "provision.service"), filepath.Join(dir, "provision.timer")).CombinedOutput()
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, dir) || strings.HasPrefix(line, "provision.") {
			t.Errorf("%s", line)
		}
	}
	t.Logf("%v: %s", err, output)
}

// No secret is in what somebody is told, nor a part of the command's words.
func TestOnFailureMasks(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	f := &flags{unattended: unattended{onFailure: "cat >" + told}}
	ended := report.PastRun{Command: "install", ExitCode: exitFailed, Hosts: []report.PastHost{{Host: "web1", Status: engine.StatusFailed, Error: "login with hunter2-hunter2; $(exit 1)"}}}
	failed := f.tellOfRun(console{os.Stdin, os.Stdout, os.Stderr}, ended, []error{errors.New("--log: hunter2-hunter2 is no file")}, "provision install -e shop.token=hunter2-hunter2", []string{"hunter2-hunter2"})
	text, err := os.ReadFile(told)
	if failed != nil || err != nil || strings.Contains(string(text), "hunter2") || strings.Count(string(text), report.Mark) != 3 || !strings.Contains(string(text), "; $(exit 1)") {
		t.Errorf("%v: told %s", err, text)
	}
}

// A command that does not end is ended, with all that it started.
func TestOnFailureIsBounded(t *testing.T) {
	shown := console{os.Stdin, os.Stdout, os.Stderr}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := unattended{onFailure: "sleep 600 & sleep 600"}.tellWithin(ctx, shown, "text", exitFailed)
	if err == nil || time.Since(began) > 5*time.Minute {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	if err := (unattended{onFailure: "exit 0"}).tell(shown, strings.Repeat("long ", 100_000), exitFailed); err != nil {
		t.Errorf("it does not read all of the message: %v", err)
	}
}
