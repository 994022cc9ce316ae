package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// ending are the signals that ask a command to end: Ctrl-C, kill(1), and a terminal that was
// closed. Under nohup(1) that one is ignored, and stays so.
func ending() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// stopOnSignals closes stop at the first Ctrl-C, which stops every host between two steps,
// and ends the context at the second, which stops them at once. A terminal that is closed
// counts as a first one, however often it is told.
func stopOnSignals(ctx context.Context) (_ context.Context, stop <-chan struct{}, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, ending()...)
	go func() {
		for asked := false; ; {
			select {
			case <-ctx.Done():
				return
			case got := <-signals:
				switch {
				case !asked:
					close(stopped)
					asked = true
				case got != syscall.SIGHUP:
					cancel()
				}
			}
		}
	}()
	return ctx, stopped, func() {
		signal.Stop(signals)
		cancel()
	}
}

// outliveReaders lets a write to an output that nobody reads any more fail, instead of ending
// this process in the middle of a change (os/signal, SIGPIPE). It is for the rest of the
// command: what is said last must not cost it its exit code.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// readerGone reports whether a write failed because nobody is there to read it: the other end
// of a pipe was closed, or the terminal was (tty_ioctl(4): EIO after a hangup).
func readerGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.EIO)
}
