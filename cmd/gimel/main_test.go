package main

import (
	"bytes"
	"strings"
	"testing"

	"provision/internal/gimel/redistest"
)

func TestVersionAndHelp(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"version"}, "development\n"},
		{[]string{"help"}, "check-config"},
	} {
		var output bytes.Buffer
		if err := run(test.args, nil, &output); err != nil || !strings.Contains(output.String(), test.want) {
			t.Errorf("%v: %q, %v", test.args, output.String(), err)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	err := run([]string{"sreve"}, nil, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), `"sreve"`) {
		t.Errorf("err = %v", err)
	}
}

func TestCheckConfig(t *testing.T) {
	key := keyFile(t)
	if err := run([]string{"check-config", "--hash-key-file", key, "--api-key-file", key}, nil, &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
	if err := run([]string{"check-config", "--hash-key-file", key, "--api-key-file", "/does/not/exist"}, nil, &bytes.Buffer{}); err == nil {
		t.Error("a missing key file is accepted")
	}
}

func TestImportPrintsWhatItTookOver(t *testing.T) {
	from, to := redistest.Start(t), redistest.Start(t)
	old := from.Client()
	old.SAdd(t.Context(), "alephbet:experiments", "title")
	old.SAdd(t.Context(), "alephbet:title:counter_keys", "alephbet:counters:title:participate:blue")
	old.Set(t.Context(), "alephbet:counters:title:participate:blue", 4321, 0)
	key := keyFile(t)
	var output bytes.Buffer
	args := []string{"import", "--from", from.URL(), "--redis", to.URL(), "--hash-key-file", key, "--api-key-file", key}
	for range 2 {
		output.Reset()
		if err := run(args, nil, &output); err != nil {
			t.Fatal(err)
		}
		want := "    4321 alephbet:counters:title:participate:blue\n1 counters taken over, 0 skipped\n"
		if output.String() != want {
			t.Errorf("printed %q, want %q", output.String(), want)
		}
	}
	if err := run(append([]string{"import"}, args[3:]...), nil, &output); err == nil || !strings.Contains(err.Error(), "--from") {
		t.Errorf("without --from: %v", err)
	}
}
