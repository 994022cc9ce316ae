package lab

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Run runs a script of bash as root in the host and returns what it prints. It enters the host's
// namespaces: without a login, nothing of the host takes notice.
func (h Host) Run(ctx context.Context, script, input string) (string, error) {
	leader, err := h.Leader()
	if err != nil {
		return "", err
	}
	c := exec.CommandContext(ctx, "nsenter", "-t", fmt.Sprint(leader), "-m", "-u", "-i", "-n", "-p",
		"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "bash", "-c", script)
	c.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	output, err := c.Output()
	if err != nil {
		return string(output), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(output), nil
}
