package tasks

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
	"provision/internal/script"
	"provision/templates"
)

// everyAction calls f with each action of each task.
func everyAction(t *testing.T, f func(t *testing.T, task recipe.Task, action recipe.Script)) {
	for _, task := range All() {
		for _, action := range task.Actions {
			t.Run(task.Name+" "+action.Name, func(t *testing.T) { f(t, task, action) })
		}
	}
}

// An action's script gets arguments and variables as variables of one shell, and is listed with a sentence.
func TestActionsAreDocumented(t *testing.T) {
	everyAction(t, func(t *testing.T, task recipe.Task, action recipe.Script) {
		if !strings.HasSuffix(action.Help, ".") || action.Timeout == 0 {
			t.Errorf("help %q, timeout %s", action.Help, action.Timeout)
		}
		for _, argument := range action.Arguments {
			if argument.Help == "" || slices.ContainsFunc(task.Variables, func(v recipe.Variable) bool { return v.Name == argument.Name }) {
				t.Errorf("argument %s: has no help, or is a variable of the task too", argument.Name)
			}
		}
	})
}

// shellcheck reads the actions as a host's shell gets them: behind the variables.
func TestShellcheckOfActions(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no shellcheck here: apt-get install shellcheck")
	}
	everyAction(t, func(t *testing.T, task recipe.Task, action recipe.Script) {
		var text strings.Builder
		for _, v := range slices.Concat(task.Variables, action.Arguments) {
			text.WriteString(v.Name + "=" + script.Quote("") + "\n")
		}
		// Variables that this action does not read (SC2034); a && b || c where both mean c (SC2015); text for another
		// shell (SC2016); ls of names that we made (SC2012); what a trap calls (SC2317); a prefix of one command (SC2097, SC2098).
		c := exec.Command("shellcheck", "--shell=sh", "--exclude=SC2034,SC2015,SC2016,SC2012,SC2317", "-")
		c.Stdin = strings.NewReader(text.String() + action.Text)
		if found, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, found)
		}
	})
}

// Python of actions is such: a mistake in it is not found on the host alone.
func TestPythonOfActions(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no python3 here: apt-get install python3-minimal")
	}
	program := regexp.MustCompile(`(?s)<<'PYTHON'\n(.*?)\nPYTHON\n|python3 -c '\n(.*?)\n' `)
	seen := 0
	everyAction(t, func(t *testing.T, _ recipe.Task, action recipe.Script) {
		for _, found := range program.FindAllStringSubmatch(action.Text, -1) {
			seen++
			c := exec.Command("python3", "-c", "import ast, sys; ast.parse(sys.stdin.read())")
			c.Stdin = strings.NewReader(found[1] + found[2])
			if output, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		}
	})
	if seen == 0 {
		t.Error("no Python was found")
	}
}

// A directory of root's in one that another account can write to is not root's for long: it can be moved away, and
// a link be put in its place.
func TestBackupsLieBelowDirectoriesOfRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root makes directories of root's")
	}
	folder := t.TempDir()
	if err := os.Mkdir(folder+"/shared", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder+"/shared", 0o777); err != nil {
		t.Fatal(err)
	}
	before, err := templates.Render("backup/keep.sh.tmpl", struct{ Task, AsIt, Home string }{Task: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{folder + "/own": "", folder + "/shared": "shared: others may write there", folder + "/shared/own": "shared: others may write there"} {
		said, err := exec.Command("sh", "-c", "to="+to+"\n"+before).CombinedOutput()
		if (err == nil) != (want == "") || !strings.Contains(string(said), want) {
			t.Errorf("%s: %v: %s, want %q", to, err, said, want)
		}
	}
}

// carbon stops for what is resized, and not to find that nothing is.
func TestResizeStopsCarbonForWhatItChangesAlone(t *testing.T) {
	r := newRestoreTrial(t)
	r.write("bin/python3", `#!/bin/sh
cat >/dev/null
[ "$2" != due ] || exit "$DUE"
[ ! -e "`+r.folder+`/runs" ] || echo "it runs at $2"
`)
	r.write("bin/find", "#!/bin/sh\n[ \"$DUE\" != 0 ] || echo one\n")
	for _, c := range []struct {
		step, due, says string
		fails           bool
	}{
		{"plan", "0", "it runs at plan", false},
		{"apply", "0", "", false},
		{"apply", "1", "", true},
		{"undo", "0", "", false},
		{"undo", "9", "it runs at undo", false},
		{"clean", "0", "it runs at clean", false},
		{"apply", "9", "", false},
	} {
		r.again(nil)
		said, err := r.runs("step="+c.step+"\n"+graphiteResize().Text, graphiteHome, "DUE="+c.due)
		if strings.TrimSpace(said) != c.says || (err != nil) != c.fails || !r.running() {
			t.Errorf("%s, %s: %v, %q", c.step, c.due, err, said)
		}
	}
}
