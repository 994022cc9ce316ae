package remote

import (
	"context"
	"slices"
	"testing"

	"golang.org/x/crypto/ssh"
)

// says runs a command that prints hi.
func says(t *testing.T, c *Connection, followed bool) {
	t.Helper()
	out, err := c.Run(context.Background(), Command{Script: "echo hi", Followed: followed}, nil)
	if err != nil || string(out) != "hi\n" {
		t.Fatalf("%q %v", out, err)
	}
}

// waitForSpare waits until the channel of the command that follows is there, and returns it.
func waitForSpare(c *Connection) *ssh.Session {
	spare := c.transport.(*sshTransport).spare
	o := <-spare
	spare <- o
	return o.session
}

func TestACommandThatFollows(t *testing.T) {
	s := newFakeServer(t)
	c := s.dial()
	s.asked()
	says(t, c, true)
	waitForSpare(c)
	got := s.asked()
	slices.Sort(got) // the second channel is opened beside the command
	if want := []string{"channel session", "channel session", "request exec"}; !slices.Equal(got, want) {
		t.Errorf("a command that is followed: %q, want %q", got, want)
	}
	says(t, c, false)
	if got, want := s.asked(), []string{"request exec"}; !slices.Equal(got, want) {
		t.Errorf("the command that follows: %q, want %q", got, want)
	}
	says(t, c, false)
	if got, want := s.asked(), []string{"channel session", "request exec"}; !slices.Equal(got, want) {
		t.Errorf("the one after that: %q, want %q", got, want)
	}
}

// A server may close a channel that nothing runs in (ChannelTimeout in sshd_config(5)).
func TestACommandThatFollowsAfterALongTime(t *testing.T) {
	c := newFakeServer(t).dial()
	says(t, c, true)
	waitForSpare(c).Close()
	says(t, c, false)
}

func TestACommandThatFollowsWhereOneMayRun(t *testing.T) {
	c := startSSHD(t, "MaxSessions 1").dial(t, "root")
	says(t, c, true)
	says(t, c, false)
}
