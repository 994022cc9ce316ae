package acceptance

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/journal"
	"provision/internal/recipe"
	want "provision/internal/resource"
	"provision/internal/run"
)

var netbase = want.Package{Name: "netbase"}

// The disk fills up while dpkg unpacks the second of two packages, and leaves the first one
// unconfigured: its own words are shown, and once there is room the next run lets dpkg finish.
func TestFault05DiskFullDuringApt(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf05")
	f.run(t, "mkdir -p /usr/share/doc/netbase && mount -t tmpfs -o size=4k tmpfs /usr/share/doc/netbase")
	resources := []recipe.Resource{netbase, want.Package{Name: "media-types"}, want.File{Path: "/etc/last", Content: "x\n"}}
	full := f.install(t, change{}, resources...).is(t, engine.StatusFailed)
	full.says(t, "No space left on device", "netbase")
	if state := f.run(t, "dpkg-query -W -f '${db:Status-Abbrev}' media-types"); state != "iU " {
		t.Fatalf("media-types is %q: there is nothing for dpkg to finish", state)
	}
	f.run(t, "umount /usr/share/doc/netbase")
	again := f.install(t, change{}, resources...).is(t, engine.StatusChanged)
	if !again.noted("dpkg was interrupted before: dpkg --configure -a") {
		t.Errorf("notes %q", again.notes)
	}
	f.run(t, `[ "$(dpkg-query -W -f '${db:Status-Abbrev}' netbase media-types)" = "ii ii " ] && [ -z "$(dpkg --audit)" ]`)
	f.clean(t)
}

// holdDpkg holds dpkg's lock as another package manager does (fcntl(2)), for so long.
func (m machine) holdDpkg(t *testing.T, seconds int) {
	t.Helper()
	m.run(t, fmt.Sprintf(`perl -e '
use Fcntl;
open(F, ">>", "/var/lib/dpkg/lock-frontend") or die;
my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
fcntl(F, F_SETLK, $lock) or die "lock: $!";
open(G, ">", "/var/tmp/held"); print G $$; close G;
sleep %d' >/dev/null 2>&1 </dev/null &
for i in $(seq 200); do [ ! -e /var/tmp/held ] || exit 0; sleep 0.05; done; exit 1`, seconds))
}

// impatient lets apt-get wait two seconds for dpkg's lock, not two minutes.
func (m machine) impatient(t *testing.T) {
	t.Helper()
	m.feed(t, "cat >/usr/sbin/apt-get; chmod 755 /usr/sbin/apt-get", `#!/bin/sh
for word; do
	shift
	case $word in DPkg::Lock::Timeout=*) word=DPkg::Lock::Timeout=2 ;; esac
	set -- "$@" "$word"
done
exec /usr/bin/apt-get "$@"
`)
}

// It is said while apt-get waits, and once, for whom; in vain it fails, and names the holder.
func TestFault06DpkgLockHeld(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf06")
	f.holdDpkg(t, 6)
	waited := f.install(t, change{}, netbase).is(t, engine.StatusChanged)
	if len(waited.notes) != 1 || !waited.noted("/var/lib/dpkg/lock-frontend. It is held by process") || !waited.noted("(perl)") {
		t.Errorf("notes %q", waited.notes)
	}
	for _, e := range waited.events { // before the wait has ended
		if output, ok := e.Event.(engine.Output); ok && strings.HasPrefix(output.Line, "Unpacking netbase") {
			t.Error("not said before it was over")
		}
		if note, ok := e.Event.(engine.Note); ok && strings.Contains(note.Text, "(perl)") {
			break
		}
	}
	f.run(t, "rm /var/tmp/held; dpkg --purge netbase >/dev/null 2>&1")

	f.impatient(t)
	f.holdDpkg(t, 30)
	f.install(t, change{}, netbase).is(t, engine.StatusFailed).says(t, "lock-frontend", "held by process", "(perl)", "Unable to acquire the dpkg frontend lock")
	f.clean(t)
}

