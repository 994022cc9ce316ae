package remote

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestCountdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, over := time.Now(), make(chan time.Time, 1)
		c := &countdown{over: func() { over <- time.Now() }}
		c.start(10 * time.Second)
		time.Sleep(9500 * time.Millisecond)
		c.start(10 * time.Second)
		time.Sleep(9500 * time.Millisecond)
		c.stop()
		time.Sleep(time.Hour)
		c.start(10 * time.Second)
		if took := (<-over).Sub(began); took != time.Hour+29*time.Second {
			t.Errorf("over after %s", took)
		}
	})
}

// A process that is stopped, as by Ctrl-Z, for longer than a host may take has not given that host up when it goes on.
func TestCountdownOfAStoppedProcess(t *testing.T) {
	if whole, err := time.ParseDuration(os.Getenv("REMOTE_TEST_COUNTDOWN")); err == nil {
		countsDown(whole)
		return
	}
	patiently(t, time.Second, func(interval time.Duration) error {
		child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		child.Env = append(os.Environ(), "REMOTE_TEST_COUNTDOWN="+interval.String())
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		defer child.Wait()
		defer child.Process.Kill()
		lines := bufio.NewReader(output)
		if line, err := lines.ReadString('\n'); err != nil || line != "began\n" {
			t.Fatalf("%q, %v", line, err)
		}
		child.Process.Signal(syscall.SIGSTOP)
		time.Sleep(2 * interval)
		child.Process.Signal(syscall.SIGCONT)
		if line, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(line) != "time is left" {
			return fmt.Errorf("%q, %v", line, err)
		}
		return nil
	})
}

// countsDown says that it has begun, and what is so when its process goes on after it was stopped.
func countsDown(whole time.Duration) {
	goesOn := make(chan os.Signal, 1)
	signal.Notify(goesOn, syscall.SIGCONT)
	c := &countdown{over: func() {
		fmt.Println("time is over")
		os.Exit(0)
	}}
	c.start(whole)
	fmt.Println("began")
	<-goesOn
	time.Sleep(whole / 4) // what was due while it was stopped has been by now
	fmt.Println("time is left")
}
