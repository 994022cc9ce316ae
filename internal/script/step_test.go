package script

import "testing"

func TestProcAddress(t *testing.T) {
	for listener, want := range map[string]string{
		"127.0.0.1:2003": "0100007F:07D3",
		"0.0.0.0:80":     "00000000:0050",
		":80":            ":0050",
		"[::1]:443":      ":01BB",
		"localhost:8080": ":1F90",
		"/run/x.sock":    "/run/x.sock",
	} {
		if got := procAddress(listener); got != want {
			t.Errorf("procAddress(%q) = %s, want %s", listener, got, want)
		}
	}
}

func TestStripLeavesOutOnlyCommentsAndIndentation(t *testing.T) {
	const text = "# comment\n\tif x; then # not this one\n\t\techo '#'\n\n\tfi\n"
	if got, want := strip(text), "if x; then # not this one\necho '#'\nfi\n"; got != want {
		t.Errorf("strip: %q, want %q", got, want)
	}
}