// dpkg is killed in the middle of its work by a package's own script: every apt-get would
// fail until dpkg --configure -a. The next run does that, and says so.
func TestFault07DpkgInterrupted(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf07")
	f.run(t, `mkdir -p /var/tmp/deadly/DEBIAN && cd /var/tmp &&
printf 'Package: deadly\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: kills dpkg\n' >deadly/DEBIAN/control &&
printf '#!/bin/sh\n[ -e /var/tmp/killed ] || { : >/var/tmp/killed; kill -9 $PPID; sleep 1; }\n' >deadly/DEBIAN/postinst && chmod 755 deadly/DEBIAN/postinst &&
dpkg-deb -b deadly >/dev/null && ! dpkg -i deadly.deb >/dev/null 2>&1`)
	if output, err := f.try("apt-get -q -y install netbase </dev/null 2>&1", ""); err == nil || !strings.Contains(output+err.Error(), "dpkg was interrupted") {
		t.Fatalf("apt-get has no quarrel: %v\n%s", err, output)
	}
	mended := f.install(t, change{}, netbase).is(t, engine.StatusChanged)
	if len(mended.notes) != 1 || !mended.noted("dpkg was interrupted before: dpkg --configure -a") {
		t.Errorf("notes %q", mended.notes)
	}
	f.run(t, `[ "$(dpkg-query -W -f '${db:Status-Abbrev}' netbase deadly)" = "ii ii " ]`)
	f.clean(t)
}

// A configuration file that is there and differs from the package's makes dpkg ask: it is
// not asked, the file stays. needrestart and all other hooks of apt get the environment
// that keeps them from asking, through sudo, and no input.
func TestFault08ConffileIsKeptUnasked(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf08")
	f.run(t, "echo mine >/etc/protocols")
	f.install(t, change{}, netbase).is(t, engine.StatusChanged)
	if got := f.read(t, "/etc/protocols"); got != "mine\n" {
		t.Errorf("/etc/protocols is now %q", tail(got, 100))
	}
	f.clean(t)
}

func TestFault09NeedrestartThroughSudo(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf09")
	f.run(t, `echo 'DPkg::Post-Invoke { "env >/var/tmp/hook; readlink /proc/self/fd/0 >>/var/tmp/hook; [ ! -t 1 ] || echo terminal >>/var/tmp/hook"; };' >/etc/apt/apt.conf.d/99hook`)
	f.target.Address.User = "operator"
	f.install(t, change{}, netbase).is(t, engine.StatusChanged)
	hook := f.read(t, "/var/tmp/hook")
	for _, line := range []string{"NEEDRESTART_MODE=a", "DEBIAN_FRONTEND=noninteractive", "/dev/null"} {
		if !strings.Contains(hook, line+"\n") {
			t.Errorf("no %s in\n%s", line, hook)
		}
	}
	if strings.Contains(hook, "terminal") {
		t.Error("apt has a terminal")
	}
	f.clean(t)
}

