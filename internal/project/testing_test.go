package project

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"provision/internal/recipe"
)

// TestTests goes through testdata/tests: each file is a project whose tests are run, and ends with
// what is told of each: that it holds, or why it does not.
func TestTests(t *testing.T) { tells(t, "testdata/tests", 20, toldOfTests) }

// toldOfTests is what is told of the tests of the project in this folder.
func toldOfTests(t *testing.T) string {
	t.Helper()
	p, err := Open(".", Options{Shipped: shipped()})
	if err != nil {
		t.Fatal(err)
	}
	tests, err := p.Tests(nil, false)
	var told strings.Builder
	tell := func(err error) {
		var refused *recipe.SourceError
		if !errors.As(err, &refused) || refused.At.File == "" {
			t.Errorf("it has no place: %v", err)
			return
		}
		fmt.Fprintln(&told, refused)
		if refused.Advice != "" {
			fmt.Fprintf(&told, "  hint: %s\n", refused.Advice)
		}
		var differs *Difference
		if errors.As(refused.Cause, &differs) {
			for line := range strings.Lines(differs.Text) {
				told.WriteString("  | " + strings.TrimSuffix(line, "\n") + "\n")
			}
		}
	}
	var several Errors
	if errors.As(err, &several) {
		for _, one := range several {
			tell(one)
		}
	} else if err != nil {
		tell(err)
	}
	for _, test := range tests {
		err := test.Run()
		if err == nil {
			fmt.Fprintf(&told, "%s %s holds\n", test.Task, test.Name)
			continue
		}
		fmt.Fprintf(&told, "%s %s: ", test.Task, test.Name)
		tell(err)
	}
	return told.String()
}

// The example of each word of a test holds, of a task that has what it names.
func TestExamplesOfTests(t *testing.T) {
	const shop = `
-- tasks/shop.star --
variables = [var("domain", str, default = "x"), var("workers", int, default = 2, min = 1, max = 64)]

def build(v, host):
    return [
        file("/etc/motd", v.domain + "\n") if v.domain == "x" else [],
        file("/etc/shop/env", "WORKERS=%d\n" % v.workers, notify = restart("shop.service")) if EXTRA else [],
        package("php8.2-fpm", brings = []) if EXTRA and host.release == 12 else [],
        service("shop.service") if EXTRA else [],
    ]
`
	for _, w := range testingWords() {
		t.Run(w.Name, func(t *testing.T) {
			task := strings.ReplaceAll(shop, "EXTRA", map[bool]string{true: "False", false: "True"}[w.Name == "plan"])
			body := "    " + strings.ReplaceAll(w.Example, "\n", "\n    ")
			body = strings.ReplaceAll(body, `"restart shop.service")`, `"start shop.service")`) // of a bare host
			unpack(t, txtar.Parse([]byte(task+"-- tasks/shop_test.star --\ndef test_it(t):\n"+body+"\n")))
			for _, update := range []bool{true, false} {
				for _, test := range testsHere(t, update) {
					if err := test.Run(); err != nil {
						t.Errorf("%v\n%s", err, body)
					}
				}
			}
		})
	}
}

// testsHere are the tests of the project in this folder.
func testsHere(t *testing.T, update bool) []*Test {
	t.Helper()
	p, err := Open(".", Options{Shipped: shipped()})
	if err != nil {
		t.Fatal(err)
	}
	tests, err := p.Tests(nil, update)
	if err != nil || len(tests) == 0 {
		t.Fatalf("%d tests: %v", len(tests), err)
	}
	return tests
}

const goldenTest = `
-- tasks/shop.star --
def build(v, host):
    return [file("/etc/motd", "Debian %d\n" % host.release)]
-- tasks/shop_test.star --
def test_each(t):
    t.golden("each-%d.golden" % t.release, t.plan())
-- elsewhere/each-12.golden --
not ours
`

