package run

import (
	"context"
	"time"

	"provision/internal/engine"
)

// A connection ends with its host's work. Between a plan and its changes a host keeps it only where all
// hosts of the run have their turn at once, and where the question in between did not take long: servers
// and what is on the way to them let go of who says nothing, and of thousands each has its price here.

// longQuestion is how long a person may ponder, or a host wait for its turn, before connections are made anew.
const longQuestion = time.Minute

// connect makes the connection to a host.
func (j *job) connect(ctx context.Context) bool {
	done := j.beginning.login(j)
	j.observe(engine.Connecting{Address: j.Target.Address.String()})
	connection, err := j.Target.connect(ctx)
	done()
	if err != nil {
		j.finish("", err)
		return false
	}
	j.host = host{target: j.Target, connection: connection}
	if waited := j.beginning.turn(j); waited > longQuestion || waited > 0 && connection.Ended() {
		j.disconnect()
		return j.connect(ctx)
	}
	return true
}

// reconnect makes the connection that a host no longer has.
func (j *job) reconnect(ctx context.Context) bool {
	if j.host.connection != nil && !j.host.connection.Ended() {
		return true
	}
	j.disconnect()
	return j.connect(ctx)
}

// connectAgain makes the connection anew that was lost in a question, as when the sshd of a jump host was restarted:
// after a pause, in which that may come back.
func (j *job) connectAgain(ctx context.Context) bool {
	j.observe(engine.Note{Text: "the connection was lost: asking once more"})
	j.disconnect()
	select {
	case <-ctx.Done():
	case <-time.After(lostPause):
	}
	return j.connect(ctx)
}

// disconnect ends the connection to a host, if there is one.
func (j *job) disconnect() {
	if j.host.connection != nil {
		j.host.connection.Close()
		j.host.connection = nil
	}
}
