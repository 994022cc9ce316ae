package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEventLogSettings(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bigQuery := []string{"--sink", "bigquery", "--bigquery", "p.d", "--bigquery-credentials-file", secret}
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{nil, ""},
		{[]string{"--sink", "files"}, "files: is needed"},
		{[]string{"--sink", "files", "--files", "/x"}, ""},
		{[]string{"--sink", "files", "--files", "/x", "--counting", "hll"}, "counting exact"},
		{[]string{"--sink", "kafka"}, "none of postgresql, files and bigquery"},
		{bigQuery, ""},
		{bigQuery[:4], "are needed"},
		{append(bigQuery, "--counting", "hll"), "counting exact"},
		{append(bigQuery, "--bigquery-endpoint", "nowhere"), "is no URL"},
		{append(bigQuery, "--bigquery-endpoint", "https://bigquery-x.p.googleapis.com"), ""},
	} {
		_, err := LoadEventLog(test.arguments, nil, "here", nil)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %q", test.arguments, err, test.want)
		}
	}
}