// A golden file is written beside its test, and then it holds; what stood there as a link is replaced.
func TestGoldenIsWritten(t *testing.T) {
	unpack(t, txtar.Parse([]byte(goldenTest)))
	if err := os.Mkdir("tasks/testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../elsewhere/each-12.golden", "tasks/testdata/each-12.golden"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("tasks/testdata/each-12.golden.new", []byte("another's\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := testsHere(t, true)[0].Run(); err != nil {
		t.Fatal(err)
	}
	if err := testsHere(t, false)[0].Run(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"tasks/testdata/each-12.golden":     "create file:/etc/motd  0644 root:root\n    step: write /etc/motd\n    | +Debian 12\n",
		"tasks/testdata/each-12.golden.new": "another's\n",
		"elsewhere/each-12.golden":          "not ours\n",
	} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if there, err := os.ReadDir("tasks/testdata"); err != nil || len(there) != 3 { // with each-13.golden
		t.Errorf("%v: %v", there, err)
	}
}

// Nothing is written outside of the project, nor twice with another text.
func TestGoldenIsRefused(t *testing.T) {
	t.Run("outside", func(t *testing.T) {
		unpack(t, txtar.Parse([]byte(goldenTest)))
		outside := t.TempDir()
		if err := os.Symlink(outside, "tasks/testdata"); err != nil {
			t.Fatal(err)
		}
		if err := testsHere(t, true)[0].Run(); err == nil || !strings.Contains(err.Error(), "outside of the project") {
			t.Error(err)
		}
		if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
			t.Errorf("%v: %v", left, err)
		}
	})
	t.Run("twice", func(t *testing.T) {
		unpack(t, txtar.Parse([]byte(strings.ReplaceAll(goldenTest, "each-%d.golden\" % t.release", "each.golden\""))))
		if err := testsHere(t, true)[0].Run(); err == nil || !strings.Contains(err.Error(), "each.golden would be written twice") {
			t.Error(err)
		}
	})
}

// A task that is named has to have tests.
func TestUntested(t *testing.T) {
	unpack(t, txtar.Parse([]byte("-- tasks/shop.star --\ndef build(v, host): return []\n-- tasks/base/task.star --\ndef build(v, host): return []\n")))
	p, err := Open(".", Options{Shipped: shipped()})
	if err != nil {
		t.Fatal(err)
	}
	if tests, err := p.Tests(nil, false); len(tests) != 0 || err != nil {
		t.Errorf("%v, %v", tests, err)
	}
	_, err = p.Tests([]string{"shop", "base"}, false)
	for _, want := range []string{"tasks/shop.star: task shop has no tests", "tasks/base/task.star: task base has no tests"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	}
}

// What is known of a host can be given to a modelled one.
func TestEveryFactCanBeGiven(t *testing.T) {
	for name := range hostFacts {
		if _, known := modelledFacts[name]; !known && name != "release" && name != "codename" {
			t.Errorf("%s: in modelledFacts it has no row", name)
		}
	}
}

// Every kind of resource converges on the model of a bare host, as its example has it.
func TestKindsConvergeOnTheModel(t *testing.T) {
	for _, w := range Words(shipped()) {
		if w.Group != Resources {
			continue
		}
		t.Run(w.Name, func(t *testing.T) {
			before := ""
			if w.Name == releaseWord {
				before = `releases = "/opt/shop"; `
			}
			task := before + `variables = [var("domain", str, default = "x"), var("token", secret), var("port", int, default = 80)]
def build(v, host):
    return [` + w.Example
			for _, unit := range []string{"shop.service", "nginx.service", "redis-server.service"} {
				if !strings.Contains(w.Example, `service("`+unit) {
					task += `, service("` + unit + `")`
				}
			}
			has := map[string]string{"authorized_key": `user("deploy", home = "/home/deploy"), directory("/home/deploy")`, "membership": `user("shop"), group("redis")`, "hold": `package("postgresql-15")`}[w.Name]
			test := fmt.Sprintf("def test_it(t):\n    p = t.converged(vars = {\"token\": \"correct-horse\"}, has = [%s])\n    t.contains([c.at for c in p.changes], \"tasks/shop.star:3\")\n", has)
			unpack(t, txtar.Parse([]byte("-- tasks/shop.star --\n"+task+"]\n"+filesOfExamples+"-- tasks/shop_test.star --\n"+test)))
			if err := testsHere(t, false)[0].Run(); err != nil {
				t.Errorf("%v\n%s", err, task)
			}
		})
	}
}
