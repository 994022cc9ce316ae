package acceptance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// burstLosesNothing sends 500 metrics that carbon has never seen at once.
func burstLosesNothing(t *testing.T, host machine) {
	const count = 500
	defer host.run(t, "rm -rf /var/lib/graphite/whisper/burst")
	var lines strings.Builder
	now := time.Now().Unix()
	for i := range count {
		fmt.Fprintf(&lines, "burst.metric%d %d %d\n", i, i, now)
	}
	host.feed(t, "cat >/dev/tcp/127.0.0.1/2003", lines.String())
	eventually(t, "500 files", 60*time.Second, func() bool {
		return strings.TrimSpace(host.run(t, "ls /var/lib/graphite/whisper/burst 2>/dev/null | wc -l")) == fmt.Sprint(count)
	})
	status, body := host.web(t).get(t, "/render?format=json&noCache=1&from=-10min&target=burst.*")
	var series []struct {
		Target     string
		Datapoints [][2]*float64
	}
	if err := json.Unmarshal([]byte(body), &series); err != nil {
		t.Fatalf("status %d: %v: %s", status, err, tail(body, 500))
	}
	kept := 0
	for _, one := range series {
		for _, point := range one.Datapoints {
			if point[0] != nil && one.Target == fmt.Sprintf("burst.metric%d", int(*point[0])) {
				kept++
			}
		}
	}
	if kept != count {
		t.Errorf("%d of %d points are there", kept, count)
	}
}

// countsAreSummed writes six counts of 1 within a minute and looks at the archive of
// minutes.
func countsAreSummed(t *testing.T, host machine) {
	minute := time.Now().Add(-3*time.Minute).Unix() / 60 * 60
	var lines strings.Builder
	for i := range int64(6) {
		fmt.Fprintf(&lines, "acceptance.requests.count 1 %d\nacceptance.load 1 %d\n", minute+10*i, minute+10*i)
	}
	host.feed(t, "cat >/dev/tcp/127.0.0.1/2003", lines.String())
	for metric, want := range map[string]string{"acceptance/requests/count": "6", "acceptance/load": "1"} {
		sum := regexp.MustCompile(fmt.Sprintf(`(?m)^\d+: %d, +%s(\.0*)?$`, minute, want))
		var dump string
		eventually(t, metric+": "+want+" in its minute", 15*time.Second, func() bool {
			dump, _ = host.try("whisper-dump /var/lib/graphite/whisper/"+metric+".wsp", "")
			_, minutes, _ := strings.Cut(dump, "Archive 1 data:")
			return sum.MatchString(minutes)
		})
	}
}

// carbonComesBack kills carbon as the kernel would when memory runs out.
func carbonComesBack(t *testing.T, host machine) {
	before := host.mainPIDs(t, "carbon-cache")["carbon-cache"]
	host.run(t, "kill -9 "+before)
	eventually(t, "another carbon that listens", 30*time.Second, func() bool {
		pid := host.mainPIDs(t, "carbon-cache")["carbon-cache"]
		_, err := host.try(": >/dev/tcp/127.0.0.1/2003", "")
		return pid != before && pid != "0" && err == nil
	})
	provision(t, "verify", "graphite", "-H", host.Name).exits(t, 0)
}
