package acceptance

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"provision/internal/lab"
)

const redisAdmin = `REDISCLI_AUTH=$(cat /etc/provision/secrets/redis-admin) redis-cli -e --no-auth-warning -s /run/redis/redis-server.sock --user admin `

// TestBackupAndRestore takes backups of a Graphite and a Redis that are in use, destroys what they have,
// and brings it back: points, users and keys are there. What is damaged, or does not fit, changes nothing.
func TestBackupAndRestore(t *testing.T) {
	onItsDays(t, 4)
	t.Parallel()
	onEach(t, today(t), "labbak", installed, func(t *testing.T, _ *lab.Lab, host machine) {
		database := "graphite.database=" + []string{"sqlite", "postgresql"}[twoDays()/groups%2]
		t.Log(database)
		do := func(code int, args ...string) ended {
			t.Helper()
			return provision(t, append(args, "-e", database, "-H", host.Name)...).exits(t, code)
		}
		do(0, "install", "graphite", "-y")
		provision(t, "install", "redis", "-y", "-H", host.Name).exits(t, 0)
		web := host.web(t)
		now := time.Now().Unix()
		var lines []string
		for i := range 200 {
			lines = append(lines, fmt.Sprintf("backup.m%d %d %d", i, i, now-60))
		}
		host.send(t, "%s", strings.Join(lines, "\n"))
		eventually(t, "the points", 20*time.Second, func() bool { return web.hasValue(t, "backup.m199", "199.0") })
		manage := `cd /; setpriv --reuid _graphite --regid _graphite --init-groups env DJANGO_SUPERUSER_PASSWORD=secret graphite-manage `
		host.run(t, manage+"createsuperuser --noinput --username ana --email ana@example.org 2>/dev/null")
		host.run(t, redisAdmin+"set kept 42; "+redisAdmin+"pfadd gimel:visitors a b c")
		eventually(t, "carbon has written", 20*time.Second, func() bool {
			return strings.TrimSpace(host.run(t, "find /var/lib/graphite/whisper/backup -name '*.wsp' | wc -l")) == "200"
		})

		// Points come while the backup is made.
		host.run(t, `systemd-run --unit=points bash -c 'while :; do for i in $(seq 200); do echo "backup.m$i $i $(date +%s)"; done >/dev/tcp/127.0.0.1/2003; sleep 0.2; done'`)
		do(0, "do", "graphite", "backup", "-y")
		host.run(t, "systemctl stop points")
		provision(t, "do", "redis", "backup", "-y", "-H", host.Name).exits(t, 0)
		files := strings.Fields(host.run(t, "ls /var/backups/graphite/*.gz /var/backups/redis/*.rdb"))
		if modes := host.run(t, "stat -c %a:%U /var/backups/graphite /var/backups/redis "+strings.Join(files, " ")); modes != "700:root\n700:root\n600:root\n600:root\n" {
			t.Errorf("modes %s", modes)
		}

		// A full disk leaves nothing that looks like a backup; others' directories are refused.
		host.run(t, "mkdir /mnt/small && mount -t tmpfs -o size=16k,mode=700 tmpfs /mnt/small")
		do(3, "do", "graphite", "backup", "-y", "-e", "to=/mnt/small")
		if left := host.run(t, "ls -A /mnt/small"); left != "" {
			t.Errorf("on the full disk is %s", left)
		}
		if told := do(3, "do", "graphite", "backup", "-y", "-e", "to=/tmp"); !strings.Contains(told.stdout, "others may write there") {
			t.Errorf("into /tmp: %s%s", told.stdout, told.stderr)
		}

		// All is destroyed.
		host.run(t, "rm -rf /var/lib/graphite/whisper/backup")
		host.run(t, manage+`shell -c 'from django.contrib.auth.models import User; User.objects.all().delete()' 2>/dev/null`)
		host.run(t, redisAdmin+"flushall")
		host.run(t, redisAdmin+"set since 1")

		// A damaged one changes nothing.
		host.run(t, "cp /var/backups/graphite/*.gz /root/bad && cp /var/backups/graphite/*.sha256 /root/bad.sha256 && printf x | dd of=/root/bad bs=1 seek=1000 conv=notrunc status=none")
		if told := do(3, "do", "graphite", "restore", "-y", "-e", "from=/root/bad"); !strings.Contains(told.stdout, "is not what its digest says; nothing was changed") {
			t.Errorf("%s%s", told.stdout, told.stderr)
		}
		host.run(t, "head -c 60 /var/backups/redis/*.rdb >/root/half && cd /root && sha256sum half >half.sha256")
		provision(t, "do", "redis", "restore", "-y", "-e", "from=/root/half", "-H", host.Name).exits(t, 3)
		if keys := host.run(t, redisAdmin+"keys '*'"); keys != "since\n" {
			t.Errorf("keys after half a snapshot: %s", keys)
		}

		do(0, "do", "graphite", "restore", "-y", "-e", "from="+files[0])
		provision(t, "do", "redis", "restore", "-y", "-e", "from="+files[1], "-H", host.Name).exits(t, 0)
		for _, i := range []int{1, 77, 199} {
			if !web.hasValue(t, fmt.Sprintf("backup.m%d", i), fmt.Sprintf("%d.0", i)) {
				t.Errorf("backup.m%d is not there", i)
			}
		}
		if user := host.run(t, manage+`shell -c 'from django.contrib.auth.models import User; print([(u.username, u.check_password("secret")) for u in User.objects.all() if u.is_superuser])' 2>/dev/null`); !strings.Contains(user, "('ana', True)") {
			t.Errorf("users: %s", user)
		}
		if keys := host.run(t, redisAdmin+"get kept; "+redisAdmin+"pfcount gimel:visitors; "+redisAdmin+"exists since"); keys != "42\n3\n0\n" {
			t.Errorf("keys: %s", keys)
		}
		do(0, "verify", "graphite")
		do(0, "plan", "graphite", "--detailed-exitcode")
		provision(t, "verify", "redis", "-H", host.Name).exits(t, 0)
		provision(t, "plan", "redis", "--detailed-exitcode", "-H", host.Name).exits(t, 0)
		host.run(t, "systemctl restart redis-server") // reads what it was given once more
		eventually(t, "Redis has it after a restart", 10*time.Second, func() bool {
			keys, err := host.try(redisAdmin+"get kept", "")
			return err == nil && keys == "42\n"
		})
		t.Run("resize", func(t *testing.T) { otherSchemasAreTakenIn(t, host, do) })
	})
}

