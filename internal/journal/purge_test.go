package journal_test

import (
	"slices"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// takes makes apt-get say what a purge takes along.
func takes(t *testing.T, m *machine, lines string) {
	t.Helper()
	fakeApt(t, m)
	m.write(t, m.dir+"/apt-get.sh", `[ $verb != simulate ] || printf '`+lines+`'`)
}

func purge(along []string, names ...string) recipe.RemovePackages {
	return recipe.RemovePackages{Names: names, With: recipe.Removal{Along: along, Comes: []string{"mta-2"}}}
}

func TestPurgeTakesWhatThePlanSaysAndNoMore(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	takes(t, m, `Inst mta-2 [1]\nRemv needs-it [2]\nPurg g++ [3]\nConf mta-2 [1]\n`)
	c := m.begin(t)
	for along, more := range map[string]string{"": "needs-it", "needs": "needs-it"} {
		failed := c.fails(t, purge(strings.Fields(along), "g++"))
		if want := "apt would not only purge g++, which is in the plan, but also: " + more + "\n"; !strings.Contains(failed.Output, want) {
			t.Errorf("with %q in the plan: %q", along, failed.Output)
		}
	}
	if exists(m.dir + "/log") {
		for line := range strings.Lines(m.log(t)) {
			if strings.Contains(line, " purge ") {
				t.Errorf("it purged: %s", line)
			}
		}
	}
	c.do(t, purge([]string{"needs-it", "other"}, "g++"))
	log := m.log(t)
	for _, want := range []string{" purge -- g++\n", "DPkg::Lock::Timeout=", "--force-confold", "dpkg --audit"} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is missing in\n%s", want, log)
		}
	}
	for _, bad := range []string{"ENVIRONMENT", "INPUT IS OPEN", "--configure", "--no-remove"} {
		if strings.Contains(log, bad) {
			t.Errorf("%q in\n%s", bad, log)
		}
	}
	// What is not there any more, or cannot be asked for, takes nothing away.
	takes(t, m, "")
	c.do(t, purge(nil, "g++"))
	if !strings.Contains(m.log(t), " --no-remove purge -- g++\n") {
		t.Errorf("log\n%s", m.log(t))
	}
	c.finish(t)
}

func TestPurgeFinishesAnInterruptedDpkgAndHoldsNoService(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	takes(t, m, `Purg x [1]\n`)
	m.write(t, m.dir+"/lib/dpkg/updates/0001", "half")
	m.fake(t, "dpkg", `case "$*" in *--configure*) /usr/sbin/policy-rc.d; [ $? = 101 ] && rm /var/lib/dpkg/updates/0001 ;; esac`)
	m.write(t, m.dir+"/apt-get.sh", `case $verb in
simulate) echo "Purg x [1]" ;;
purge) [ ! -e /usr/sbin/policy-rc.d ] || echo "services are held" >&2 ;;
esac`)
	c := m.begin(t)
	c.do(t, purge(nil, "x"))
	if want := []string{"dpkg was interrupted before: dpkg --configure -a"}; !slices.Equal(c.notes, want) || m.policy() != "none" {
		t.Errorf("notes %q, policy %q", c.notes, m.policy())
	}
	if told := strings.Join(c.lines, "\n"); strings.Contains(told, "held") {
		t.Errorf("told %q", told)
	}
}

// A connection that dies takes nobody's apt-get with it, and nothing bounds its time.
func TestPurgeOutlivesItsRun(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	takes(t, m, "")
	m.write(t, m.dir+"/apt-get.sh", `case $verb in
simulate) echo "Purg x [1]" ;;
purge) touch `+m.dir+`/begun; while [ ! -e `+m.dir+`/go ]; do echo at work; sleep 0.05; done; touch `+m.dir+`/done ;;
esac`)
	c := m.begin(t)
	ended := c.background(t, purge(nil, "x"))
	eventually(t, "apt-get is at work", func() bool { return exists(m.dir + "/begun") })
	c.kill(t)
	<-ended
	m.write(t, m.dir+"/go", "")
	eventually(t, "apt-get comes to its end", func() bool { return exists(m.dir + "/done") })
	m.begin(t).finish(t) // when the step has let go of the lock: nothing of it is at work any more
}