// The mirror of one of two hosts hangs up on everybody: it is tried a few times, then this
// host fails with apt's own words, and the other one goes on.
func TestFault10MirrorDown(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf10")
	other := newFaulty(t, "labf10b")
	gateway := strings.TrimSpace(f.run(t, "ip route show default | { read -r _ _ gateway _; echo $gateway; }"))
	mirror, err := net.Listen("tcp", gateway+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer mirror.Close()
	var tries atomic.Int64
	go func() {
		for {
			visitor, err := mirror.Accept()
			if err != nil {
				return
			}
			tries.Add(1)
			visitor.Close()
		}
	}()
	f.run(t, "rm -rf /etc/apt/sources.list.d/* /var/cache/apt/archives/*.deb; echo 'deb http://"+mirror.Addr().String()+"/debian bookworm main' >/etc/apt/sources.list")
	build := func(r *recipe.Recipe) { r.Add(netbase) }
	began := time.Now()
	results, err := run.Install(t.Context(), []run.Work{f.work(build), other.work(build)}, run.Settings{
		Forks: 2, Header: journal.Header{Verb: "install", By: "tester", Version: "test"}, Observe: func(engine.HostEvent) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tries in %s", tries.Load(), time.Since(began).Round(time.Millisecond))
	var down *engine.StepError
	if results[0].Status != engine.StatusFailed || !errors.As(results[0].Err, &down) || !strings.Contains(down.Output, mirror.Addr().String()) {
		t.Errorf("%s, %v", results[0].Status, results[0].Err)
	}
	// Each file four times: the package, then the lists, as InRelease and as Release.
	if n := tries.Load(); n < 4 || n > 16 {
		t.Errorf("the mirror was tried %d times", n)
	}
	if results[1].Status != engine.StatusChanged {
		t.Errorf("the other host: %s, %v", results[1].Status, results[1].Err)
	}
	f.clean(t)
	other.clean(t)
}

// A service of Type=simple that dies 0.3 s after its start has started, says systemd.
func TestFault12ServiceDiesAfterItsStart(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf12")
	unit := func(seconds string, settings ...string) func(*recipe.Recipe) {
		return func(r *recipe.Recipe) {
			r.Add(want.File{Path: "/etc/systemd/system/short.service",
				Content: "[Service]\nExecStart=/bin/sh -c 'echo goodbye; sleep " + seconds + "; exit 7'\n" + strings.Join(settings, "") + "[Install]\nWantedBy=multi-user.target\n"},
				recipe.Notification{Unit: "short.service", Action: recipe.Restart})
			r.Add(want.Service{Unit: "short.service"})
		}
	}
	f.build(t, change{}, unit("0.3")).is(t, engine.StatusFailed).says(t, "short.service: did not stay up", "ExecMainStatus=7", "goodbye")
	// One that systemd starts again and again is active each time that it is looked at.
	f.build(t, change{}, unit("0.3", "Restart=always\nRestartSec=10ms\n")).is(t, engine.StatusFailed).says(t, "short.service: did not stay up")
	f.build(t, change{}, unit("1000")).is(t, engine.StatusChanged)
	// One that ran before goes back to what it was.
	restored := f.build(t, change{}, unit("0.3")).is(t, engine.StatusFailed)
	restored.says(t, "put back", "runs as before")
	if !strings.Contains(f.read(t, "/etc/systemd/system/short.service"), "sleep 1000") {
		t.Error("the old file is not back")
	}
	f.run(t, "systemctl -q is-active short.service")
	f.clean(t)
}

// What goes with a package that is purged is in the plan, and what is not in the plan does not go.
func TestFault49PurgeTakesOthersAlong(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, "labf49")
	f.run(t, "apt-get -q -y --no-install-recommends install nginx-light >/dev/null 2>&1; systemctl is-active nginx")
	gone := want.Package{Name: "nginx-common", Absent: true}
	planned := f.runs(t, run.Plan, change{}, func(r *recipe.Recipe) { r.Add(gone) }).is(t, engine.StatusPending)
	along := planned.plan.Changes()[0].Change.Deltas
	if len(along) != 1 || along[0].Name != "goes with it:" || !slices.Contains(strings.Split(along[0].Before, ", "), "nginx-light") {
		t.Errorf("the plan says %+v", along)
	}
	// Another package comes to need it after the plan.
	more := `cd /var/tmp && mkdir -p needy/DEBIAN && printf 'Package: needy\nVersion: 1\nArchitecture: all\nDepends: nginx-common\nMaintainer: Nobody <nobody@example.org>\nDescription: needs it\n' >needy/DEBIAN/control && dpkg-deb -b needy && dpkg -i needy.deb`
	f.install(t, change{}, once("bring another", more), gone).is(t, engine.StatusFailed).says(t, "apt would not only purge nginx-common, which is in the plan, but also: needy")
	f.install(t, change{}, gone).is(t, engine.StatusChanged)
	f.run(t, `! dpkg-query -W -f '${db:Status-Abbrev} ' nginx-common nginx-light needy 2>/dev/null | grep ii; [ "$(systemctl is-active nginx)" = inactive ]; [ ! -e /etc/nginx ]`)
	f.install(t, change{}, gone).is(t, engine.StatusSame)
	f.clean(t)
}