// otherSchemasAreTakenIn changes how metrics are kept: files that are there already are made anew when
// they are told to, their points put together, and the old ones come back.
func otherSchemasAreTakenIn(t *testing.T, host machine, do func(int, ...string) ended) {
	coarse := `graphite.schemas=[{name: default, pattern: ".*", retentions: "1m:2d,10m:2y"}]`
	counts := `graphite.aggregations=[{name: sums, pattern: "^backup", method: sum, x_files_factor: "0"}]`
	minute := time.Now().Unix()/60*60 - 600
	var lines []string
	for i := range int64(6) {
		lines = append(lines, fmt.Sprintf("backup.total %d %d", i, minute+10*i))
	}
	host.send(t, "%s", strings.Join(lines, "\n"))
	eventually(t, "carbon has written", 20*time.Second, func() bool {
		_, err := host.try("test -e /var/lib/graphite/whisper/backup/total.wsp", "")
		return err == nil
	})
	other := []string{"-y", "-e", coarse, "-e", counts}
	do(0, append([]string{"install", "graphite"}, other...)...)
	// Carbon leaves an empty one on a full disk; the folder of the other is one that it cannot write to.
	host.run(t, `cd /var/lib/graphite/whisper/backup; install -o _graphite -g _graphite /dev/null empty.wsp; install -d closed; cp -p total.wsp closed`)
	planned := do(0, append([]string{"do", "graphite", "resize"}, other...)...)
	for _, part := range []string{"202 files: 10s:6h,1m:7d,10m:1y average 0 → 1m:2d,10m:2y sum 0", "1 file cannot be read, and stays as it is", "  backup/empty.wsp: CorruptWhisperFile", "nothing was changed"} {
		if !strings.Contains(planned.stdout, part) {
			t.Errorf("the plan does not say %q:\n%s", part, planned.stdout)
		}
	}
	points := func() string {
		return strings.TrimSpace(host.run(t, fmt.Sprintf("whisper-fetch --drop=nulls --from=%d --until=%d /var/lib/graphite/whisper/backup/total.wsp", minute-1, minute+59)))
	}
	before := points()
	// What the last verify wrote is among them where it has not gone yet.
	anew := regexp.MustCompile("20[12] files made anew")
	if applied := do(3, append([]string{"do", "graphite", "resize", "-e", "step=apply"}, other...)...); !anew.MatchString(applied.stdout) ||
		!strings.Contains(applied.stdout, "1 file could not be made anew, and is as it was") || !strings.Contains(applied.stdout, "  backup/closed/total.wsp: PermissionError") {
		t.Errorf("one file cannot be made anew, and it says %s", applied.stdout)
	}
	host.run(t, "systemctl is-active carbon-cache; rm -r /var/lib/graphite/whisper/backup/closed")
	if want := fmt.Sprintf("%d\t15.000000", minute); points() != want {
		t.Errorf("points %q, want %q", points(), want)
	}
	if told := do(0, append([]string{"do", "graphite", "resize"}, other...)...); !strings.Contains(told.stdout, "all files that can be read have the shape") {
		t.Errorf("after it: %s", told.stdout)
	}
	pid := host.run(t, "systemctl show -p MainPID carbon-cache")
	if told := do(0, append([]string{"do", "graphite", "resize", "-e", "step=apply"}, other...)...); host.run(t, "systemctl show -p MainPID carbon-cache") != pid {
		t.Errorf("carbon was stopped for nothing: %s", told.stdout)
	}
	do(0, append([]string{"verify", "graphite"}, other[1:]...)...)
	do(0, append([]string{"do", "graphite", "resize", "-e", "step=undo"}, other...)...)
	if points() != before {
		t.Errorf("points %q after undo, before %q", points(), before)
	}
	do(0, append([]string{"do", "graphite", "resize", "-e", "step=apply"}, other...)...)
	do(0, append([]string{"do", "graphite", "resize", "-e", "step=clean"}, other...)...)
	if left := host.run(t, "find /var/lib/graphite/whisper -name '*.bak' -o -name '*.resize'"); left != "" {
		t.Errorf("left: %s", left)
	}
}
