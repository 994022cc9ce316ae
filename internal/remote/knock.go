package remote

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// most knock at one sshd at a time. From 10 connections that are not logged in on, it
	// begins to hang up on new ones (sshd_config(5), MaxStartups); others may come too.
	atOneDoor = 8

	// tries are made of a connection that the server ends before the login: with those, it is
	// all over in 6 s on the average.
	tries      = 6
	firstPause = 200 * time.Millisecond
)

// errHungUp is a server that ended the connection before it asked for a login: nothing was
// done, and another try may find it less busy.
var errHungUp = errors.New("hung up before the login")

// hungUp tells whether an error is what a connection ends with that the server closes.
func hungUp(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// rest waits before another try: twice as long each time, and by chance more or less, for all
// that were sent away at once would else come back at once.
func (d *Dialer) rest(ctx context.Context, tried int) {
	pause := time.Duration(float64(d.pause<<(tried-1)) * (0.5 + rand.Float64()))
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
}

// knock is one connection's places at the doors of servers, from before TCP until the login:
// more than one where a name has several addresses that are tried side by side.
type knock struct {
	dialer *Dialer
	clock  *watchdog

	mu   sync.Mutex
	held []chan struct{}
	over bool
}

// at waits for a place at an address. The wait does not count as the server's.
func (k *knock) at(ctx context.Context, address string) error {
	k.dialer.mu.Lock()
	door, there := k.dialer.doors[address]
	if !there {
		door = make(chan struct{}, atOneDoor)
		k.dialer.doors[address] = door
	}
	k.dialer.mu.Unlock()
	select {
	case door <- struct{}{}:
	default:
		k.clock.pause()
		defer k.clock.resume()
		select {
		case door <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over { // another address was faster
		<-door
		return context.Canceled
	}
	k.held = append(k.held, door)
	return nil
}

// done leaves the places to others.
func (k *knock) done() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = true
	for _, door := range k.held {
		<-door
	}
	k.held = nil
}
